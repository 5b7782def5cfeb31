"""A listener's run cut where time or listening breaks, so that what moves can be measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import Layout
from listener_head.evaluation.offline.data import BoolArray, FloatArray, Listened
from listener_head.evaluation.series import EXPRESSIONS, SPEECH_PAUSE_S, SPEECH_THRESHOLD
from listener_head.timing import RATE_HZ

Indices = NDArray[np.int64]
Curve = NDArray[np.float64]

# As in ListenerState.msg.
LISTENING = 0
# So many skipped steps are bridged by straight lines; time that jumps back counts as a gap of a second.
_BRIDGED_STEPS = 6
_JUMP_STEPS = RATE_HZ


@dataclass(frozen=True)
class Piece:
    """Steps of the grid without a gap [N] in which the listener listened.

    ``first`` is the place of the first one on the time line of `positions`. ``motion`` and ``speaker`` are
    [N, M], ``audio`` [N, A]. ``speaking`` [N]: the speaker speaks, short silences included; ``pausing`` [N]:
    the speaker is heard and does not speak. ``seen`` [N]: is seen.
    """

    first: int
    motion: FloatArray
    speaker: FloatArray
    audio: FloatArray
    speaking: BoolArray
    pausing: BoolArray
    seen: BoolArray

    def __len__(self) -> int:
        return len(self.motion)


def positions(indices: Indices) -> Indices:
    """Places [T] of steps on a time line that only goes forward, in steps since the first."""
    ahead = np.diff(indices)
    ahead[ahead <= 0] = _JUMP_STEPS
    return np.concatenate([np.zeros(min(1, len(indices)), np.int64), np.cumsum(ahead)])


def pieces(listened: Listened) -> list[Piece]:
    """The run in pieces; what it did while it idled, held still or was disabled is left out."""
    rows = np.flatnonzero(listened.mode == LISTENING)
    places = positions(listened.indices)[rows]
    breaks = np.flatnonzero(np.diff(places) > _BRIDGED_STEPS + 1) + 1
    parts = zip(np.split(rows, breaks), np.split(places, breaks), strict=True)
    return [_piece(listened, part, where) for part, where in parts if len(part)]


def _piece(listened: Listened, rows: Indices, places: Indices) -> Piece:
    grid = np.arange(places[0], places[-1] + 1)
    newest = np.searchsorted(places, grid, side="right") - 1
    held = rows[newest]
    motion = listened.motion[held]
    missing = np.flatnonzero(places[newest] != grid)
    if len(missing):
        before, after = newest[missing], newest[missing] + 1
        way = (grid[missing] - places[before]) / (places[after] - places[before])
        motion[missing] += (way[:, None] * (listened.motion[rows[after]] - motion[missing])).astype(
            np.float32
        )
    heard = listened.heard[held]
    speaking = _without_short_pauses(heard & (listened.voice_activity[held] > SPEECH_THRESHOLD))
    return Piece(
        first=int(places[0]),
        motion=motion,
        speaker=listened.speaker[held],
        audio=listened.audio[held],
        speaking=speaking,
        pausing=heard & ~speaking,
        seen=listened.seen[held],
    )


def _without_short_pauses(speech: BoolArray) -> BoolArray:
    steps = np.flatnonzero(speech)
    joined = speech.copy()
    apart = np.diff(steps)
    for number in np.flatnonzero((apart > 1) & (apart <= SPEECH_PAUSE_S * RATE_HZ)):
        joined[steps[number] : steps[number + 1]] = True
    return joined


def is_named(layout: Layout) -> bool:
    """Whether the face model's shapes have the names that EXPRESSIONS are made of."""
    return set(EXPRESSIONS["smile"]) <= set(layout.expression_names)


def named_curve(motion: FloatArray, layout: Layout, label: str) -> Curve:
    """One of EXPRESSIONS [N], the mean of its shapes; UserError where these have no names."""
    return motion[:, [layout.index(shape) for shape in EXPRESSIONS[label]]].mean(axis=1, dtype=np.float64)
