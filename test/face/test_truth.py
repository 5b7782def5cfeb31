"""The whole way: the shipped head moves, is rendered, tracked and fitted, and compared with the truth."""

import numpy as np
import pytest

from listener_head.coefficients import LAYOUTS
from listener_head.face.measure_truth import noisy_still, perceive, render, still_figures, tracked_figures
from listener_head.face.person import FRAMES

LAYOUT = LAYOUTS["arkit52"]


@pytest.fixture(scope="module")
def perceived(expressive_motion):
    return perceive(render(expressive_motion))


@pytest.fixture(scope="module")
def truth_and_fit(expressive_motion, perceived):
    """True and perceived motion [T, 58] after the identity is held."""
    assert all(frame.valid for frame in perceived)
    assert min(frame.confidence for frame in perceived) > 0.5
    return expressive_motion[FRAMES:], np.array([frame.motion for frame in perceived])[FRAMES:]


def pair(*names):
    return [LAYOUT.index(name) for name in names]


def test_pose_and_expression_follow(expressive_motion, perceived):
    figures = tracked_figures(expressive_motion, perceived)
    assert len(figures) == 8
    for figure in figures:
        assert figure.kept, figure


@pytest.mark.parametrize("axis", [0, 1, 2], ids=["pitch", "yaw", "roll"])
def test_rotation_has_its_size(truth_and_fit, axis):
    gain = np.polyfit(truth_and_fit[0][:, axis], truth_and_fit[1][:, axis], 1)[0]
    assert 0.75 < gain < 1.25


def test_place_is_metric(truth_and_fit):
    true, fitted = (motion[:, LAYOUT.translation] for motion in truth_and_fit)
    assert np.abs(fitted - true).mean(axis=0).max() < 0.02


def test_nods_and_blinks_are_not_late(truth_and_fit):
    true, fitted = truth_and_fit
    for column in (0, LAYOUT.index("eyeBlinkLeft"), LAYOUT.index("jawOpen")):
        at_lag = [
            np.corrcoef(true[: len(true) - 3, column], fitted[lag : len(true) - 3 + lag, column])[0, 1]
            for lag in range(4)
        ]
        assert np.argmax(at_lag) == 0


@pytest.mark.parametrize("side", ["Left", "Right"])
def test_sides_are_the_persons_own(side):
    """A wink and a one-sided smile show on their own side."""
    motion = np.tile(LAYOUT.neutral(), (FRAMES + 8, 1))
    motion[FRAMES:, pair("eyeBlink" + side, "mouthSmile" + side)] = 0.9
    frame = perceive(render(motion))[-1].motion
    other = {"Left": "Right", "Right": "Left"}[side]
    for name in ("eyeBlink", "mouthSmile"):
        assert frame[LAYOUT.index(name + side)] > frame[LAYOUT.index(name + other)] + 0.25


def test_still_face_does_not_shake():
    """Under a webcam's noise."""
    perceived = perceive(noisy_still())
    for figure in still_figures(perceived):
        assert figure.kept, figure
    rotation = np.array([frame.rotation for frame in perceived])[FRAMES:]
    assert np.degrees(np.abs(rotation.mean(axis=0))).max() < 3.0
