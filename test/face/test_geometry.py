import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.face.geometry import (
    OPTICAL_FROM_MODEL,
    project,
    rotation_angles,
    rotation_matrix,
    to_optical,
)

angle = st.floats(-np.pi, np.pi)
yaw = st.floats(-np.pi / 2 + 1e-3, np.pi / 2 - 1e-3)


@settings(deadline=None)
@given(angle, angle, angle)
def test_matrix_is_a_rotation_made_of_roll_after_yaw_after_pitch(pitch, yaw, roll):
    matrix = rotation_matrix([pitch, yaw, roll])
    apart = rotation_matrix([0, 0, roll]) @ rotation_matrix([0, yaw, 0]) @ rotation_matrix([pitch, 0, 0])
    np.testing.assert_allclose(matrix, apart, atol=1e-12)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix) > 0


@settings(deadline=None)
@given(st.tuples(angle, yaw, angle))
def test_angles_invert_the_matrix(rotation):
    back = rotation_angles(rotation_matrix(rotation))
    np.testing.assert_allclose(rotation_matrix(back), rotation_matrix(rotation), atol=1e-9)
    difference = np.angle(np.exp(1j * (back - np.array(rotation))))
    np.testing.assert_allclose(difference, 0, atol=1e-6)


@settings(deadline=None)
@given(angle, angle, st.sampled_from([-np.pi / 2, np.pi / 2]))
def test_angles_are_finite_and_right_at_the_singularity(pitch, roll, yaw):
    matrix = rotation_matrix([pitch, yaw, roll])
    np.testing.assert_allclose(rotation_matrix(rotation_angles(matrix)), matrix, atol=1e-6)


def test_many_rotations_at_once():
    rotations = np.random.default_rng(0).uniform(-1, 1, (4, 5, 3))
    assert rotation_matrix(rotations).shape == (4, 5, 3, 3)
    np.testing.assert_allclose(rotation_angles(rotation_matrix(rotations)), rotations)


def test_signs_are_those_of_the_coefficients():
    nose, crown = np.array([[0, 0, 0.1]]), np.array([[0, 0.1, 0]])
    ahead = [0, 0, 0.65]
    assert to_optical(nose, [0, 0, 0], ahead)[0] @ [0, 0, 1] < 0.65  # the face looks into the camera
    assert to_optical(nose, [0.3, 0, 0], ahead)[0, 1] > 0  # pitch: down in the image
    assert to_optical(nose, [0, 0.3, 0], ahead)[0, 0] < 0  # yaw: image left
    assert to_optical(crown, [0, 0, 0.3], ahead)[0, 0] > 0  # roll: crown to the image right
    assert to_optical([[0.1, 0, 0]], [0, 0, 0], ahead)[0, 0] > 0  # the subject's left: image right
    assert np.linalg.det(OPTICAL_FROM_MODEL) > 0


def test_pinhole_projection():
    pixels = project([[0.1, -0.2, 2.0], [0, 0, 1.0]], focal=100.0, centre=(50, 40))
    np.testing.assert_allclose(pixels, [[55, 30], [50, 40]])
