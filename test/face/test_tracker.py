"""The tracker takes any image, and says what is wrong with what is not one."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.errors import UserError
from listener_head.face import FaceTracker
from listener_head.face.tracker import LANDMARK_COUNT
from listener_head.render import HeadRenderer


@pytest.fixture(scope="module")
def tracker():
    tracker = FaceTracker()
    yield tracker
    tracker.close()


@pytest.fixture(scope="module")
def portrait():
    """The head in BGR, 480 x 480."""
    renderer = HeadRenderer(480)
    image = renderer.render(Coefficients.from_motion("arkit52", LAYOUTS["arkit52"].neutral()))
    renderer.close()
    return image[..., ::-1]


def test_face_is_found_in_pixels(tracker, portrait):
    tracker.reset()
    landmarks = tracker.track(portrait)
    assert landmarks.points.shape == (LANDMARK_COUNT, 2) and landmarks.points.dtype == np.float32
    assert landmarks.image_size == (480, 480) and landmarks.score == 1.0
    nose, chin, right_eye, left_eye = landmarks.points[[1, 152, 33, 263]]
    assert abs(nose[0] - 240) < 10 and chin[1] > nose[1] + 30, "y is down"
    assert right_eye[0] < nose[0] < left_eye[0], "the person's right eye is on the image's left"


def test_shifted_image_shifts_landmarks(tracker, portrait):
    wide = np.full((480, 640, 3), 128, np.uint8)
    wide[:, 100:580] = portrait
    tracker.reset()
    there = tracker.track(portrait).points
    tracker.reset()
    shifted = tracker.track(wide)
    assert shifted.image_size == (640, 480)
    assert np.abs(shifted.points - there - (100, 0)).mean() < 1.5


def test_face_partly_outside_scores_less(tracker, portrait):
    tracker.reset()
    landmarks = tracker.track(np.ascontiguousarray(portrait[:, 215:]))
    assert landmarks is None or landmarks.score < 1.0


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (15, 600), (16, 16), (40, 3000), (2400, 3200)])
@pytest.mark.parametrize("value", [0, 255])
def test_image_without_face_gives_none(tracker, shape, value):
    assert tracker.track(np.full((*shape, 3), value, np.uint8)) is None


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 70), st.integers(1, 70), st.just(3))))
def test_any_image_is_taken(tracker, image):
    landmarks = tracker.track(image)
    assert landmarks is None or np.isfinite(landmarks.points).all()


@pytest.mark.parametrize(
    ("image", "named"),
    [
        (None, "NoneType"),
        ([[0]], "list"),
        (np.zeros((8, 8), np.uint8), "(8, 8)"),
        (np.zeros((8, 8, 4), np.uint8), "(8, 8, 4)"),
        (np.zeros((0, 8, 3), np.uint8), "(0, 8, 3)"),
        (np.zeros((8, 8, 3), np.float32), "float32"),
        (np.zeros((8, 8, 3), np.int8), "int8"),
    ],
)
def test_what_is_not_an_image_is_named(tracker, image, named):
    with pytest.raises(UserError) as error:
        tracker.track(image)
    assert named in str(error.value) and "\n" not in str(error.value)


def test_image_may_be_a_view(tracker, portrait):
    mirrored = portrait[:, ::-1]
    tracker.reset()
    from_view = tracker.track(mirrored)
    tracker.reset()
    from_copy = tracker.track(np.ascontiguousarray(mirrored))
    np.testing.assert_allclose(from_view.points, from_copy.points, atol=0.5)


def test_face_is_found_again_after_it_was_gone(tracker, portrait):
    tracker.reset()
    assert tracker.track(portrait) is not None
    assert tracker.track(np.zeros_like(portrait)) is None
    assert tracker.track(portrait) is not None


def test_import_is_light_and_start_is_silent():
    code = (
        "import sys, numpy, listener_head.face as face\n"
        "assert 'mediapipe' not in sys.modules\n"
        "tracker = face.FaceTracker()\n"
        "tracker.track(numpy.zeros((64, 64, 3), numpy.uint8))\n"
        "tracker.reset()\n"
        "print('ours', file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "ours\n"
