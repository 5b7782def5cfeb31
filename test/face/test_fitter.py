"""The fitter on landmarks of known coefficients, without a tracker, and on landmarks that are none."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from listener_head.coefficients import ARKIT_NAMES, LAYOUTS, Coefficients
from listener_head.errors import UserError
from listener_head.face import Camera, FaceFitter, Landmarks, load_face_model
from listener_head.face.correspondence import load_correspondence
from listener_head.face.fitted_model import fitted_model
from listener_head.face.measure_truth import VGA, VGA_CAMERA, exact_figures, exact_landmarks, turned_by
from listener_head.face.person import FRAMES
from listener_head.face.tracker import LANDMARK_COUNT

LAYOUT = LAYOUTS["arkit52"]
MODEL = load_face_model("arkit52")
FITTED = fitted_model(MODEL)
SIZE, CAMERA = VGA, VGA_CAMERA


def landmarks_of(motion, identity=None, noise_px=0.0, random=None):
    """What a perfect tracker sees of a motion vector [58]."""
    face = exact_landmarks(FITTED, Coefficients.from_motion("arkit52", motion, identity))
    if random is not None:
        noise = noise_px * random.normal(size=face.points.shape).astype(np.float32)
        return replace(face, points=face.points + noise)
    return face


def neutral(**changes):
    motion = LAYOUT.neutral()
    for name, value in changes.items():
        motion[LAYOUT.index(name)] = value
    return motion


def settled(camera=CAMERA):
    """A fitter that knows its person: the model itself."""
    fitter = FaceFitter(MODEL, camera)
    for _ in range(FRAMES):
        fitter.fit(landmarks_of(neutral()))
    assert fitter.identity_held
    return fitter


@pytest.fixture(scope="module")
def sequence(expressive_motion):
    """True motion and its fit from exact landmarks."""
    fitter = FaceFitter(MODEL, CAMERA)
    return expressive_motion, [fitter.fit(landmarks_of(frame)) for frame in expressive_motion]


def test_exact_landmarks_give_rotation_and_every_driven_shape_back(sequence):
    figures = exact_figures(*sequence)
    assert len(figures) >= 10
    for figure in figures:
        assert figure.kept, figure


def test_place_of_exact_landmarks(sequence):
    motion, fitted = sequence
    assert all(frame.valid and frame.confidence > 0.9 for frame in fitted)
    errors = [
        turned_by(frame.rotation, true[LAYOUT.rotation]) for frame, true in zip(fitted, motion, strict=True)
    ]
    assert np.degrees(np.percentile(errors, 95)) < 1.0
    place = np.array([frame.translation for frame in fitted]) - motion[:, LAYOUT.translation]
    assert np.abs(place[:, :2]).max() < 0.004
    assert np.abs(place[:, 2]).max() < 0.03


def test_what_does_not_move_stays_still(sequence):
    motion, fitted = sequence
    still = motion[FRAMES:, LAYOUT.expression].std(axis=0) == 0.0
    seen = np.array([frame.expression for frame in fitted])[FRAMES:]
    assert seen[:, still].std(axis=0).mean() < 0.02


@pytest.mark.parametrize(
    ("rotation", "axis", "sign"),
    [
        ((0.3, 0, 0), 0, 1),
        ((-0.3, 0, 0), 0, -1),
        ((0, 0.5, 0), 1, 1),
        ((0, -0.5, 0), 1, -1),
        ((0, 0, 0.6), 2, 1),
    ],
)
def test_first_frame_is_found_from_scratch(rotation, axis, sign):
    motion = neutral(mouthSmileLeft=0.7, mouthSmileRight=0.7, jawOpen=0.4)
    motion[LAYOUT.rotation] = rotation
    fitted = FaceFitter(MODEL, CAMERA).fit(landmarks_of(motion))
    assert fitted.valid
    assert np.sign(fitted.rotation[axis]) == sign
    assert np.degrees(turned_by(fitted.rotation, rotation)) < 5.0
    np.testing.assert_allclose(fitted.translation, motion[LAYOUT.translation], atol=0.06)


def test_without_camera_the_longer_side_is_the_focal_length():
    face = landmarks_of(neutral())
    known = FaceFitter(MODEL, Camera(640.0, 640.0, 320.0, 240.0)).fit(face)
    assumed = FaceFitter(MODEL).fit(face)
    np.testing.assert_array_equal(known.motion, assumed.motion)


def test_other_persons_shape_is_learned_and_held():
    identity = np.random.default_rng(1).normal(0.0, 0.7, len(FITTED.identity))
    fitter = FaceFitter(MODEL, CAMERA)
    held = []
    for frame in range(FRAMES + 20):
        motion = neutral(jawOpen=0.3 * (frame % 7) / 7.0)
        motion[1] = 0.2 * np.sin(frame / 5.0)
        fitted = fitter.fit(landmarks_of(motion, identity))
        held.append(fitted.identity)
    assert len(held[-1]) == len(FITTED.identity) >= 10
    for earlier in held[FRAMES:]:
        np.testing.assert_array_equal(earlier, held[-1])
    at_rest = fitter.fit(landmarks_of(neutral(), identity))
    for _ in range(5):
        at_rest = fitter.fit(landmarks_of(neutral(), identity))
    assert at_rest.expression.max() < 0.2, "this person's resting face is no expression"


def test_jump_is_another_person_and_a_step_is_not():
    fitter = settled()
    aside = neutral()
    aside[LAYOUT.translation] += (0.02, 0.0, 0.0)
    fitter.fit(landmarks_of(aside))
    assert fitter.identity_held
    aside[LAYOUT.translation] += (0.15, 0.0, 0.0)
    fitted = fitter.fit(landmarks_of(aside))
    assert fitted.valid and not fitter.identity_held


def test_reset_forgets_everything():
    fitter = settled()
    fitter.fit(landmarks_of(neutral(jawOpen=1.0)))
    fitter.reset()
    face = landmarks_of(neutral(mouthSmileLeft=0.5))
    np.testing.assert_array_equal(fitter.fit(face).motion, FaceFitter(MODEL, CAMERA).fit(face).motion)


def test_still_face_is_still_and_blink_is_not_late():
    fitter, random = settled(), np.random.default_rng(2)
    rotation = np.array([fitter.fit(landmarks_of(neutral(), None, 0.3, random)).rotation for _ in range(60)])
    assert np.degrees(rotation.std(axis=0)).max() < 0.3
    shut = landmarks_of(neutral(eyeBlinkLeft=1.0, eyeBlinkRight=1.0))
    first, second = (fitter.fit(shut).expression[ARKIT_NAMES.index("eyeBlinkLeft")] for _ in range(2))
    assert first > 0.6 and second > 0.75


def without(points, reason):
    face = landmarks_of(neutral())
    return pytest.param(Landmarks(points(face.points.copy()), SIZE), reason, id=reason)


def with_nan(points):
    points[5, 1] = np.nan
    return points


@pytest.mark.parametrize(
    ("landmarks", "reason"),
    [
        pytest.param(None, "no face", id="none"),
        without(with_nan, "not finite"),
        without(lambda points: points * 0.0 + 100.0, "too small"),
        without(lambda points: points + 5000.0, "outside"),
        without(lambda points: points * (1.0, 0.0) + (0.0, 240.0), "on a line"),
        without(lambda points: np.random.default_rng(0).uniform(0, 480, points.shape), "do not fit"),
    ],
)
def test_what_is_no_face_is_invalid_and_harms_nothing(landmarks, reason):
    fitter = settled()
    before = fitter.fit(landmarks_of(neutral()))
    refused = fitter.fit(landmarks)
    assert not refused.valid and refused.confidence == 0.0 and reason in refused.reason
    after = fitter.fit(landmarks_of(neutral()))
    assert after.valid and fitter.identity_held
    np.testing.assert_allclose(after.motion, before.motion, atol=0.02)


any_points = hnp.arrays(
    np.float32,
    (LANDMARK_COUNT, 2),
    elements=st.floats(width=32, allow_nan=True, allow_infinity=True),
    fill=st.floats(0, 600, width=32),
)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.one_of(any_points, st.floats(0.0, 400.0)), max_size=4),
    st.tuples(st.integers(1, 4000), st.integers(1, 4000)),
)
def test_no_landmarks_crash_it_or_bring_nan(faces, size):
    """Arrays of anything, and true faces under noise of any size."""
    fitter, random = FaceFitter(MODEL), np.random.default_rng(0)
    true = landmarks_of(neutral()).points
    for face in faces:
        points = face if isinstance(face, np.ndarray) else true + face * random.normal(size=true.shape)
        fitted = fitter.fit(Landmarks(np.asarray(points, np.float32), size))
        assert np.isfinite(fitted.motion).all() and np.isfinite(fitted.identity).all()
        assert 0.0 <= fitted.confidence <= 1.0 and fitted.valid == (fitted.reason == "")
        assert (fitted.expression >= 0.0).all() and (fitted.expression <= 1.0).all()


def test_misuse_is_named():
    fitter = FaceFitter(MODEL)
    with pytest.raises(UserError, match=r"\(68, 2\)"):
        fitter.fit(Landmarks(np.zeros((68, 2), np.float32), SIZE))
    with pytest.raises(UserError, match="image_size"):
        fitter.fit(Landmarks(landmarks_of(neutral()).points, (0, 480)))
    with pytest.raises(UserError, match="focal"):
        FaceFitter(MODEL, Camera(0.0, 700.0, 320.0, 240.0))


def test_correspondence_is_for_this_mesh():
    """A rebuilt mesh needs a rebuilt correspondence, and says so."""
    with pytest.raises(UserError, match="make_correspondence"):
        load_correspondence(replace(MODEL, mean=MODEL.mean + np.float32(0.001)))
