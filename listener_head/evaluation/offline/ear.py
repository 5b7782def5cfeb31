"""Features of recorded sound, by what the node audio_features does with it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from listener_head.audio import StampedFeatures
from listener_head.bags.faults import Faults
from listener_head.errors import UserError
from listener_head.evaluation.offline.columns import Columns
from listener_head.evaluation.offline.data import Envelope, Heard
from listener_head.timing import NS_PER_S

if TYPE_CHECKING:
    from listener_head.bags import Chunk

_ENVELOPE_NS = NS_PER_S // 100
_FULL_SCALE = 32768.0


class Ear:
    """Makes features of sound as the node audio_features does, and the sound's outline."""

    def __init__(self, layout: str, faults: Faults) -> None:
        self._layout, self._faults = layout, faults
        self._features = StampedFeatures(layout)
        self._frames, self._outline = Columns(), Columns()
        self.spent_ms: list[float] = []

    def hear(self, chunk: Chunk) -> None:
        """Take a chunk of sound; one that cannot be used is left out."""
        began = time.perf_counter()
        try:
            completed = self._features.push(chunk.stamp_ns, chunk.samples, chunk.sample_rate)
        except UserError as problem:
            self._faults.leave_out(chunk.topic, "cannot be used", str(problem))
            return
        self.spent_ms.append((time.perf_counter() - began) * 1e3)
        for frames in completed:
            if len(frames):
                indices = frames.first_index + np.arange(len(frames))
                self._frames.add(indices, frames.values, frames.voice_activity, frames.flags)
        if len(chunk.samples):
            self._outline.add(*_outline(chunk))

    def envelope(self) -> Envelope:
        """The sound's outline in pieces of a hundredth of a second."""
        if not self._outline:
            return Envelope(np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.float32))
        stamps, low, high = self._outline.arrays()
        return Envelope(
            stamps, (low / _FULL_SCALE).astype(np.float32), (high / _FULL_SCALE).astype(np.float32)
        )

    def heard(self) -> Heard:
        """All features; of steps that came twice the last."""
        if not self._frames:
            values, none = np.zeros((0, 0), np.float32), np.zeros(0)
            return Heard(
                self._layout, none.astype(int), values, none.astype(np.float32), none.astype(np.uint8)
            )
        indices, values, activity, flags = self._frames.arrays()
        rows = _last_of_each(indices)
        return Heard(self._layout, indices[rows], values[rows], activity[rows], flags[rows])


def _outline(chunk: Chunk) -> tuple[NDArray[np.int64], NDArray[np.int16], NDArray[np.int16]]:
    """Stamps, lowest and highest sample of the first channel in pieces of a hundredth of a second."""
    samples = chunk.samples[:, 0]
    piece = max(1, chunk.sample_rate * _ENVELOPE_NS // NS_PER_S)
    starts = np.arange(0, len(samples), piece)
    stamps = chunk.stamp_ns + starts * NS_PER_S // chunk.sample_rate
    return stamps, np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)


def _last_of_each(indices: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows of the last occurrence of each index, by index."""
    _, from_the_end = np.unique(indices[::-1], return_index=True)
    return len(indices) - 1 - from_the_end
