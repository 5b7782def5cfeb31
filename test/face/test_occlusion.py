"""A hand before the mouth, landmarks that are far off, and a face that goes and comes back."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest

from listener_head.coefficients import ARKIT_NAMES, LAYOUTS, Coefficients
from listener_head.face import FaceFitter, load_face_model
from listener_head.face.correspondence import LIPS
from listener_head.face.fitted_model import fitted_model
from listener_head.face.measure_truth import VGA_CAMERA, exact_landmarks, turned_by
from listener_head.face.person import FRAMES

LAYOUT = LAYOUTS["arkit52"]
MODEL = load_face_model("arkit52")
FITTED = fitted_model(MODEL)
USED = FITTED.correspondence.landmark
LOWER_FACE = np.concatenate([LIPS[0], LIPS[1], [152, 148, 377, 176, 400, 199, 187, 411]])
EYES_AND_BROWS = [
    index for index, name in enumerate(ARKIT_NAMES) if name.startswith(("eyeBlink", "brow", "eyeWide"))
]
IDENTITY = np.random.default_rng(4).normal(0.0, 0.7, len(FITTED.identity)).astype(np.float32)
FACE_PX = 150.0  # about the width of the face in these pictures


def motion_at(second):
    motion = LAYOUT.neutral()
    motion[LAYOUT.rotation] = (0.1 * np.sin(3.0 * second), 0.25 * np.sin(2.0 * second), 0.05)
    for name in ("browInnerUp", "browOuterUpLeft", "browOuterUpRight"):
        motion[LAYOUT.index(name)] = 0.4 - 0.4 * np.cos(2.5 * second)
    return motion


def face_of(motion, identity=None):
    return exact_landmarks(FITTED, Coefficients.from_motion("arkit52", motion, identity))


def known_person(identity=None):
    return deepcopy(IDENTIFIED[identity is not None])


def learned(identity):
    fitter = FaceFitter(MODEL, VGA_CAMERA)
    for _ in range(FRAMES):
        fitter.fit(face_of(motion_at(0.0), identity))
    return fitter


IDENTIFIED = [learned(None), learned(IDENTITY)]


def displaced(face, indices, pixels):
    points = face.points.copy()
    points[indices] += pixels
    return replace(face, points=points.astype(np.float32))


def scattered(random):
    """A third of the landmarks, each anywhere within a quarter of the face."""
    chosen = random.choice(USED, len(USED) // 3, replace=False)
    return chosen, random.uniform(-FACE_PX / 4, FACE_PX / 4, (len(chosen), 2))


def hand(random):
    """The lower face, dragged to one side and down."""
    return LOWER_FACE, np.array([0.25, 0.15]) * FACE_PX + random.normal(0.0, 2.0, (len(LOWER_FACE), 2))


@pytest.mark.parametrize("hide", [scattered, hand])
def test_gross_errors_on_a_third_throw_neither_pose_nor_other_shapes(hide):
    fitter, random = known_person(), np.random.default_rng(0)
    turned, off, confidence = [], [], []
    for frame in range(60):
        motion = motion_at(frame / 30.0)
        face = face_of(motion)
        if frame >= 20:
            face = displaced(face, *hide(random))
        fitted = fitter.fit(face)
        assert fitted.valid
        turned.append(turned_by(fitted.rotation, motion[LAYOUT.rotation]))
        off.append(np.abs(fitted.expression - motion[LAYOUT.expression])[EYES_AND_BROWS])
        confidence.append(fitted.confidence)
    assert np.degrees(np.max(turned[20:])) < 3.0
    assert np.degrees(np.median(turned[20:])) < 1.5
    assert np.max(np.mean(off[20:], axis=0)) < 0.15
    assert np.max(confidence[20:]) < 0.7 < np.min(confidence[:20])


def test_shapes_beside_a_hand_still_move():
    """The brows go up while the mouth is hidden."""
    fitter, random = known_person(), np.random.default_rng(1)
    raised = LAYOUT.index("browInnerUp")
    true, seen = [], []
    for frame in range(90):
        motion = motion_at(frame / 30.0)
        true.append(motion[raised])
        seen.append(fitter.fit(displaced(face_of(motion), *hand(random))).motion[raised])
    assert np.corrcoef(true, seen)[0, 1] > 0.95


def test_a_hand_at_the_first_sight_is_not_learned():
    fitter, random = FaceFitter(MODEL, VGA_CAMERA), np.random.default_rng(2)
    for _ in range(2 * FRAMES):
        fitter.fit(displaced(face_of(motion_at(0.0)), *hand(random)))
    assert not fitter.identity_held


def test_what_follows_a_hand_is_as_before():
    fitter, random = known_person(), np.random.default_rng(3)
    before = fitter.fit(face_of(motion_at(0.0)))
    for _ in range(10):
        fitter.fit(displaced(face_of(motion_at(0.0)), *hand(random)))
    for _ in range(3):
        after = fitter.fit(face_of(motion_at(0.0)))
    np.testing.assert_allclose(after.motion, before.motion, atol=0.03)
    assert after.confidence > 0.95


def test_confidence_falls_with_the_view():
    fitter, confidence = known_person(), []
    for yaw in np.linspace(0.0, 1.4, 40):
        motion = LAYOUT.neutral()
        motion[1] = yaw
        confidence.append(fitter.fit(face_of(motion)).confidence)
    assert confidence[0] > 0.95 and confidence[-1] < 0.3
    assert np.diff(confidence).max() < 0.05


@pytest.mark.parametrize("gone", [1, 10, 300])
@pytest.mark.parametrize("aside", [0.0, 0.25], ids=["same place", "elsewhere"])
def test_returning_face_is_right_within_three_frames(gone, aside):
    fitter = known_person(IDENTITY)
    for _ in range(gone):
        assert not fitter.fit(None).valid
    motion = LAYOUT.neutral()
    motion[LAYOUT.translation] += (aside, 0.0, 0.2)
    motion[LAYOUT.rotation] = (0.2, -0.4, 0.15)
    motion[LAYOUT.index("jawOpen")] = 0.6
    fitted = [fitter.fit(face_of(motion, IDENTITY)) for _ in range(3)]
    assert all(frame.valid for frame in fitted)
    assert np.degrees(turned_by(fitted[-1].rotation, motion[LAYOUT.rotation])) < (3.0 if aside else 1.0)
    assert abs(fitted[-1].motion[LAYOUT.index("jawOpen")] - 0.6) < 0.15
    assert np.abs(fitted[-1].translation[:2] - motion[LAYOUT.translation][:2]).max() < 0.02


def test_person_is_kept_for_a_moment_at_about_the_same_place_and_then_forgotten():
    def returns(after_s, aside=0.0):
        fitter = known_person(IDENTITY)
        fitter.fit(face_of(motion_at(0.0), IDENTITY), time_s=10.0)
        fitter.fit(None, time_s=10.0 + after_s / 2)
        motion = LAYOUT.neutral()
        motion[LAYOUT.translation] += (aside, 0.0, 0.0)
        fitter.fit(face_of(motion, IDENTITY), time_s=10.0 + after_s)
        return fitter.identity_held

    assert returns(2.0) and returns(2.0, aside=0.03)
    assert not returns(8.0)
    assert not returns(2.0, aside=0.2)
