"""The statistics say what was done, of any run, and nothing where there is nothing to say."""

import json
import warnings
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.coefficients import LAYOUTS
from listener_head.dyads.signals import frame_times
from listener_head.dyads.signals import nods as nodding
from listener_head.evaluation.motion import responsiveness, separability, statistics, windows
from listener_head.evaluation.motion.kinematics import head_speed, smoothness
from listener_head.evaluation.offline.data import Seen

LAYOUT = LAYOUTS["arkit52"]


def value(run, key):
    return statistics(run)[key].value


def shape(run, *names):
    return [LAYOUT.index(name) for name in names]


def test_the_keys_are_always_the_same_and_without_motion_there_is_no_value(make_run):
    empty = make_run(300, mode=np.full(300, 1, np.uint8))
    full, none = statistics(make_run(300)), statistics(empty)
    assert full.keys() == none.keys() and all(each.value is None for each in none.values())
    assert all(each.within is None for each in none.values())


def test_nods_are_counted_and_held_against_people(make_run):
    run, times = make_run(3600), frame_times(3600)
    for start in np.arange(1.0, 119, 5):  # 12 a minute
        run.motion[:, 0] += np.radians(5) * nodding(times, start, 1, 1.5)
    found = statistics(run)
    assert found["nods_per_minute"].value == pytest.approx(12, rel=0.1)
    assert found["nods_per_minute"].human is None and found["nods_per_minute"].within is None
    assert found["nod_frequency"].value == pytest.approx(1.5, rel=0.1) and found["nod_frequency"].within
    assert found["blinks_per_minute"].value == 0 and found["blinks_per_minute"].within is False
    assert all(each.source for each in found.values() if each.human)


def test_nods_after_speech_are_told_from_those_in_it(make_run):
    """The speaker speaks for 3 of every 5 s; the listener nods 0.4 s after, every fourth time in it."""
    run, times = make_run(3600), frame_times(3600)
    run.voice_activity[:] = times % 5 < 3
    for number, start in enumerate(np.arange(0.0, 119, 5)):
        begin = start + (1.0 if number % 4 == 0 else 3.4)
        run.motion[:, 0] += np.radians(5) * nodding(times, begin, 1, 2)
    assert value(run, "nods_in_speech") == pytest.approx(25, abs=3)
    assert value(run, "nods_after_speech") == pytest.approx(75, abs=3)
    assert value(run, "nod_delay") == pytest.approx(0.4, abs=0.1)


def test_range_and_speed_of_a_sway(make_run):
    run = make_run(3000)
    run.motion[:, 1] = np.radians(10) * np.sin(2 * np.pi * 0.1 * frame_times(3000))
    assert value(run, "yaw_range") == pytest.approx(20 * np.sin(np.pi / 2 * 0.9), rel=0.01)
    assert value(run, "pitch_range") == 0
    assert value(run, "head_speed") == pytest.approx(4 * 10 * 0.1, rel=0.01)


def test_head_speed_is_that_of_the_rotation_and_not_of_its_angles():
    """Looking straight down, a roll of the head is a turn about the vertical: angles add up."""
    motion = np.tile(LAYOUT.neutral(), (2, 1))
    motion[:, 1] = np.pi / 2
    motion[1, 0], motion[1, 2] = 0.1, 0.1  # at this yaw pitch and roll are about the same axis
    assert head_speed(motion, LAYOUT)[0] == pytest.approx(0, abs=1e-3)
    motion[1, 2] = -0.1
    assert head_speed(motion, LAYOUT)[0] == pytest.approx(30 * np.degrees(0.2), rel=1e-4)


def test_activity_in_speech_and_in_pauses(make_run):
    run, times = make_run(1800), frame_times(1800)
    speaking = times % 6 < 3
    run.voice_activity[:] = speaking
    run.motion[:, 0] = np.cumsum(np.where(speaking, 0.001, 0.002) * np.where(times % 1 < 0.5, 1, -1))
    run.motion[:, shape(run, "mouthSmileLeft")] = np.cumsum(speaking)[:, None] / 1000
    assert value(run, "head_speed_ratio") == pytest.approx(0.5, rel=0.02)
    assert value(run, "head_speed_in_pauses") == pytest.approx(np.degrees(0.002) * 30, rel=0.02)
    assert value(run, "expression_speed_in_pauses") == pytest.approx(0, abs=1e-9)
    assert statistics(run)["expression_speed_ratio"].value is None
    silent = replace(run, voice_activity=np.zeros(1800, np.float32))
    assert value(silent, "head_speed_in_speech") is None
    deaf = replace(run, heard=np.zeros(1800, bool))
    assert value(deaf, "head_speed_in_pauses") is None


def test_a_face_in_words(make_run):
    run = make_run(1000)
    run.motion[:250, shape(run, "mouthSmileLeft", "mouthSmileRight")] = 0.8
    run.motion[:, shape(run, "browDownLeft", "browDownRight")] = 0.3
    run.motion[:100, shape(run, "eyeBlinkLeft", "eyeBlinkRight")] = 1
    assert value(run, "smile") == pytest.approx(0.2) and value(run, "smiling") == pytest.approx(25)
    assert value(run, "brows_lowered") == pytest.approx(0.3) and value(run, "brows_raised") == 0
    assert value(run, "eyes_closed") == pytest.approx(10)


@pytest.mark.parametrize(("label", "column"), [("pitch", 0), ("roll", 2), ("smile", None)])
def test_a_mirror_is_found_with_its_lag(make_run, drift, label, column):
    run = make_run(1800)
    columns = shape(run, "mouthSmileLeft", "mouthSmileRight") if column is None else [column]
    run.speaker[:, columns] += 0.1 * drift(5, 1800, 1)
    run.motion[:, columns] = np.roll(run.speaker[:, columns], 24, axis=0) + 0.02 * drift(6, 1800, 1)
    assert value(run, f"mirrored_{label}") > 0.3
    assert value(run, f"mirrored_{label}_lag") == pytest.approx(24 / 30, abs=0.04)
    assert value(run, "mirrored_yaw") is None  # keeps still
    unseen = replace(run, seen=np.zeros(1800, bool))
    assert value(unseen, f"mirrored_{label}") is None


def test_who_moves_alone_does_not_mirror_beyond_chance(make_run, drift):
    beyond = []
    for seed in range(20):
        run = make_run(1800)
        run.speaker[:, :3] = 0.1 * drift(seed, 1800, 3)
        run.motion[:, :3] = 0.1 * drift(1000 + seed, 1800, 3)
        beyond += [value(run, f"mirrored_{name}") > 0 for name in ("pitch", "yaw", "roll")]
    assert np.mean(beyond) < 0.2


def smooth_step(times):
    """The movement from 0 to 10 in a second that has the least jerk."""
    way = np.clip(times, 0, 1)
    return 10 * way**3 * (10 - 15 * way + 6 * way**2)


def test_smoothness_falls_with_every_start_and_stop_and_with_jitter():
    times = frame_times(150)
    once = np.stack([smooth_step(times / 5), 0 * times, 0 * times], axis=1)
    often = np.stack([sum(smooth_step((times - i) / 0.8) for i in range(5)), 0 * times, 0 * times], axis=1)
    jitter = once + 0.2 * np.random.default_rng(0).standard_normal(once.shape)
    scores = [tuple(float(part[0]) for part in smoothness(angles)) for angles in (once, often, jitter)]
    # Of a movement of least jerk: SPARC about −1.4, LDLJ −ln(720 / 1.875²) (Balasubramanian et al. 2015).
    assert scores[0][0] == pytest.approx(-1.4, abs=0.1)
    assert scores[0][1] == pytest.approx(-np.log(720 / 1.875**2), abs=0.1)
    assert min(np.subtract(scores[0], scores[1])) > 1 and min(np.subtract(scores[0], scores[2])) > 1


def test_a_face_model_without_names_has_no_smile_and_no_blinks(make_run, drift):
    run = make_run(1200, face_model="bfm2009")
    run.motion[:] += 0.05 * drift(0, 1200, run.motion.shape[1])
    found = statistics(run)
    assert found.keys() == statistics(make_run(10)).keys()
    assert all(found[key].value is None for key in ("smile", "blinks_per_minute", "mirrored_smile"))
    assert found["head_speed"].value > 0 and found["expression_speed"].value > 0


def test_skipped_steps_do_not_change_what_is_found(make_run, drift):
    run, times = make_run(3600), frame_times(3600)
    run.motion[:, 1:3] += 0.02 * drift(0, 3600, 2, 3.0)
    for start in np.arange(1.0, 119, 5):
        run.motion[:, 0] += np.radians(5) * nodding(times, start, 1, 1.5)
    kept = np.sort(np.random.default_rng(1).choice(3600, 3300, replace=False))
    fields = ("indices", "motion", "speaker", "audio", "source_ns", "voice_activity", "heard", "seen", "mode")
    skipped = replace(run, **{name: getattr(run, name)[kept] for name in fields})
    before, after = statistics(run), statistics(skipped)
    for key in ("nods_per_minute", "nod_frequency", "pitch_range", "head_speed"):
        assert after[key].value == pytest.approx(before[key].value, rel=0.1)


@st.composite
def runs(draw):
    """What a recording may hold: gaps, jumps of the clock, nobody, silence, stillness, other modes."""
    return {
        "count": draw(st.sampled_from([1, 2, 3, 4, 29, 150, 151, 400, 1000, 1900])),
        "seed": draw(st.integers(0, 5)),
        "face_model": draw(st.sampled_from(["arkit52", "bfm2009"])),
        "step": draw(st.sampled_from(["whole", "gaps", "jump back", "long gap", "all gaps"])),
        "scale": draw(st.sampled_from([0.0, 1e-7, 0.1, 30.0])),
        "seen": draw(st.sampled_from([0.0, 0.5, 1.0])),
        "voice": draw(st.sampled_from([0.0, 0.5, 1.0])),
        "mode": draw(st.sampled_from([0, 1, None])),
    }


@settings(deadline=None, max_examples=40)
@given(kind=runs())
def test_any_run_is_told_without_nan_and_warning(make_run, drift, kind):
    count, rng = kind["count"], np.random.default_rng(kind["seed"])
    ahead = np.ones(count, np.int64)
    if kind["step"] == "gaps":
        ahead[rng.random(count) < 0.05] = 4
    elif kind["step"] == "all gaps":
        ahead[:] = 20
    elif kind["step"] != "whole":
        ahead[count // 2] = -500 if kind["step"] == "jump back" else 100_000
    mode = np.full(count, kind["mode"], np.uint8) if kind["mode"] is not None else rng.integers(0, 4, count)
    run = make_run(
        count,
        kind["face_model"],
        indices=54_000 + np.cumsum(ahead),
        mode=mode.astype(np.uint8),
        heard=rng.random(count) < 0.9,
        seen=rng.random(count) < kind["seen"],
        voice_activity=(rng.random(count) < kind["voice"]).astype(np.float32),
    )
    run.motion[:] += kind["scale"] * drift(kind["seed"], count, run.motion.shape[1])
    run.speaker[:] += 0.1 * drift(kind["seed"] + 9, count, run.motion.shape[1])
    stamps = np.sort(run.stamp_ns)
    truth = Seen(run.layout, stamps, run.speaker, run.seen)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = statistics(run)
        told = [
            {key: asdict(each) for key, each in found.items()},
            windows(run, truth),
            separability({"positive": run, "negative": replace(run, motion=run.speaker)}),
            responsiveness(run),
        ]
    json.dumps(told, allow_nan=False)
    assert found.keys() == statistics(make_run(1)).keys()


def test_half_an_hour_is_told_in_seconds_and_little_memory(make_run, drift):
    import time
    import tracemalloc

    count = 54_000
    run = make_run(count)
    run.motion[:] += 0.05 * drift(1, count, run.motion.shape[1])
    run.audio[:] = drift(2, count, 45)
    run.speaker[:] += 0.05 * drift(3, count, run.motion.shape[1])
    run.voice_activity[:] = drift(4, count, 1)[:, 0] > 0
    began = time.perf_counter()
    statistics(run), windows(run)
    assert time.perf_counter() - began < 5
    began = time.perf_counter()
    tracemalloc.start()
    found = responsiveness(run)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found["clips"] > 1 and peak < 200e6 and time.perf_counter() - began < 20
