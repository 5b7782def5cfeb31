"""The whole way: the shipped head moves, is rendered, tracked and fitted, and compared with the truth."""

import numpy as np
import pytest

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.face import Camera, FaceFitter, FaceTracker, load_face_model
from listener_head.face.person import FRAMES
from listener_head.render import HeadRenderer
from listener_head.render.head_renderer import camera_matrix

LAYOUT = LAYOUTS["arkit52"]
PICTURE = 320


def render(motion):
    """Pictures of a motion [T, 58] in BGR."""
    renderer = HeadRenderer(PICTURE)
    pictures = [renderer.render(Coefficients.from_motion("arkit52", frame))[..., ::-1] for frame in motion]
    renderer.close()
    return pictures


def perceive(pictures):
    """What tracker and fitter make of pictures."""
    matrix = camera_matrix(PICTURE)
    camera = Camera(matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2])
    tracker, fitter = FaceTracker(), FaceFitter(load_face_model("arkit52"), camera)
    perceived = [fitter.fit(tracker.track(picture)) for picture in pictures]
    tracker.close()
    return perceived


@pytest.fixture(scope="module")
def truth_and_fit(expressive_motion):
    """True and perceived motion [T, 58] after the identity is held."""
    perceived = perceive(render(expressive_motion))
    assert all(frame.valid for frame in perceived)
    assert min(frame.confidence for frame in perceived) > 0.5
    return expressive_motion[FRAMES:], np.array([frame.motion for frame in perceived])[FRAMES:]


def correlation(truth_and_fit, columns):
    true, fitted = (motion[:, columns].sum(axis=1) for motion in truth_and_fit)
    return float(np.corrcoef(true, fitted)[0, 1])


def pair(*names):
    return [LAYOUT.index(name) for name in names]


@pytest.mark.parametrize(("axis", "least"), [(0, 0.95), (1, 0.98), (2, 0.98)], ids=["pitch", "yaw", "roll"])
def test_rotation_follows(truth_and_fit, axis, least):
    """With the signs of the coefficients' frame: a wrong one would be a correlation near -1."""
    assert correlation(truth_and_fit, [axis]) > least
    gain = np.polyfit(truth_and_fit[0][:, axis], truth_and_fit[1][:, axis], 1)[0]
    assert 0.75 < gain < 1.25


@pytest.mark.parametrize(
    ("names", "least"),
    [
        (("mouthSmileLeft", "mouthSmileRight"), 0.95),
        (("browInnerUp", "browOuterUpLeft", "browOuterUpRight"), 0.95),
        (("browDownLeft", "browDownRight"), 0.92),
        (("jawOpen",), 0.93),
        (("eyeBlinkLeft", "eyeBlinkRight"), 0.95),
    ],
    ids=["smile", "brow up", "brow down", "jaw", "blink"],
)
def test_expression_follows(truth_and_fit, names, least):
    assert correlation(truth_and_fit, pair(*names)) > least


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
    """Under a webcam's noise rotation stays within 0.3 degrees (standard deviation)."""
    random, picture = np.random.default_rng(0), render([LAYOUT.neutral()])[0]
    noisy = (
        np.clip(picture + 4.0 * random.standard_normal(picture.shape, np.float32), 0, 255).astype(np.uint8)
        for _ in range(FRAMES + 60)
    )
    rotation = np.array([frame.rotation for frame in perceive(noisy)])[FRAMES:]
    assert np.degrees(rotation.std(axis=0)).max() < 0.3
    assert np.degrees(np.abs(rotation.mean(axis=0))).max() < 3.0
