"""Output files that are whole or absent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from listener_head.errors import UserError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a name to write to, beside ``path``, which takes the place of ``path`` when all went well.

    After an error nothing is left behind. A file that cannot be written raises UserError.
    """
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.replace(path)
    except OSError as error:
        raise UserError(
            f"cannot write {path}: {error.strerror or error}; free some space or choose another folder"
        ) from error
    finally:
        if partial.exists():
            partial.unlink()
