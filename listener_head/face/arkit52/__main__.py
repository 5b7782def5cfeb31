"""``python -m listener_head.face.arkit52 [FILE]``: build the head and write its file."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from listener_head.face.arkit52.build import build_arrays
from listener_head.face.model import ARKIT52_PATH


def main() -> None:
    """Build the model and save it, by default where the package loads it from."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else ARKIT52_PATH
    arrays = build_arrays()
    np.savez_compressed(path, **arrays)
    vertices, shapes = len(arrays["mean"]), len(arrays["identity_names"])
    print(f"{path}: {vertices} vertices, {len(arrays['triangles'])} triangles, {shapes} identity modes")


if __name__ == "__main__":
    main()
