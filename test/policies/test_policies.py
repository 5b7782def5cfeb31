"""What the session, the node and the evaluation rely on, for every policy; and what each baseline does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from listener_head.coefficients import LAYOUTS
from listener_head.errors import UserError
from listener_head.listener import ListenerSession
from listener_head.policies import BASELINES, POLICY_NAMES, load_policy
from listener_head.policies.build import build_policy_data
from listener_head.policies.mirror import DELAY_FRAMES
from listener_head.timing import RATE_HZ

LAYOUT = LAYOUTS["arkit52"]


def signals(policy, count, seed=0):
    """Sound and a speaker near what the policy takes for silence and nobody."""
    rng = np.random.default_rng(seed)
    audio = policy.quiet_audio + 0.1 * rng.standard_normal((count, len(policy.quiet_audio)))
    speaker = policy.absent_speaker + 0.02 * rng.standard_normal((count, policy.layout.size))
    return audio.astype(np.float32), speaker.astype(np.float32)


def run(policy, audio, speaker):
    return np.stack([policy.step(*frame) for frame in zip(audio, speaker, strict=True)])


def test_motion_is_finite_bounded_and_smooth_through_a_change_of_attitude(policy):
    reference = LAYOUT.neutral()
    reference[LAYOUT.rotation] = (0.3, -0.2, 0.1)
    policy.reset(reference, "negative")
    audio, speaker = signals(policy, 300)
    before = run(policy, audio[:150], speaker[:150])
    policy.set_attitude("positive")
    assert policy.attitude == "positive"
    motion = np.vstack([reference[None], before, run(policy, audio[150:], speaker[150:])])
    assert motion.dtype == np.float32 and motion.shape == (301, LAYOUT.size)
    assert np.isfinite(motion).all()
    expression = motion[:, LAYOUT.expression]
    assert expression.min() >= 0 and expression.max() <= 1
    steps = np.linalg.norm(np.diff(motion[1:, LAYOUT.rotation], axis=0), axis=1)
    assert np.degrees(steps.max()) < 3


def test_it_says_what_it_is_and_what_it_takes(policy):
    assert policy.layout == LAYOUT and policy.face_model == "arkit52" and policy.audio_layout == "paper45"
    assert set(policy.attitudes) == {"positive", "neutral", "negative"}
    policy.reset()
    assert policy.attitude == "neutral"
    np.testing.assert_array_equal(policy.reference, LAYOUT.neutral())
    policy.reference[:] = 7
    np.testing.assert_array_equal(policy.reference, LAYOUT.neutral())
    assert policy.quiet_audio.shape == (45,) and policy.absent_speaker.shape == (LAYOUT.size,)


@pytest.mark.parametrize(
    "change",
    [
        lambda p, a, s: p.step(a[:-1], s),
        lambda p, a, s: p.step(a, s[:-1]),
        lambda p, a, s: p.step(a * np.nan, s),
        lambda p, a, s: p.step(a, s + np.inf),
        lambda p, a, s: p.set_attitude("bored"),
    ],
)
def test_bad_input_is_refused_and_changes_nothing(policy, change):
    audio, speaker = signals(policy, 20)
    policy.reset(None, "positive")
    run(policy, audio[:10], speaker[:10])
    attitude = policy.attitude
    with pytest.raises(UserError):
        change(policy, audio[0], speaker[0])
    assert policy.attitude == attitude
    assert np.isfinite(run(policy, audio[10:], speaker[10:])).all()


@pytest.mark.parametrize("reference", [np.zeros(3), np.full(LAYOUT.size, np.nan)])
def test_a_bad_reference_is_refused(policy, reference):
    with pytest.raises(UserError, match="reference motion"):
        policy.reset(reference)
    with pytest.raises(UserError, match="bored"):
        policy.reset(None, "bored")


def test_the_session_runs_it(policy):
    session = ListenerSession(policy, attitude="positive")
    audio, speaker = signals(policy, 90)
    for index in range(90):
        if index < 45:
            session.observe(index * 33_333_333, speaker[index])
        frame = session.step(index, audio[index])
        assert np.isfinite(frame.motion).all()
    session.set_attitude("negative")
    session.reset()
    assert policy.attitude == "negative"


def test_what_is_returned_and_given_stays_the_callers(make_policy):
    policy, twin = make_policy(), make_policy()
    audio, speaker = signals(policy, 40)
    expected = run(twin, audio, speaker)
    heard, seen = audio[0].copy(), speaker[0].copy()
    for frame in range(40):
        heard[:], seen[:] = audio[frame], speaker[frame]
        motion = policy.step(heard, seen)
        np.testing.assert_array_equal(motion, expected[frame])
        motion[:] = 5


def test_the_same_seed_gives_the_same_motion(baseline, policy_data):
    one, same, other = baseline(policy_data, 1), baseline(policy_data, 1), baseline(policy_data, 2)
    audio, speaker = signals(one, 200)
    first = run(one, audio, speaker)
    np.testing.assert_array_equal(first, run(same, audio, speaker))
    draws = one.name in ("random", "simulation", "simulation_attitude")
    assert np.array_equal(first, run(other, audio, speaker)) != draws


@settings(deadline=None, max_examples=25)
@given(
    speaker=arrays(np.float32, (20, LAYOUT.size), elements=st.floats(-1e6, 1e6, width=32)),
    reference=arrays(np.float32, LAYOUT.size, elements=st.floats(-100, 100, width=32)),
    name=st.sampled_from(list(BASELINES)),
)
def test_whatever_a_baseline_sees_its_motion_is_within_bounds(policy_data, speaker, reference, name):
    policy = BASELINES[name](policy_data)
    policy.reset(reference)
    motion = run(policy, np.zeros((20, 45), np.float32), speaker)
    assert np.isfinite(motion).all()
    assert motion[:, LAYOUT.expression].min() >= 0 and motion[:, LAYOUT.expression].max() <= 1
    rotation = np.vstack([reference[None], motion])[:, LAYOUT.rotation]
    assert np.linalg.norm(np.diff(rotation, axis=0), axis=1).max() < np.radians(3)


def test_a_baseline_of_bfm2009_keeps_the_crop_and_its_free_weights(baseline, make_clips):
    layout = LAYOUTS["bfm2009"]
    policy = baseline(build_policy_data(make_clips(face_model="bfm2009")), 0)
    reference = layout.neutral()
    reference[layout.crop], reference[layout.expression] = (1.1, 100, 90), -2.0
    policy.reset(reference)
    motion = run(policy, *signals(policy, 60))
    np.testing.assert_array_equal(motion[:, layout.crop], np.tile(reference[layout.crop], (60, 1)))
    assert motion[0, layout.expression].min() < -1


def test_random_stays_about_the_reference_with_the_training_deviation(policy_data):
    policy = BASELINES["random"](policy_data)
    motion = run(policy, *signals(policy, 3000))
    pitch = motion[:, LAYOUT.rotation.start]
    assert abs(pitch.mean()) < 0.02
    assert pitch.std() == pytest.approx(policy_data.deviation[LAYOUT.rotation.start], rel=0.15)


def test_mean_is_at_the_attitudes_mean_after_a_second_and_stays(policy_data):
    policy = BASELINES["mean"](policy_data)
    policy.reset(None, "positive")
    audio, speaker = signals(policy, 4 * RATE_HZ)
    motion = run(policy, audio[:60], speaker[:60])
    np.testing.assert_array_equal(motion[RATE_HZ:], np.tile(policy_data.mean["positive"], (RATE_HZ, 1)))
    policy.set_attitude("negative")
    motion = run(policy, audio[60:], speaker[60:])
    np.testing.assert_array_equal(motion[-1], policy_data.mean["negative"])


def test_mirror_copies_the_speaker_later(policy_data):
    policy = BASELINES["mirror"](policy_data)
    policy.reset()
    audio, speaker = signals(policy, 200)
    speaker[:, LAYOUT.expression] = np.random.default_rng(1).random((200, 52), np.float32)
    motion = run(policy, audio, speaker)
    # The step of frame t gives the motion of frame t + 1.
    copied = speaker[100 + 1 - DELAY_FRAMES : 200 + 1 - DELAY_FRAMES, LAYOUT.expression]
    np.testing.assert_allclose(motion[100:, LAYOUT.expression], copied, atol=1e-6)
    assert np.abs(motion[:, LAYOUT.translation] - LAYOUT.neutral()[LAYOUT.translation]).max() < 0.2


@pytest.mark.parametrize(("attitude", "level"), [("positive", 0.1), ("negative", 0.7)])
def test_simulation_of_an_attitude_shows_its_patterns_only(policy_data, attitude, level):
    policy = BASELINES["simulation_attitude"](policy_data)
    policy.reset(None, attitude)
    motion = run(policy, *signals(policy, 600))[30:]
    np.testing.assert_allclose(motion[:, LAYOUT.expression], level, atol=0.06)
    others = BASELINES["simulation"](policy_data)
    others.reset(None, attitude)
    motion = run(others, *signals(others, 600))[30:]
    assert np.ptp(motion[:, LAYOUT.expression]) > 0.3


def test_an_unknown_policy_and_a_missing_file_are_named(tmp_path):
    with pytest.raises(UserError, match=r"'clever' is unknown.*mirror.*network"):
        load_policy("clever")
    with pytest.raises(UserError, match=r"net\.policies\.npz.*listener_head policies"):
        load_policy("mean", tmp_path / "net.onnx")
    assert load_policy("network").name == "listener_arkit52"
    assert set(POLICY_NAMES) == {*BASELINES, "network"}
