"""Is somebody speaking? The level above the noise floor, held over short pauses.

An estimate from energy alone: it tells speech from steady noise, not speech from music or a slammed door.
"""

from __future__ import annotations

import numpy as np

# The noise floor is the lowest level of this time [s]: longer than a phrase between two breaths.
_FLOOR_TIME = 3.0
# Levels [dB] between which the floor is believed; until the first seconds are heard it is the upper one.
_QUIETEST_FLOOR_DB = -65.0
_INITIAL_FLOOR_DB = -50.0
# Level above the floor [dB] at which activity begins, and at which it is certain. Levels of steady noise
# scatter by some 3 dB to 8 dB above their lowest.
_ONSET_DB = 10.0
_CERTAIN_DB = 20.0
# Time in which activity fades from one to zero after the sound has stopped [s].
_HANGOVER_TIME = 0.3


class VoiceActivity:
    """Activity of one stream of levels at ``fps`` frames a second."""

    def __init__(self, fps: int) -> None:
        self._levels_db = np.full(max(1, round(_FLOOR_TIME * fps)), _INITIAL_FLOOR_DB)
        self._next = 0
        self._fade = 1.0 / (_HANGOVER_TIME * fps)
        self._activity = 0.0

    def step(self, level_db: float) -> float:
        """Activity 0 to 1 of the frame with this level [dB, full scale 0]."""
        self._levels_db[self._next] = max(level_db, _QUIETEST_FLOOR_DB)
        self._next = (self._next + 1) % len(self._levels_db)
        excess = level_db - float(self._levels_db.min())
        instant = (excess - _ONSET_DB) / (_CERTAIN_DB - _ONSET_DB)
        self._activity = min(1.0, max(0.0, instant, self._activity - self._fade))
        return self._activity
