"""The head faces the speaker: where it looks, how smoothly, and how it lets go."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.errors import UserError
from listener_head.robot import HeadControl, Robot
from listener_head.robot.gaze import Gaze
from listener_head.robot.kinematics import HeadKinematics
from listener_head.robot.robot_file import read_robot, robot_files

ROBOTS = {path.stem: read_robot(path) for path in robot_files()}
STILL = Coefficients.from_motion("arkit52", LAYOUTS["arkit52"].neutral())
GENERIC = ROBOTS["generic"]
EYE = np.array([0.08, 0.0, 0.47])  # of the generic head at neutral


def before_eye(forward: float, left: float, up: float) -> np.ndarray:
    """A point [m] as the generic head sees it at neutral."""
    return EYE + np.array([forward, left, up])


def eye_of(robot: Robot, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Place of the eye, or of the head without one, and where it looks, in the body frame."""
    kinematics = HeadKinematics(robot)
    if robot.camera is not None and robot.camera.parent == robot.frames.head:
        camera = kinematics.camera(positions)
        return camera[:3, 3], camera[:3, 2]
    head, neutral = kinematics.head(positions), kinematics.head(robot.neutral)
    return head[:3, 3], head[:3, :3] @ neutral[:3, :3].T @ [1.0, 0.0, 0.0]


@pytest.mark.parametrize("name", ROBOTS)
def test_the_head_comes_to_face_the_speaker(name: str) -> None:
    robot = ROBOTS[name]
    eye, forward = eye_of(robot, robot.neutral)
    # A metre and a half ahead, to the left, and a little higher or lower, as a pan-tilt head can look.
    pan, tilt = 0.3, -0.05
    level = np.array([[np.cos(pan), -np.sin(pan), 0], [np.sin(pan), np.cos(pan), 0], [0, 0, 1]])
    point = eye + 1.5 * level @ (forward - [0.0, 0.0, tilt])
    control = HeadControl(robot, gaze=True, wait_for_joint_states=False)
    in_base = HeadKinematics(robot).body_of_base[:3, :3].T @ point
    for k in range(200):
        t = k / 25
        control.look_at(in_base, t)
        control.update(STILL, t)
        for s in range(4):
            points = control.command(t + s / 100)
    eye, forward = eye_of(robot, points[0].positions)
    way = (point - eye) / np.linalg.norm(point - eye)
    assert np.degrees(np.arccos(min(1.0, way @ forward))) < 1.0


def angles_of(gaze: Gaze, seconds: float, first: float, point: np.ndarray | None) -> np.ndarray:
    """Gaze angles [T, 3] at 30 Hz while the speaker is at a point of the generic head's base, or away."""
    angles = []
    for k in range(round(30 * seconds)):
        t = first + k / 30
        if point is not None:
            gaze.look_at(point, t)
        angles.append(gaze.step(t, 1 / 30))
    return np.array(angles)


@settings(max_examples=100, deadline=None)
@given(
    places=st.lists(
        st.one_of(st.none(), st.tuples(st.floats(-1, 3), st.floats(-2, 2), st.floats(-1, 2))),
        min_size=1,
        max_size=8,
    )
)
def test_it_never_jumps_wherever_the_speaker_is(places: list) -> None:
    gaze = Gaze(GENERIC)
    angles = np.concatenate(
        [
            angles_of(gaze, 0.7, 0.7 * i, None if place is None else np.array(place))
            for i, place in enumerate(places)
        ]
    )
    speed = np.linalg.norm(np.diff(angles, axis=0), axis=1) * 30
    assert speed.max(initial=0.0) < 0.75
    change = np.diff(np.concatenate([np.zeros((2, 3)), angles]), n=2, axis=0) * 30**2
    assert np.linalg.norm(change, axis=1).max() < 6.0
    # Room is left for nods and turns of nearly ten degrees.
    for joint, position in zip(GENERIC.joints, angles[:, [1, 0, 2]].T, strict=True):
        assert position.min() >= joint.limits.position.min + 0.17
        assert position.max() <= joint.limits.position.max - 0.17


def test_it_settles_in_two_seconds_without_overshoot() -> None:
    yaw = angles_of(Gaze(GENERIC), 4.0, 0.0, before_eye(1.0, 0.5, 0.0))[:, 1]
    assert (np.diff(yaw) >= -1e-9).all()
    assert yaw[21] < 0.6 * yaw[-1]
    assert yaw[66] > 0.93 * yaw[-1]


def test_the_speakers_own_nods_and_swaying_do_not_steer_it() -> None:
    gaze = Gaze(GENERIC)
    middle = before_eye(1.0, 0.2, 0.1)
    settled = angles_of(gaze, 5.0, 0.0, middle)[-1]
    for k in range(60):
        swaying = middle + np.array([0.05, 0.05 * np.sin(k / 5), 0.03 * np.sin(k / 3)])
        later = angles_of(gaze, 0.1, 5.0 + k / 10, swaying)
        np.testing.assert_allclose(later, np.broadcast_to(settled, later.shape), atol=1e-4)


def test_it_stays_when_the_speaker_is_lost_and_returns_after_seconds() -> None:
    gaze = Gaze(GENERIC)
    settled = angles_of(gaze, 5.0, 0.0, before_eye(1.0, 0.5, 0.0))[-1]
    away = angles_of(gaze, 10.0, 5.0, None)
    np.testing.assert_allclose(away[:85], np.broadcast_to(settled, (85, 3)), atol=1e-3)
    assert np.linalg.norm(np.diff(away, axis=0), axis=1).max() * 30 < 0.5
    np.testing.assert_allclose(away[-1], 0.0, atol=1e-3)


@pytest.mark.parametrize(
    "point", [(np.nan, 0.0, 0.0), (1.0, np.inf, 0.0), (0.1, 0.1, 0.47), (-1.0, 0.1, 0.5), (1.0, 0.0)]
)
def test_a_point_where_no_speaker_can_be_is_left_out(point: tuple[float, ...]) -> None:
    gaze = Gaze(GENERIC)
    settled = angles_of(gaze, 5.0, 0.0, before_eye(1.0, 0.5, 0.0))[-1]
    for k in range(60):
        gaze.look_at(point, 5.0 + k / 30)
        np.testing.assert_allclose(gaze.step(5.0 + k / 30, 1 / 30), settled, atol=1e-3)
    gaze.look_at(before_eye(1.0, 0.0, 0.0), float("nan"))
    np.testing.assert_allclose(gaze.step(7.0, 1 / 30), settled, atol=1e-3)


def test_a_clock_that_goes_back_does_not_lose_the_speaker() -> None:
    gaze = Gaze(GENERIC)
    settled = angles_of(gaze, 5.0, 100.0, before_eye(1.0, 0.5, 0.0))[-1]
    np.testing.assert_allclose(angles_of(gaze, 2.0, 0.0, None), np.broadcast_to(settled, (60, 3)), atol=1e-3)
    np.testing.assert_allclose(angles_of(gaze, 8.0, 2.0, None)[-1], 0.0, atol=1e-2)


def test_the_listeners_nods_are_added_to_it() -> None:
    control = HeadControl(GENERIC, gaze=True, wait_for_joint_states=False)
    positions = []
    for k in range(300):
        t = k / 30
        motion = LAYOUTS["arkit52"].neutral()
        motion[0] = np.radians(8) * np.sin(2 * np.pi * t)
        control.look_at(before_eye(1.0, 0.5, -0.2), t)
        control.update(Coefficients.from_motion("arkit52", motion), t)
        for s in range(3):
            positions.append(control.command(t + s / 90)[0].positions)
    late = np.array(positions)[-270:]
    assert late[:, 0].mean() == pytest.approx(np.arctan2(0.5, 1.0), abs=0.05)
    assert np.ptp(late[:, 0]) < np.radians(0.5)
    assert late[:, 1].mean() == pytest.approx(0.18, abs=0.03)
    assert np.ptp(late[:, 1]) / 2 == pytest.approx(np.radians(8), rel=0.1)


def test_a_robot_without_kinematics_is_refused() -> None:
    data = GENERIC.model_dump()
    for joint in data["joints"]:
        joint["mount"] = None
    with pytest.raises(UserError, match="none of its joints has a mount"):
        HeadControl(Robot.model_validate(data), gaze=True)
