"""Whether a head does what it is told: commanded positions against measured ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from listener_head.robot.description import Robot

FloatArray = NDArray[np.float64]

# Farther from its command than this [rad] for longer than this [s], a joint does not follow.
FAR = 0.15
FAR_TIME = 1.0
# Nor does one that was told to move by this much [rad] within this time [s] and has moved by less than this
# share of it when it had some time more [s]: small nods keep a dead joint near its command.
ASKED = 0.05
ASKED_TIME = 2.0
LATE = 0.5
MOVED_SHARE = 0.1


class FollowWatch:
    """Watches the joints of one robot; `step` says which one does not follow."""

    def __init__(self, robot: Robot):
        self._names = robot.joint_names
        self.start(0.0)

    def start(self, t: float) -> None:
        """Watch anew from time t [s]."""
        self._near_at = np.full(len(self._names), t)
        self._begin_stretch(t)

    def step(self, commanded: FloatArray, measured: FloatArray, t: float) -> str:
        """One line about a joint that does not follow, or empty; positions [J] in rad at time t [s]."""
        near = np.abs(commanded - measured) <= FAR
        # The minimum is for a clock that goes back.
        self._near_at = np.where(near, t, np.minimum(self._near_at, t))
        lost = t - self._near_at > FAR_TIME
        age = t - self._began
        if 0.0 <= age <= ASKED_TIME:
            self._asked.take(commanded)
        if 0.0 <= age <= ASKED_TIME + LATE:
            self._moved.take(measured)
        else:
            asked = self._asked.size
            lost |= (asked > ASKED) & (self._moved.size < MOVED_SHARE * asked)
            self._begin_stretch(t)
        if not lost.any():
            return ""
        i = int(lost.argmax())
        return (
            f"joint '{self._names[i]}' does not follow: commanded {commanded[i]:.3f} rad, measured "
            f"{measured[i]:.3f} rad; check that its controller runs, then take the head"
        )

    def _begin_stretch(self, t: float) -> None:
        self._began = t
        self._asked, self._moved = _Range(len(self._names)), _Range(len(self._names))


class _Range:
    """Range of positions [J] that were taken."""

    def __init__(self, joints: int):
        self._lowest, self._highest = np.full(joints, np.inf), np.full(joints, -np.inf)

    def take(self, positions: FloatArray) -> None:
        np.minimum(self._lowest, positions, out=self._lowest)
        np.maximum(self._highest, positions, out=self._highest)

    @property
    def size(self) -> FloatArray:
        """Widths [J]; below zero when nothing was taken."""
        return self._highest - self._lowest
