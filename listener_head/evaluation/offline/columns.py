"""Rows that come a few at a time, for hours."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Small arrays are joined when there are so many: each takes some hundred bytes beside its numbers.
_JOINED = 1024


class Columns:
    """Arrays that grow together along their first axis."""

    def __init__(self) -> None:
        self._blocks: list[tuple[NDArray[Any], ...]] = []
        self._latest: list[tuple[NDArray[Any], ...]] = []

    def add(self, *arrays: NDArray[Any]) -> None:
        """Append rows to each column; the same number of columns, and kinds, every time."""
        self._latest.append(arrays)
        if len(self._latest) >= _JOINED:
            self._blocks.append(_joined(self._latest))
            self._latest = []

    def __bool__(self) -> bool:
        return bool(self._blocks or self._latest)

    def arrays(self) -> tuple[NDArray[Any], ...]:
        """All rows of each column; none without a row."""
        return _joined([*self._blocks, *self._latest]) if self else ()


def _joined(parts: list[tuple[NDArray[Any], ...]]) -> tuple[NDArray[Any], ...]:
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))
