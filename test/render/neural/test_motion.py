"""What the network sees of a listener: the published numbers, in windows of the published order."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from listeners import listener

from listener_head.coefficients import Coefficients
from listener_head.errors import UserError
from listener_head.face.deep3d.alignment import Crop
from listener_head.face.deep3d.frames import to_optical
from listener_head.face.deep3d.published import COUNT, SLICES
from listener_head.render.neural.motion import MotionWindow, published_motion


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_numbers_are_those_of_deep3d(seed):
    """Through the messages' frame and back: expression 64, angle 3, translation 3 in decimetres, crop 3."""
    rng = np.random.default_rng(seed)
    numbers = rng.normal(0, 0.4, COUNT)
    crop = Crop((384, 384), 0.75, 190.5, 201.25)
    motion = published_motion(to_optical(numbers, crop))
    parts = [numbers[SLICES[part]] for part in ("expression", "rotation", "translation")]
    assert motion.shape == (73,) and motion.dtype == np.float32
    np.testing.assert_allclose(motion[:70], np.concatenate(parts), atol=2e-6)
    np.testing.assert_array_equal(motion[70:], [0.75, 190.5, 201.25])


def published_windows(motions, radius=13):
    """Windows [T, 73, 27] of a whole clip: frames before the first and after the last are those repeated."""
    frames = np.stack(motions)
    around = np.arange(len(frames))[:, None] + np.arange(-radius, radius + 1)
    return frames[around.clip(0, len(frames) - 1)].transpose(0, 2, 1)


@settings(deadline=None, max_examples=60)
@given(count=st.integers(1, 45), look_ahead=st.integers(0, 13))
def test_a_stream_sees_what_a_clip_up_to_now_shows(count, look_ahead):
    motions = np.random.default_rng(count).normal(size=(count, 73)).astype(np.float32)
    window = MotionWindow(look_ahead)
    for now, motion in enumerate(motions):
        seen = window.push(motion)
        if now >= look_ahead:
            expected = published_windows(motions[: now + 1])[now - look_ahead]
            np.testing.assert_array_equal(seen, expected)


def test_with_a_look_ahead_of_the_radius_a_stream_is_the_whole_clip():
    motions = [published_motion(frame) for frame in listener(60)]
    window, expected = MotionWindow(13), published_windows(motions)
    seen = [window.push(motion) for motion in motions]
    np.testing.assert_array_equal(np.stack(seen[13:]), expected[:-13])


def test_until_the_delay_is_over_the_first_frame_lasts():
    """A clip that begins with its first frame held for longer."""
    motions = [published_motion(frame) for frame in listener(20)]
    window = MotionWindow(10)
    held = [motions[0]] * 30 + motions
    for index, motion in enumerate(motions[:4]):
        expected = held[: 31 + index]
        np.testing.assert_array_equal(window.push(motion), published_windows(expected)[20 + index])


def test_reset_begins_anew():
    first, *_, last = [published_motion(frame) for frame in listener(30)]
    window = MotionWindow()
    window.push(first)
    window.reset()
    np.testing.assert_array_equal(window.push(last), np.repeat(last[:, None], 27, axis=1))


@pytest.mark.parametrize("look_ahead", [-1, 14, 1000])
def test_a_delay_beyond_the_window_is_refused(look_ahead):
    with pytest.raises(UserError, match=f"look_ahead {look_ahead} is out of range; choose 0 to 13"):
        MotionWindow(look_ahead)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"expression": np.full(64, np.nan, np.float32)}, "expression .* not finite"),
        ({"rotation": np.array([0, np.inf, 0], np.float32)}, "rotation .* not finite"),
        ({"translation": np.array([0, 0, 1e9], np.float32)}, "translation .* reaches 1e\\+09"),
        ({"expression": np.zeros(52, np.float32)}, r"expression .* shape \(52,\); bfm2009 needs \(64,\)"),
        ({"crop": np.zeros(0, np.float32)}, r"crop .* shape \(0,\)"),
        ({"crop": np.zeros(3, np.float32)}, "crop .* scale 0"),
        ({"rotation": np.zeros((3, 1), np.float32)}, r"rotation .* shape \(3, 1\)"),
        ({"valid": False, "reason": "no face"}, r"not valid \(no face\)"),
    ],
)
def test_coefficients_of_no_face_are_one_clear_line(change, message):
    with pytest.raises(UserError, match=message) as refusal:
        published_motion(replace(listener(1)[0], **change))
    assert "\n" not in str(refusal.value)


def test_arkit_is_told_what_it_needs():
    arkit = Coefficients.from_motion("arkit52", np.zeros(58))
    with pytest.raises(UserError, match="'arkit52'; the neural renderer draws bfm2009: choose a listener of"):
        published_motion(arkit)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.floats(width=32), min_size=73, max_size=73))
def test_numbers_are_finite_or_refused(numbers):
    values = np.array(numbers, np.float32)
    frame = Coefficients("bfm2009", values[:3], values[3:67], values[67:70], values[70:])
    try:
        motion = published_motion(frame)
    except UserError as refusal:
        assert "coefficients" in str(refusal)
    else:
        assert np.isfinite(motion).all()
