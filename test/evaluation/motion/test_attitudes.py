"""Are attitudes told apart, and is the speaker answered; of made-up runs, and of the network that ships."""

from dataclasses import replace

import numpy as np
import pytest

from listener_head.coefficients import LAYOUTS
from listener_head.dyads.sets import synthesise_set
from listener_head.evaluation.dyads.generation import generate
from listener_head.evaluation.motion import responsiveness, separability, statistics
from listener_head.listener import load_listener

LAYOUT = LAYOUTS["arkit52"]
ATTITUDES = ("positive", "neutral", "negative")
SMILE = [LAYOUT.index("mouthSmileLeft"), LAYOUT.index("mouthSmileRight")]


def moving(make_run, drift, seed, count=1800):
    run = make_run(count)
    run.motion[:] += 0.05 * drift(seed, count, LAYOUT.size)
    return run


def test_the_same_motion_is_told_apart_by_chance_alone(make_run, drift):
    run = moving(make_run, drift, 0)
    found = separability(dict.fromkeys(ATTITUDES, run))
    assert found["windows"] == 30 and found["accuracy"] == found["chance"] == pytest.approx(1 / 3)
    assert found["sensitivity"]["positive, negative"]["smile"] == 0
    others = {name: moving(make_run, drift, seed) for seed, name in enumerate(ATTITUDES)}
    assert separability(others)["accuracy"] < 0.6


def test_a_smile_tells_an_attitude(make_run, drift):
    runs = {name: moving(make_run, drift, seed) for seed, name in enumerate(ATTITUDES)}
    runs["positive"].motion[:, SMILE] += 0.5
    found = separability(runs)
    assert found["confusion"]["positive"]["positive"] == 1
    deviation = np.mean(
        [runs[name].motion[:, SMILE].mean(axis=1).reshape(30, 60).mean(axis=1).std() for name in runs]
    )
    assert found["sensitivity"]["positive, neutral"]["smile"] == pytest.approx(0.5 / deviation, rel=0.3)
    assert abs(found["sensitivity"]["positive, neutral"]["brows_raised"]) < 1
    assert found["accuracy_of_movement"] < 0.6


def test_livelier_movement_tells_an_attitude_without_a_face(make_run, drift):
    runs = {name: moving(make_run, drift, seed) for seed, name in enumerate(ATTITUDES[:2])}
    runs["positive"].motion[:, :3] *= 4
    assert separability(runs)["accuracy_of_movement"] > 0.9


def test_one_attitude_or_a_few_seconds_tell_nothing(make_run, drift):
    short = moving(make_run, drift, 0, 200)
    for runs in ({"positive": short}, {"positive": short, "negative": short}, {}):
        found = separability(runs)
        assert found["accuracy"] is None and found["chance"] is None


def test_a_mirror_answers_and_a_dreamer_does_not(make_run, drift):
    run = moving(make_run, drift, 1)
    run.speaker[:] += 0.1 * drift(2, 1800, LAYOUT.size)
    run.audio[:] = drift(3, 1800, 45)
    mirror = replace(run, motion=np.roll(run.speaker, 9, axis=0))
    answer, dream = responsiveness(mirror)["granger"], responsiveness(run)["granger"]
    assert answer["percentile"] > 99 and answer["z"] > 10
    assert abs(dream["z"]) < 4
    assert responsiveness(replace(run, mode=np.ones(1800, np.uint8))) is None
    assert responsiveness(moving(make_run, drift, 1, 1700)) is None


def test_the_network_that_ships_moves_like_a_listener(make_run):
    """Nods when positive, shakes when negative, blinks as people do, and answers, all to one speaker."""
    dyad = next(iter(synthesise_set(1, 70, 900_100)))
    network, count = load_listener(), len(dyad.audio)
    runs = {
        attitude: make_run(
            count,
            motion=generate(network, dyad.audio, dyad.speaker, None, attitude),
            audio=dyad.audio,
            speaker=dyad.speaker,
            voice_activity=dyad.voice_activity,
        )
        for attitude in ATTITUDES
    }
    found = {attitude: statistics(run) for attitude, run in runs.items()}
    assert found["positive"]["nods_per_minute"].value > 8 > found["negative"]["nods_per_minute"].value
    assert found["negative"]["shakes_per_minute"].value > 4 > found["positive"]["shakes_per_minute"].value
    for each in found.values():
        assert each["blinks_per_minute"].within and each["blink_duration"].within
        assert each["head_speed_ratio"].value < 1  # it answers in pauses
        assert each["mirrored_smile"].value > 0
    assert separability(runs)["accuracy"] > 0.8
    assert all(responsiveness(run)["granger"]["percentile"] > 99 for run in runs.values())
