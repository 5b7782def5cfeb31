"""The policy Random of the paper's Table 2."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from listener_head.policies.baseline import Baseline

FloatArray = NDArray[np.float32]

# Share of a perturbation that is left after a frame: it mimics motion of a head, not the noise of a camera.
_MEMORY = 0.9


class Random(Baseline):
    """The reference with small perturbations "in a normal distribution to mimic random head motion".

    The perturbations have the training listeners' deviation about their mean and are correlated in time.
    """

    name = "random"

    def _begin(self) -> None:
        self._perturbation = np.zeros_like(self._reference)
        self._fresh = np.float32(np.sqrt(1 - _MEMORY**2)) * self._data.deviation

    def _wanted(self, speaker: FloatArray) -> FloatArray:
        noise = self._rng.standard_normal(len(self._perturbation), np.float32)
        self._perturbation = np.float32(_MEMORY) * self._perturbation + self._fresh * noise
        return self._reference + self._perturbation
