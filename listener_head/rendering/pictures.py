"""A folder of numbered PNG pictures, whole or absent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from listener_head.errors import UserError
from listener_head.files import whole_folder

# Rendered pictures are smooth: more effort makes them a little smaller and takes several times as long.
_COMPRESSION = 3


def write_png(folder: Path, index: int, picture: NDArray[np.uint8]) -> None:
    """Write picture number ``index``, RGB or with alpha, into a folder; OSError when that fails."""
    Image.fromarray(picture).save(folder / f"{index:06d}.png", compress_level=_COMPRESSION)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give a folder to fill, which becomes ``path`` when all went well; after an error nothing is left.

    UserError when ``path`` is there and not an empty folder, or cannot be written.
    """
    try:
        if path.exists() and not (path.is_dir() and not any(path.iterdir())):
            raise UserError(f"'{path}' exists and is not empty; choose another folder or delete it")
        with whole_folder(path) as work:
            yield work
    except OSError as error:
        raise UserError(
            f"cannot write {path}: {error.strerror or error}; free some space or choose another folder"
        ) from error
