"""The tracker keeps to the speaker's face, takes any image, and says what is wrong with what is not one."""

import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.errors import UserError
from listener_head.face import FaceTracker
from listener_head.face.tracker import LANDMARK_COUNT, NO_FACE, SEARCH_PERIOD_S
from listener_head.render import HeadRenderer
from listener_head.timing import NS_PER_S

FRAME_NS = NS_PER_S // 30


@pytest.fixture(scope="module")
def shared_tracker():
    tracker = FaceTracker()
    yield tracker
    tracker.close()


@pytest.fixture
def tracker(shared_tracker):
    shared_tracker.reset()
    shared_tracker.speaker = "largest"
    return shared_tracker


@pytest.fixture(scope="module")
def portrait():
    """The head in BGR, 480 x 480."""
    renderer = HeadRenderer(480)
    image = renderer.render(Coefficients.from_motion("arkit52", LAYOUTS["arkit52"].neutral()))
    renderer.close()
    return image[..., ::-1]


def test_face_is_found_in_pixels(tracker, portrait):
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


@pytest.mark.parametrize("quarters", [1, 3])
def test_turned_image_turns_landmarks(tracker, portrait, quarters):
    upright = tracker.track(portrait).points
    tracker.reset()
    turned = tracker.track(np.rot90(portrait, quarters)).points
    x, y = turned.T
    back = np.stack((480 - y, x) if quarters == 1 else (y, 480 - x), axis=1)
    assert np.abs(back - upright).mean() < 3.0


def test_huge_image_gives_landmarks_in_its_own_pixels(tracker, portrait):
    small = tracker.track(portrait).points
    tracker.reset()
    huge = tracker.track(np.repeat(np.repeat(portrait, 9, axis=0), 9, axis=1))
    assert huge.image_size == (4320, 4320)
    assert np.abs(huge.points / 9 - small).mean() < 1.0


@settings(deadline=None, max_examples=30)
@given(st.integers(-200, 480), st.integers(-200, 420), st.integers(40, 480), st.integers(0, 2**32 - 1))
def test_face_at_any_place_and_size_is_finite_or_absent(shared_tracker, portrait, x, y, size, seed):
    noise = np.random.default_rng(seed).integers(0, 256, (480, 640, 3), np.uint8)
    shared_tracker.reset()
    for image in (scene((portrait, x, y, size)), np.where(noise > 250, noise, scene((portrait, x, y, size)))):
        landmarks = shared_tracker.track(image)
        if landmarks is None:
            assert shared_tracker.reason
        else:
            assert np.isfinite(landmarks.points).all() and 0.0 <= landmarks.score <= 1.0


# Several faces


def scene(*heads, size=(480, 640)):
    """A grey image [H, W, 3] with pictures put in: each (picture, left, top, side), cut at the border."""
    image = np.full((*size, 3), 128, np.uint8)
    for picture, left, top, side in heads:
        small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
        right, bottom = min(left + side, size[1]), min(top + side, size[0])
        if right > max(left, 0) and bottom > max(top, 0):
            part = small[max(-top, 0) : bottom - top, max(-left, 0) : right - left]
            image[max(top, 0) : bottom, max(left, 0) : right] = part
    return image


def watch(tracker, images, start_ns=0):
    """For each image of a video of 30 frames a second the face's number and centre x, or the reason."""
    seen = []
    for number, image in enumerate(images):
        landmarks = tracker.track(image, start_ns + number * FRAME_NS)
        tracker.look_around()
        seen.append(tracker.reason if landmarks is None else (tracker.face_id, landmarks.points[:, 0].mean()))
    return seen


@pytest.fixture(scope="module")
def two(portrait):
    """A small head on the left, near the centre, and a larger one at the right."""
    return scene((portrait, 160, 120, 200), (portrait, 360, 60, 280))


def test_rule_chooses_the_face(tracker, two):
    tracker.track(two, 0)
    number = {face.x < 320: face.face_id for face in tracker.faces}
    assert set(number.values()) == {"0", "1"}
    for rule, left in (("largest", False), ("nearest_to_centre", True), (number[True], True)):
        tracker.speaker = rule
        seen = watch(tracker, 40 * [two], NS_PER_S)
        assert all(face_id == number[left] for face_id, _ in seen), rule
        assert all((x < 320) == left for _, x in seen), rule
        assert {face.face_id: face.x < 320 for face in tracker.faces} == {v: k for k, v in number.items()}
        tracker.reset()


def test_followed_face_is_kept_when_a_larger_one_comes(tracker, portrait):
    alone = scene((portrait, 20, 140, 200))
    joined = scene((portrait, 20, 140, 200), (portrait, 280, 20, 360))
    seen = watch(tracker, 10 * [alone] + 70 * [joined])
    assert all(face_id == "0" and x < 240 for face_id, x in seen)
    assert [face.face_id for face in tracker.faces] == ["0", "1"]


def test_lost_face_is_not_replaced_within_a_second_and_another_chosen_after_it(tracker, portrait, two):
    rest = scene((portrait, 160, 120, 200))
    seen = watch(tracker, 10 * [two] + 45 * [rest])
    face_id = seen[0][0]
    other = str(1 - int(face_id))
    assert seen[10:40] == 30 * [f"face {face_id} is not in view; in view: {other}"]
    assert all(after[0] == other and after[1] < 320 for after in seen[42:])


def test_lost_face_is_followed_again_at_once_though_it_moved(tracker, portrait, two):
    rest = scene((portrait, 160, 120, 200))
    moved = scene((portrait, 160, 120, 200), (portrait, 330, 100, 280))
    for gone in (1, 5, 20):
        seen = watch(tracker, 10 * [two] + gone * [rest] + 3 * [moved])
        assert seen[-1][0] == seen[0][0] and seen[-1][1] > 400, gone
        tracker.reset()


def test_face_that_is_not_there_is_waited_for(tracker, portrait, two):
    tracker.speaker = "1"
    alone = scene((portrait, 20, 140, 200))
    seen = watch(tracker, 10 * [alone])
    assert seen == 10 * ["face 1 is not in view; in view: 0"]
    joined = scene((portrait, 20, 140, 200), (portrait, 280, 20, 360))
    seen = watch(tracker, 10 * [joined], 10 * FRAME_NS)
    assert seen[-1][0] == "1" and seen[-1][1] > 320


@pytest.mark.parametrize("speaker", ["", "me", "-1", "1.5", "²", "Largest"])
def test_rule_that_is_none_is_refused(shared_tracker, speaker):
    with pytest.raises(UserError, match="largest, nearest_to_centre"):
        shared_tracker.speaker = speaker


# Nobody in view


def test_face_that_was_away_for_a_moment_is_back_within_three_frames(tracker, portrait):
    image, empty = scene((portrait, 200, 100, 280)), scene()
    for away in (1, 10, 25):
        seen = watch(tracker, 5 * [image] + away * [empty] + 3 * [image])
        assert seen[5 : 5 + away] == away * [NO_FACE]
        assert seen[-1][0] == "0"
        tracker.reset()


@pytest.mark.parametrize("fps", [10, 24, 29.97, 60, 120])
def test_empty_scene_is_searched_five_times_a_second(tracker, portrait, fps):
    """By the stamps, so that a face that comes is followed after 0.2 s and three frames at most."""
    image, empty = scene((portrait, 200, 100, 280)), scene()
    stamps = np.round(np.arange(2 * fps) * NS_PER_S / fps).astype(int)
    longest = SEARCH_PERIOD_S * NS_PER_S + 1.5 * NS_PER_S / fps
    for start in (1.0, 1.05, 1.1, 1.15):
        comes = stamps[stamps >= start * NS_PER_S][0]
        tracker.reset()
        found = [tracker.track(image if ns >= comes else empty, int(ns)) is not None for ns in stamps]
        first = stamps[found.index(True)]
        assert first >= comes and first - comes <= longest and all(found[found.index(True) :])


def test_who_comes_far_away_is_followed_a_moment_later(tracker, portrait):
    image, empty = scene((portrait, 300, 200, 60)), scene()
    for away in range(13, 25):
        seen = watch(tracker, away * [empty] + 16 * [image])
        assert seen[away - 1] == NO_FACE
        assert seen[away + 14][0] == "0"
        tracker.reset()


def test_searches_cost_a_fraction_of_tracking(tracker):
    """Between the searches an image without a face costs nothing but its check."""
    empty = scene()
    watch(tracker, 7 * [empty])
    start = time.process_time()
    for number in range(7, 11):
        tracker.track(empty, number * FRAME_NS)
    assert time.process_time() - start < 0.002


def test_stamps_that_go_back_start_anew(tracker, portrait):
    image = scene((portrait, 200, 100, 280))
    watch(tracker, 3 * [image], 100 * NS_PER_S)
    assert watch(tracker, [scene()], 50 * NS_PER_S) == [NO_FACE]
    assert tracker.face_id == "" and tracker.faces == []


def test_image_without_stamps_need_not_be_of_a_video(tracker, portrait):
    for _ in range(3):
        assert tracker.track(scene()) is None
        assert tracker.track(portrait) is not None
        tracker.reset()


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
