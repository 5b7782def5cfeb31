"""Output files that are whole or absent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from listener_head.errors import UserError


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a name to write to, beside ``path``, which takes the place of ``path`` when all went well.

    After an error, which is passed on, nothing is left behind. Two processes may write at once.
    """
    partial = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """As ``whole``, and the folder is made; a file that cannot be written raises UserError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as partial:
            yield partial
    except OSError as error:
        raise UserError(
            f"cannot write {path}: {error.strerror or error}; free some space or choose another folder"
        ) from error
