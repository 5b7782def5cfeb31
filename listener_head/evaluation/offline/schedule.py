"""Which picture and which sound each step of the listener takes.

Live, that is what has arrived when the step runs. Offline it is told by the stamps and one number, how long
perception takes; or, of a run that was recorded, by what its listener wrote down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from listener_head.errors import UserError
from listener_head.evaluation.latency import FLAGS
from listener_head.evaluation.offline.data import BoolArray, Nanoseconds, Perceived
from listener_head.evaluation.series import ATTITUDE_NAMES
from listener_head.timing import (
    HOLD_NS,
    grid_times_ns,
    index_at_or_after,
    index_at_or_before,
    indices_at_or_before,
)

if TYPE_CHECKING:
    from listener_head.evaluation.tracks import StateTrack

# From a picture's stamp to its coefficients in the listener: the median of live runs (docs/evaluation.md).
PERCEPTION_DELAY_NS = 10_000_000
# The default of the listener's parameter step_delay.
STEP_DELAY_NS = 12_000_000

FIXED, RECORDED = SCHEDULES = "fixed", "recorded"
LISTENING = 0  # as in ListenerState.msg


@dataclass(frozen=True)
class Schedule:
    """The steps ``indices`` [T] in the order in which they ran.

    ``source_ns`` [T] is the stamp of the newest picture whose coefficients had arrived, 0 for none; ``heard``
    [T]: whether its audio features had. ``attitude`` [T] is an index of ATTITUDE_NAMES, ``mode`` [T] as in
    ListenerState.msg; before a step with ``reset`` [T] the listener was told to begin anew.
    """

    rule: str
    indices: NDArray[np.int64]
    source_ns: Nanoseconds
    heard: BoolArray
    attitude: NDArray[np.uint8]
    mode: NDArray[np.uint8]
    reset: BoolArray
    perception_delay_ns: int = 0
    step_delay_ns: int = STEP_DELAY_NS

    @property
    def time_ns(self) -> Nanoseconds:
        """The instants t_k [T] of the steps."""
        return grid_times_ns(self.indices)


def fixed_schedule(
    perceived: Perceived,
    attitude: str,
    perception_delay_ns: int = PERCEPTION_DELAY_NS,
    step_delay_ns: int = STEP_DELAY_NS,
) -> Schedule:
    """Every step from the first picture or sound to the last, each ``step_delay_ns`` after its instant.

    The coefficients of a picture are there ``perception_delay_ns`` after its stamp, and are held for
    ``HOLD_NS``. UserError when there is neither picture nor sound, or for an unknown attitude.
    """
    if attitude not in ATTITUDE_NAMES:
        raise UserError(f"attitude '{attitude}' is unknown; choose one of {', '.join(ATTITUDE_NAMES)}")
    indices = _steps_of(perceived)
    times = grid_times_ns(indices)
    stamps = perceived.speaker.stamp_ns[perceived.speaker.valid]
    arrived = times + min(0, step_delay_ns - perception_delay_ns)
    newest = np.searchsorted(stamps, arrived, side="right") - 1
    source = np.where(newest >= 0, stamps[np.maximum(newest, 0)], 0) if len(stamps) else np.zeros_like(times)
    source[times - source > HOLD_NS] = 0
    count = len(indices)
    return Schedule(
        FIXED,
        indices,
        source,
        np.isin(indices, perceived.heard.indices),
        np.full(count, ATTITUDE_NAMES.index(attitude), np.uint8),
        np.full(count, LISTENING, np.uint8),
        np.zeros(count, bool),
        perception_delay_ns,
        step_delay_ns,
    )


def _steps_of(perceived: Perceived) -> NDArray[np.int64]:
    """All steps while there is a picture or sound, or the last picture is held."""
    stamps, heard = perceived.speaker.stamp_ns, perceived.heard.indices
    firsts, lasts = [], []
    if len(stamps):
        firsts.append(index_at_or_after(int(stamps[0])))
        lasts.append(index_at_or_before(int(stamps[-1])))
    if len(heard):
        firsts.append(int(heard[0]))
        lasts.append(int(heard[-1]))
    if not firsts:
        raise UserError("there is neither a picture nor sound to listen to; choose another recording")
    return np.arange(min(firsts), max(lasts) + 1, dtype=np.int64)


def recorded_schedule(states: StateTrack) -> Schedule:
    """The steps of a live run, as its `listener/state` tells of them, in the order in which they ran.

    UserError when the run recorded no state.
    """
    if not len(states.stamp_ns):
        raise UserError("the recording has no listener/state; record a run of the listener with it")
    order = np.argsort(states.received_ns, kind="stable")
    frame = states.frame[order].astype(np.int64)
    # The stamp is that of the instant after the step's.
    indices = indices_at_or_before(states.stamp_ns[order]) - 1
    flags = states.flags[order]
    # A jump of the clock resets the listener by itself, and so does nothing before the first step.
    reset = (frame == 0) & (flags & FLAGS["clock_jumped"] == 0)
    reset[0] = False
    schedule = Schedule(
        RECORDED,
        indices,
        states.source_ns[order],
        flags & FLAGS["audio_missing"] == 0,
        states.attitude[order],
        states.mode[order],
        reset,
    )
    return _from_the_beginning(schedule, int(frame[0]))


def _from_the_beginning(schedule: Schedule, unrecorded: int) -> Schedule:
    """The schedule with the steps that ran before the recorder listened: nobody was there yet."""
    first = int(schedule.indices[0])
    before = np.arange(first - unrecorded, first, dtype=np.int64)
    nothing = np.zeros(unrecorded, np.int64)
    return Schedule(
        schedule.rule,
        np.concatenate([before, schedule.indices]),
        np.concatenate([nothing, schedule.source_ns]),
        np.concatenate([nothing.astype(bool), schedule.heard]),
        np.concatenate([np.full(unrecorded, schedule.attitude[0], np.uint8), schedule.attitude]),
        np.concatenate([np.full(unrecorded, schedule.mode[0], np.uint8), schedule.mode]),
        np.concatenate([nothing.astype(bool), schedule.reset]),
    )
