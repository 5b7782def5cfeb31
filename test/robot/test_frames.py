import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.robot import JointMapper, Robot, load_robot
from listener_head.robot.frames import head_angles

# Columns: the body's axes (forward, left, up) in the optical frame of the camera that the head faces.
BODY_IN_CAMERA = np.array([[0, 1, 0], [0, 0, -1], [-1, 0, 0]], float)


def turn(axis: np.ndarray, angle: float) -> np.ndarray:
    """Rotation matrix about a unit axis (Rodrigues' formula)."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


X, Y, Z = np.eye(3)


def chain(pitch: float, yaw: float, roll: float) -> np.ndarray:
    return turn(Z, yaw) @ turn(Y, pitch) @ turn(X, roll)


def generic_head(positions: np.ndarray) -> np.ndarray:
    pan, tilt, roll = positions
    return turn(Z, pan) @ turn(Y, tilt) @ turn(X, roll)


def tiago_head(positions: np.ndarray) -> np.ndarray:
    """From the URDF: head_1 about z; head_2 about the z axis of a frame turned by 90 degrees about x."""
    pan, tilt = positions
    return turn(Z, pan) @ turn(turn(X, np.pi / 2) @ Z, tilt)


HEADS = {"generic": generic_head, "tiago": tiago_head}


@settings(max_examples=300, deadline=None)
@given(*[st.floats(-1.2, 1.2)] * 3)
def test_the_body_frame_angles_are_the_same_rotation(pitch: float, yaw: float, roll: float) -> None:
    in_camera = turn(Z, roll) @ turn(Y, yaw) @ turn(X, pitch)
    in_body = BODY_IN_CAMERA.T @ in_camera @ BODY_IN_CAMERA
    np.testing.assert_allclose(chain(*head_angles(pitch, yaw, roll)), in_body, atol=1e-9)


def test_the_camera_faces_the_head() -> None:
    assert np.linalg.det(BODY_IN_CAMERA) == pytest.approx(1.0)
    np.testing.assert_allclose(BODY_IN_CAMERA @ X, -Z)


@pytest.mark.parametrize(
    ("angles", "expected"),
    [((0.1, 0, 0), (0.1, 0, 0)), ((0, 0.1, 0), (0, -0.1, 0)), ((0, 0, 0.1), (0, 0, -0.1))],
)
def test_pitch_keeps_its_sign_yaw_and_roll_change_theirs(angles: tuple, expected: tuple) -> None:
    np.testing.assert_allclose(head_angles(*angles), expected, atol=1e-12)


def pose_after(robot: Robot, rotation: tuple[float, float, float]) -> np.ndarray:
    """The head's orientation 0.5 s after the listener leaves its mean pose for a rotation."""
    mapper = JointMapper(robot)
    mapper.start(robot.neutral, 0.0)
    still = Coefficients.from_motion("arkit52", LAYOUTS["arkit52"].neutral())
    for k in range(46):
        mapper.update(still, k / 30)
        if k >= 30:
            still.rotation = np.float32(rotation) * min(1.0, (k - 29) / 10)
        for sample in range(3):
            target = mapper.sample(k / 30 + sample / 90 + 1e-3)
    return HEADS[robot.name if robot.name in HEADS else "generic"](target.positions)


@pytest.mark.parametrize("name", HEADS)
def test_a_nod_starts_downwards(name: str) -> None:
    nose = pose_after(load_robot(name), (0.15, 0.0, 0.0)) @ X
    assert nose[2] < -0.05
    assert abs(nose[1]) < 0.01


@pytest.mark.parametrize("name", HEADS)
def test_a_turn_to_the_left_of_the_image_goes_to_the_robots_own_right(name: str) -> None:
    nose = pose_after(load_robot(name), (0.0, 0.15, 0.0)) @ X
    assert nose[1] < -0.05
    assert abs(nose[2]) < 0.01


def test_a_crown_tipped_to_the_right_of_the_image_goes_to_the_robots_own_left() -> None:
    crown = pose_after(load_robot("generic"), (0.0, 0.0, 0.15)) @ Z
    assert crown[1] > 0.05
