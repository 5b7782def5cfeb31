"""Mean and standard deviation over many files, as the baseline's statistics script has them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from listener_head.extraction.published import DYNAMIC, FIXED, read_audio_npy, read_video_bin, require_torch
from listener_head.extraction.store import AUDIO_STATISTICS, VIDEO_STATISTICS, Store

Array = NDArray[np.float64]


class ColumnStatistics:
    """Mean and sample standard deviation (n - 1) of columns that come in pieces.

    Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances" (1979).
    """

    def __init__(self) -> None:
        self.count = 0
        self._mean: Array = np.zeros(0)
        self._squares: Array = np.zeros(0)

    def add(self, values: NDArray) -> None:
        """Take more rows [T, n]."""
        values = values.astype(np.float64)
        mean = values.mean(axis=0)
        squares = ((values - mean) ** 2).sum(axis=0)
        if not self.count:
            self.count, self._mean, self._squares = len(values), mean, squares
            return
        total = self.count + len(values)
        change = mean - self._mean
        self._mean = self._mean + change * (len(values) / total)
        self._squares = self._squares + squares + change**2 * (self.count * len(values) / total)
        self.count = total

    def result(self) -> dict[str, NDArray[np.float32]]:
        """``mean`` and ``std`` [n] of the rows so far; ``std`` is zero for a single row."""
        deviation = np.sqrt(self._squares / max(self.count - 1, 1))
        return {"mean": self._mean.astype(np.float32), "std": deviation.astype(np.float32)}


def write_statistics(store: Store, audio: Iterable[Path], video: Iterable[Path]) -> None:
    """Writes the two files of statistics of files ``.npy`` and ``.bin``.

    UserError when a file cannot be read, when they are of different layouts, and without torch.
    """
    sound, dynamic, fixed = ColumnStatistics(), ColumnStatistics(), ColumnStatistics()
    for path in audio:
        sound.add(read_audio_npy(path))
    for path in video:
        features = read_video_bin(path)
        dynamic.add(features.dynamic)
        fixed.add(features.fixed)
    store.write(AUDIO_STATISTICS, _saved(sound.result()))
    store.write(VIDEO_STATISTICS, _saved({DYNAMIC: dynamic.result(), FIXED: fixed.result()}))


def _saved(statistics: Mapping[str, Any]) -> bytes:
    """As torch tensors in a dict, as published."""
    require_torch()
    import torch

    def tensors(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return torch.from_numpy(value)
        return {name: tensors(each) for name, each in value.items()}

    file = io.BytesIO()
    torch.save(tensors(statistics), file)
    return file.getvalue()
