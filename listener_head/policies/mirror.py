"""The policy Mirror."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from listener_head.policies.baseline import Baseline, eased
from listener_head.timing import RATE_HZ

FloatArray = NDArray[np.float32]

# The speaker is copied so many frames later: about the time in which a person could react.
DELAY_FRAMES = 12
# It passes from the reference to the copy in so many frames.
_EASE_FRAMES = RATE_HZ // 2
# Where the speaker's head usually is follows its pose with this time constant [frames].
_PLACE_FRAMES = 10 * RATE_HZ


class Mirror(Baseline):
    """Shows the speaker's motion 0.4 s later: expression as it is, pose about the listener's reference.

    Not in the paper; it looks responsive, and every measure of responsiveness must be read beside it.
    """

    name = "mirror"

    def _begin(self) -> None:
        self._seen: deque[FloatArray] = deque(maxlen=DELAY_FRAMES)
        self._frame = -DELAY_FRAMES

    def _wanted(self, speaker: FloatArray) -> FloatArray:
        if not self._seen:
            self._place = speaker.copy()
        self._seen.append(speaker.copy())
        copied = self._seen[0].copy()
        for pose in self._poses:
            self._place[pose] += (copied[pose] - self._place[pose]) / _PLACE_FRAMES
            copied[pose] += self._reference[pose] - self._place[pose]
        self._frame += 1
        return self._reference + eased(self._frame / _EASE_FRAMES) * (copied - self._reference)
