"""The same fit for a model that is known by its 68 landmarks alone, as BFM 2009 is."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.face import FaceFitter, load_face_model
from listener_head.face.fitted_model import fitted_model
from listener_head.face.ibug import FACEMESH_POINTS
from listener_head.face.measure_truth import VGA_CAMERA, exact_landmarks, turned_by
from listener_head.face.person import FRAMES
from listener_head.face.prior import LARGEST_UNIT_WEIGHT

LAYOUT = LAYOUTS["bfm2009"]


@pytest.fixture(scope="module")
def model(bfm_file):
    return load_face_model(str(bfm_file))


def frame_of(rotation=(0.0, 0.0, 0.0), expression=None, identity=None):
    motion = LAYOUT.neutral()
    motion[LAYOUT.rotation] = rotation
    if expression is not None:
        motion[LAYOUT.expression] = expression
    return Coefficients.from_motion("bfm2009", motion, identity)


def inner_points(model, frame):
    """The landmarks [51, 3] m that do not slide: brows, nose, eyes, mouth."""
    return model.landmark_points(frame.identity, frame.expression)[17:]


def test_facemesh_points_are_68_different_ones():
    assert len(set(FACEMESH_POINTS)) == 68


def test_exact_landmarks_give_pose_and_displacements_back(model):
    known, fitter = fitted_model(model), FaceFitter(model, VGA_CAMERA)
    random = np.random.default_rng(5)
    decay = 0.93 ** np.arange(64)
    start, goal = np.zeros(64), np.zeros(64)
    rest = model.landmark_points()[17:]
    turned, true, seen = [], [], []
    for number in range(FRAMES + 75):
        if number >= FRAMES and number % 15 == 0:
            start, goal = goal, np.clip(random.normal(size=64), -2, 2) * decay
        share = (number % 15) / 15.0
        angle = max(number - FRAMES, 0) / 15.0
        rotation = (0.12 * np.sin(1.7 * angle), 0.3 * np.sin(angle), 0.1 * np.sin(0.7 * angle))
        frame = frame_of(rotation, (1.0 - share) * start + share * goal)
        fitted = fitter.fit(exact_landmarks(known, frame))
        assert fitted.valid and fitted.motion.shape == (LAYOUT.size,)
        if number >= FRAMES:
            turned.append(np.degrees(turned_by(fitted.rotation, frame.rotation)))
            true.append(inner_points(model, frame) - rest)
            seen.append(inner_points(model, fitted) - rest)
    assert np.median(turned) < 0.5
    error, size = (np.linalg.norm(x, axis=-1) for x in (np.array(seen) - np.array(true), np.array(true)))
    assert np.median(error) < 0.0005 < np.median(size)
    assert np.corrcoef(np.ravel(true), np.ravel(seen))[0, 1] > 0.98


def test_crop_is_where_the_face_is(model):
    """The crop follows the face over the picture, and its size."""
    face = exact_landmarks(fitted_model(model), frame_of())
    scale, x, y = FaceFitter(model, VGA_CAMERA).fit(face).crop
    centre = face.points[list(FACEMESH_POINTS)].mean(axis=0)
    assert abs(x - centre[0]) < 30 and abs(face.image_size[1] - y - centre[1]) < 60
    twice = replace(face, points=2 * face.points, image_size=(1280, 960))
    assert FaceFitter(model).fit(twice).crop[0] == pytest.approx(scale / 2, rel=0.01)


def test_identity_is_learned_and_rest_is_no_expression(model):
    known, fitter = fitted_model(model), FaceFitter(model, VGA_CAMERA)
    identity = np.random.default_rng(6).normal(0.0, 0.7, 80).astype(np.float32)
    for number in range(FRAMES + 5):
        frame = frame_of((0.0, 0.2 * np.sin(number / 4.0), 0.0), identity=identity)
        fitted = fitter.fit(exact_landmarks(known, frame))
    assert fitter.identity_held and fitted.identity.shape == (80,)
    mean = model.landmark_points()[17:]
    true, seen = inner_points(model, frame) - mean, inner_points(model, fitted) - mean
    assert np.corrcoef(true[:, :2].ravel(), seen[:, :2].ravel())[0, 1] > 0.9
    assert np.abs(fitted.expression).mean() < 0.1


any_number = st.floats(width=32, allow_nan=True, allow_infinity=True) | st.floats(0.0, 640.0, width=32)


@pytest.fixture(scope="module")
def fitter_and_face(model):
    return FaceFitter(model), exact_landmarks(fitted_model(model), frame_of())


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 477), any_number, any_number), max_size=60), st.floats(0.0, 200.0))
def test_any_landmarks_leave_finite_bounded_numbers(fitter_and_face, changes, noise):
    fitter, face = fitter_and_face
    fitter.reset()
    noisy = noise * np.random.default_rng(0).normal(size=face.points.shape)
    face = replace(face, points=(face.points + noisy).astype(np.float32))
    for index, x, y in changes:
        face.points[index] = x, y
    for _ in range(2):
        fitted = fitter.fit(face)
        assert np.isfinite(fitted.motion).all() and 0.0 <= fitted.confidence <= 1.0
        assert fitted.valid == (fitted.reason == "")
        assert np.abs(fitted.expression).max() <= LARGEST_UNIT_WEIGHT
