"""The policies Simulation and Simulation* of the paper's Table 2."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from listener_head.policies.baseline import Baseline, eased
from listener_head.policies.data import PATTERN_FRAMES

FloatArray = NDArray[np.float32]

# A pattern begins while the last one ends, over so many frames.
_JOIN_FRAMES = 15


class Simulation(Baseline):
    """Repeats "the high-frequency motion patterns sampled from D_train", whatever the attitude.

    Which pattern comes next is drawn by how frequent they are. Pose is added to the reference's.
    """

    name = "simulation"

    def _begin(self) -> None:
        # Where it is now fades into a first pattern, which begins at once.
        self._now = np.broadcast_to(self._motion, (PATTERN_FRAMES, len(self._motion)))
        self._next = self._drawn()
        self._frame = PATTERN_FRAMES - _JOIN_FRAMES

    def _wanted(self, speaker: FloatArray) -> FloatArray:
        joining = self._frame - (PATTERN_FRAMES - _JOIN_FRAMES)
        motion = self._now[self._frame].copy()
        if joining >= 0:
            motion += eased((joining + 1) / (_JOIN_FRAMES + 1)) * (self._next[joining] - motion)
        self._frame += 1
        if self._frame == PATTERN_FRAMES:
            self._now, self._next, self._frame = self._next, self._drawn(), _JOIN_FRAMES
        return motion

    def _group(self) -> str:
        """Name of the training listeners whose patterns are played."""
        return ""

    def _drawn(self) -> FloatArray:
        patterns = self._data.patterns[self._group()]
        share = patterns.share.astype(np.float64)
        motion = patterns.motion[self._rng.choice(len(share), p=share / share.sum())].copy()
        for pose in self._poses:
            motion[:, pose] += self._reference[pose]
        return motion


class SimulationOfAttitude(Simulation):
    """Simulation*: Simulation with the patterns of the given attitude."""

    name = "simulation_attitude"

    def set_attitude(self, attitude: str) -> None:
        """Change the attitude and begin one of its patterns."""
        before = self._attitude
        super().set_attitude(attitude)
        if attitude != before:
            self._begin()

    def _group(self) -> str:
        return self._attitude or ""
