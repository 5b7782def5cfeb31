"""Listeners that answer are told from those that do not, and those that do not look like chance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.coefficients import LAYOUTS
from listener_head.evaluation.dyads.generation import respond
from listener_head.evaluation.dyads.responsiveness import Controls, long_enough
from listener_head.policies import BASELINES
from listener_head.policies.build import build_policy_data

LAYOUT = LAYOUTS["arkit52"]
FRAMES = 1800


@pytest.fixture(scope="module")
def clips(make_clips):
    return make_clips({"test": 3}, FRAMES).clips


@pytest.fixture(scope="module")
def controls(clips):
    return Controls(clips, LAYOUT)


@pytest.fixture(scope="module")
def policies(make_clips):
    data = build_policy_data(make_clips({"train": 6}, 300, seed=1))
    return {name: policy(data, 5) for name, policy in BASELINES.items()}


@pytest.fixture(scope="module")
def answers(clips):
    """A linear answer to the sound heard in the last half second, in noise of its own."""
    rng = np.random.default_rng(2)
    weights = rng.standard_normal((45, LAYOUT.size)) / 45
    heard = [np.stack([clip.audio[:-1] @ weights]).squeeze() for clip in clips]
    kernel = np.hanning(15)[:, None] / 7
    slow = [np.apply_along_axis(np.convolve, 0, track, kernel[:, 0])[: FRAMES - 1] for track in heard]
    return [track.astype(np.float32) + 0.02 * rng.standard_normal(track.shape) for track in slow]


def ignorant(drift, seed, memory=0.95):
    rng = np.random.default_rng(seed)
    return [0.1 * drift(rng, FRAMES - 1, LAYOUT.size, memory) for _ in range(3)]


def test_a_linear_answer_is_above_all_controls(controls, answers):
    gain = controls.granger(answers)
    assert gain.percentile > 99 and gain.z > 10 and gain.gain > 0.1


def test_mirror_is_above_all_controls(controls, clips, policies):
    gain = controls.granger([respond(policies["mirror"], clip) for clip in clips])
    assert gain.percentile > 99 and gain.z > 10 and gain.gain > 0.1


def test_the_true_listener_answers_and_is_in_time(controls, clips):
    truth = [clip.listener[1:] for clip in clips]
    assert controls.granger(truth).percentile > 99
    gain = controls.responsiveness(truth)
    assert gain.percentile > 99 and gain.gain == pytest.approx(1)
    assert 0 < gain.controls_99 < 0.1


def test_a_listener_that_ignores_its_speaker_is_like_its_controls(controls, drift):
    for score in (controls.granger, controls.responsiveness):
        gains = [score(ignorant(drift, seed)) for seed in range(100, 108)]
        percentiles = [gain.percentile for gain in gains]
        assert min(percentiles) >= 0.5 and max(percentiles) <= 99
        assert 20 < np.mean(percentiles) < 80
        assert max(abs(gain.z) for gain in gains) < 3


@pytest.mark.parametrize("name", ["random", "simulation", "simulation_attitude", "mean"])
def test_the_baselines_that_ignore_their_speaker_are_inside(controls, clips, policies, name):
    motions = [respond(policies[name], clip) for clip in clips]
    for gain in (controls.granger(motions), controls.responsiveness(motions)):
        assert 0.5 <= gain.percentile <= 99
    if name == "mean":
        assert controls.granger(motions).gain == 0 and controls.responsiveness(motions).percentile == 50


def test_units_and_resting_place_of_a_listener_do_not_count(controls, answers):
    plain = controls.granger(answers)
    moved = controls.granger([(10 * motion + 3).astype(np.float32) for motion in answers])
    assert moved.gain == pytest.approx(plain.gain, abs=2e-3)
    assert moved.percentile == plain.percentile


def test_an_answer_to_somebody_else_is_none(controls, answers):
    late = [np.roll(motion, FRAMES // 2, axis=0) for motion in answers]
    assert controls.granger(late).gain < 0.02


def test_the_right_answer_too_late_is_less_responsive(controls, clips):
    gains = []
    for frames in (0, 6, 300):
        motions = [np.roll(clip.listener[1:], frames, axis=0) for clip in clips]
        gains.append(controls.responsiveness(motions).gain)
    assert gains[0] > gains[1] > 0.05 > abs(gains[2])


def test_a_copy_tells_most_and_a_right_answer_is_more_responsive(controls, clips, policies):
    """Half of what these listeners do is their speaker's motion 0.3 s later: a copy is half right at best."""
    rng = np.random.default_rng(4)
    answers = [motion + 0.02 * rng.standard_normal(motion.shape) for motion in truth_of(clips)]
    copies = [np.roll(clip.speaker, 9, axis=0)[:-1] for clip in clips]
    assert controls.granger(copies).gain > controls.granger(answers).gain > 0.05
    right, copied = controls.responsiveness(answers), controls.responsiveness(copies)
    assert right.gain > copied.gain + 0.2 and right.gain > right.controls_99


@pytest.mark.parametrize("size", [0.01, 0.1, 3.0, 100.0])
def test_neither_little_nor_much_motion_gains(controls, clips, drift, size):
    whole = controls.responsiveness(truth_of(clips)).gain
    assert 0 < controls.responsiveness([size * motion for motion in truth_of(clips)]).gain < whole
    gain = controls.responsiveness([size * motion for motion in ignorant(drift, 3)])
    assert 0.5 <= gain.percentile <= 99


def test_what_answers_another_speaker_is_no_answer(controls, clips):
    others = [*truth_of(clips)[1:], truth_of(clips)[0]]
    gain = controls.responsiveness(others)
    assert abs(gain.gain) < 0.02 and 0.5 <= gain.percentile <= 99


def truth_of(clips):
    return [clip.listener[1:] for clip in clips]


def test_the_same_seed_has_the_same_controls(controls, clips, answers):
    assert Controls(clips, LAYOUT).granger(answers) == controls.granger(answers)
    assert Controls(clips, LAYOUT, seed=1).granger(answers) != controls.granger(answers)


def test_clips_under_a_minute_are_left_out(make_clips):
    short, long = make_clips({"test": 2}, 900), make_clips({"test": 3}, FRAMES)
    assert long_enough((*short.clips, *long.clips)) == list(long.clips)


@settings(deadline=None, max_examples=6)
@given(scale=st.sampled_from([0.0, 1e-7, 1e-3, 1e4]), spike=st.floats(-1e4, 1e4), seed=st.integers(0, 9))
def test_the_gain_of_any_motion_is_finite(controls, drift, scale, spike, seed):
    motions = [np.float32(scale) * motion for motion in ignorant(drift, seed)]
    motions[0][700] = spike
    motions[1][:, LAYOUT.expression] = 0.5
    for gain in (controls.granger(motions), controls.responsiveness(motions)):
        assert np.isfinite([gain.score, gain.gain, gain.controls_std, gain.z]).all()
        assert 0 <= gain.percentile <= 100
