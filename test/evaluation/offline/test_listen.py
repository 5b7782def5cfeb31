"""A listener over a schedule: the same every time, and the same as the live run that wrote it down."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from listener_head.errors import UserError
from listener_head.evaluation.offline.data import Listened
from listener_head.evaluation.offline.listen import listen
from listener_head.evaluation.offline.schedule import Schedule, fixed_schedule, recorded_schedule
from listener_head.evaluation.tracks import StateTrack
from listener_head.listener import load_listener
from listener_head.listener.liveliness import Liveliness

from .conftest import LAYOUT

POSITIVE, NEUTRAL, NEGATIVE = range(3)
LISTENING, IDLE, HOLDING, DISABLED = range(4)


def hear_out(perceived, schedule: Schedule, **more) -> Listened:
    return listen(perceived, load_listener(), "network", schedule, liveliness=Liveliness(LAYOUT, 3), **more)


def states_of(listened: Listened, schedule: Schedule, frames: np.ndarray) -> StateTrack:
    """What the node listener would have published on `listener/state`."""
    count = len(listened.indices)
    nothing = np.zeros(count, np.float32)
    return StateTrack(
        received_ns=listened.stamp_ns + 1_000_000,
        stamp_ns=listened.stamp_ns,
        source_ns=listened.source_ns,
        attitude=schedule.attitude,
        mode=listened.mode,
        flags=listened.flags,
        frame=frames.astype(np.uint64),
        perception_ms=nothing,
        waiting_ms=nothing,
        audio_ms=nothing,
        step_ms=nothing,
        networks=(),
    )


def test_two_runs_give_the_same_numbers(speaker) -> None:
    perceived = speaker(3.0, 25.0)
    schedule = fixed_schedule(perceived, "positive")
    one, two = hear_out(perceived, schedule), hear_out(perceived, schedule)
    assert np.array_equal(one.motion, two.motion)
    assert one.seen.sum() > 80 and one.heard.all()
    assert np.isfinite(one.motion).all() and one.motion.std(axis=0).max() > 0.01


def test_what_a_live_run_wrote_down_is_enough_to_repeat_it(speaker) -> None:
    perceived = speaker(4.0, 25.0)
    steps = fixed_schedule(perceived, "neutral")
    count = len(steps.indices)
    attitude, mode, reset = steps.attitude.copy(), steps.mode.copy(), np.zeros(count, bool)
    attitude[50:] = POSITIVE
    mode[30:40], mode[60:70] = HOLDING, DISABLED
    reset[90] = True
    heard, source = steps.heard.copy(), steps.source_ns.copy()
    heard[20:24], source[75:88] = False, 0
    lived = replace(steps, attitude=attitude, mode=mode, reset=reset, heard=heard, source_ns=source)
    live = hear_out(perceived, lived)
    frames = np.concatenate([np.arange(90), np.arange(count - 90)])
    again = hear_out(perceived, recorded_schedule(states_of(live, lived, frames)))
    assert np.array_equal(again.motion, live.motion)
    assert again.mode[35] == HOLDING and again.mode[65] == DISABLED and not again.heard[21]


def test_a_recorder_that_came_late_still_tells_how_the_run_went(speaker) -> None:
    """Steps before anybody was there are made up for: breath and blinks have gone on in them."""
    perceived = speaker(2.0)
    steps = fixed_schedule(perceived, "neutral")
    early = np.arange(steps.indices[0] - 45, steps.indices[0])
    lived = Schedule(
        "fixed",
        np.concatenate([early, steps.indices]),
        np.concatenate([np.zeros(45, np.int64), steps.source_ns]),
        np.concatenate([np.zeros(45, bool), steps.heard]),
        np.full(45 + len(steps.indices), NEUTRAL, np.uint8),
        np.zeros(45 + len(steps.indices), np.uint8),
        np.zeros(45 + len(steps.indices), bool),
    )
    live = hear_out(perceived, lived)
    states = states_of(live, lived, np.arange(len(lived.indices)))
    names = ("received_ns", "stamp_ns", "source_ns", "attitude", "mode", "flags", "frame")
    late = replace(states, **{name: getattr(states, name)[20:] for name in names})
    again = hear_out(perceived, recorded_schedule(late))
    assert np.array_equal(again.indices, live.indices)
    assert np.array_equal(again.motion, live.motion)


def test_what_was_given_is_kept(speaker) -> None:
    perceived = speaker(2.0)
    steps = fixed_schedule(perceived, "neutral")
    heard = steps.heard.copy()
    heard[10] = False
    listened = hear_out(perceived, replace(steps, heard=heard))
    listener = load_listener()
    assert np.array_equal(listened.audio[10], listener.quiet_audio.astype(np.float32))
    assert np.array_equal(listened.audio[11], perceived.heard.values[11])
    row = int(np.searchsorted(perceived.speaker.stamp_ns, listened.source_ns[30]))
    assert np.array_equal(listened.speaker[30], perceived.speaker.motion[row])
    assert listened.attitude == "neutral" and listened.hash == listener.hash


def test_a_policy_of_another_kind_is_refused(speaker) -> None:
    perceived = speaker(1.0)
    other = replace(perceived, heard=replace(perceived.heard, layout="vico45"))
    with pytest.raises(UserError, match="needs arkit52 with paper45"):
        hear_out(other, fixed_schedule(other, "neutral"))


def test_a_picture_that_is_not_in_the_recording_is_named(speaker) -> None:
    perceived = speaker(1.0)
    schedule = fixed_schedule(perceived, "neutral")
    source = schedule.source_ns.copy()
    source[20] += 7
    with pytest.raises(UserError, match=f"stamped {source[20]} ns"):
        hear_out(perceived, replace(schedule, source_ns=source))
