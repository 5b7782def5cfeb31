"""The policy Mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from listener_head.policies.baseline import Baseline, eased
from listener_head.timing import RATE_HZ

FloatArray = NDArray[np.float32]

_EASE_FRAMES = RATE_HZ


class Mean(Baseline):
    """Goes to the training listeners' mean motion of the attitude within a second and stays there.

    Not in the paper; a distance rewards it, so that a listener worth its name has to beat it.
    """

    name = "mean"

    def set_attitude(self, attitude: str) -> None:
        """Change the attitude and go to its mean."""
        before = self._attitude
        super().set_attitude(attitude)
        if attitude != before:
            self._begin()

    def _begin(self) -> None:
        self._start, self._frame = self._motion, 0

    def _wanted(self, speaker: FloatArray) -> FloatArray:
        self._frame = min(self._frame + 1, _EASE_FRAMES)
        mean = self._data.mean[self._attitude or ""]
        if self._frame == _EASE_FRAMES:
            return mean.copy()
        return self._start + eased(self._frame / _EASE_FRAMES) * (mean - self._start)
