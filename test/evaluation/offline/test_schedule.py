"""Which picture each step takes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.errors import UserError
from listener_head.evaluation.offline.data import Perceived
from listener_head.evaluation.offline.schedule import fixed_schedule, recorded_schedule
from listener_head.evaluation.tracks import state_track
from listener_head.timing import HOLD_NS, index_at_or_after, index_at_or_before

from .conftest import START_NS, _speaker

MS = 1_000_000


def naive_source(perceived: Perceived, time_ns: int, delay_ns: int, step_delay_ns: int) -> int:
    """The rule of docs/ros.md, picture by picture."""
    source = 0
    for stamp, valid in zip(perceived.speaker.stamp_ns, perceived.speaker.valid, strict=True):
        if valid and stamp <= time_ns and stamp + delay_ns <= time_ns + step_delay_ns:
            source = int(stamp)
    return source if time_ns - source <= HOLD_NS else 0


@given(
    fps=st.sampled_from([5.0, 15.0, 25.0, 29.97, 30.0, 60.0]),
    phase_ms=st.integers(0, 100),
    delay_ms=st.integers(0, 400),
    step_delay_ms=st.integers(0, 33),
    lost=st.sets(st.integers(0, 60)),
)
@settings(deadline=None, max_examples=60)
def test_a_step_takes_the_newest_picture_that_has_been_perceived(
    fps: float, phase_ms: int, delay_ms: int, step_delay_ms: int, lost: set[int]
) -> None:
    perceived = _speaker(1.5, fps, phase_ms * MS)
    valid = ~np.isin(np.arange(len(perceived.speaker.valid)), list(lost))
    perceived = replace(perceived, speaker=replace(perceived.speaker, valid=valid))
    schedule = fixed_schedule(perceived, "neutral", delay_ms * MS, step_delay_ms * MS)
    wanted = [
        naive_source(perceived, int(time), delay_ms * MS, step_delay_ms * MS) for time in schedule.time_ns
    ]
    assert schedule.source_ns.tolist() == wanted


def test_the_steps_reach_from_the_first_picture_or_sound_to_the_last(speaker) -> None:
    perceived = speaker(2.0, phase_ns=500 * MS)
    schedule = fixed_schedule(perceived, "neutral")
    assert schedule.indices[0] == index_at_or_after(START_NS)
    assert schedule.indices[-1] == index_at_or_before(int(perceived.speaker.stamp_ns[-1]))
    assert (np.diff(schedule.indices) == 1).all()
    assert schedule.heard.sum() == len(perceived.heard.indices)


def test_without_picture_and_sound_there_are_no_steps(speaker) -> None:
    perceived = speaker(1.0)
    none = np.zeros(0, np.int64)
    nothing = replace(
        perceived,
        speaker=replace(perceived.speaker, stamp_ns=none, valid=none.astype(bool)),
        heard=replace(perceived.heard, indices=none),
    )
    with pytest.raises(UserError, match="neither a picture nor sound"):
        fixed_schedule(nothing, "neutral")
    with pytest.raises(UserError, match="attitude 'bored' is unknown"):
        fixed_schedule(perceived, "bored")


def test_a_run_without_states_has_no_schedule() -> None:
    with pytest.raises(UserError, match="no listener/state"):
        recorded_schedule(state_track([]))
