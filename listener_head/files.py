"""Output files and folders that are whole or absent."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from listener_head.errors import UserError

# The file of numbers that every folder of results has: a folder without it is somebody else's.
RESULTS = "metrics.json"


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


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Give a folder to fill, which takes the place of ``path`` when all went well.

    After an error, which is passed on, nothing is left behind. UserError, before anything is done, when there
    is something at ``path`` that is neither empty nor the folder of an earlier run, which has RESULTS in it.
    """
    _check_replaceable(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    work.chmod(0o755)
    try:
        yield work
        if path.exists():
            shutil.rmtree(path)
        work.rename(path)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _check_replaceable(path: Path) -> None:
    if path.exists() and not (path.is_dir() and ((path / RESULTS).is_file() or not any(path.iterdir()))):
        raise UserError(f"'{path}' is there and no result of an earlier run; choose another --output")
