"""``python -m listener_head.face.arkit52 [FOLDER]``: build the head and write its files."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from listener_head.face.arkit52.build import build_arrays, build_locks
from listener_head.face.arkit52.locks import LOCKS_PATH
from listener_head.face.model import ARKIT52_PATH


def main() -> None:
    """Build the model and the locks of its hair, by default where the package loads them from."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ARKIT52_PATH.parent
    head = build_arrays()
    for path, arrays in ((ARKIT52_PATH, head), (LOCKS_PATH, build_locks(head))):
        np.savez_compressed(folder / path.name, **arrays)
        vertices, triangles = len(arrays["mean"]), len(arrays["triangles"])
        print(f"{folder / path.name}: {vertices} vertices, {triangles} triangles")


if __name__ == "__main__":
    main()
