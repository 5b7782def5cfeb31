"""What the listener asks of joints: tables, a platform's inverse kinematics, faces of another model."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from listener_head.coefficients import ARKIT_NAMES, LAYOUTS, Coefficients
from listener_head.face.model import load_face_model
from listener_head.face.retarget import Retarget
from listener_head.robot import HeadControl, HeadState, Robot, load_robot
from listener_head.robot.description import SIGNALS
from listener_head.robot.drive import Drive
from listener_head.robot.kinematics import HeadKinematics

MINI = load_robot("reachy_mini")
LEGS = [MINI.joint_names.index(leg.joint) for leg in MINI.platform.legs]
STRAIGHT = np.zeros(3)


def turning_body(gain: float) -> Robot:
    """Reachy Mini with a body that takes a part of the yaw."""
    data = MINI.model_dump()
    (body,) = [joint for joint in data["joints"] if joint["name"] == "yaw_body"]
    body["drive"] = {"yaw": gain}
    return Robot.model_validate(data)


def head_rotation(robot: Robot, positions: np.ndarray) -> Rotation:
    """How far the head is turned from neutral, in the body frame."""
    kinematics = HeadKinematics(robot)
    matrix = kinematics.head(positions)[:3, :3] @ kinematics.head(robot.neutral)[:3, :3].T
    return Rotation.from_matrix(matrix)


def signals(pitch: float = 0.0, yaw: float = 0.0, roll: float = 0.0) -> np.ndarray:
    values = np.zeros(len(SIGNALS))
    values[:3] = pitch, yaw, roll
    return values


@settings(max_examples=100, deadline=None)
@given(
    motion=st.tuples(*[st.floats(-0.15, 0.15)] * 3),
    gaze=st.tuples(st.floats(-0.2, 0.2), st.floats(-0.5, 0.5)),
    gain=st.sampled_from([0.5, 1.0]),
)
def test_the_platform_turns_the_head_by_what_is_asked(motion: tuple, gaze: tuple, gain: float) -> None:
    for robot in (MINI, turning_body(gain)):
        base, added = Drive(robot).displacements(signals(*motion), np.array([*gaze, 0.0]))
        pitch, yaw, roll = np.add(motion, (*gaze, 0.0))
        wanted = Rotation.from_euler("ZYX", [yaw, pitch, roll])
        found = head_rotation(robot, robot.neutral + base + added)
        assert (found * wanted.inv()).magnitude() < 1e-4
        looking = head_rotation(robot, robot.neutral + base)
        assert (looking * Rotation.from_euler("ZYX", [gaze[1], gaze[0], 0.0]).inv()).magnitude() < 1e-4


@settings(max_examples=100, deadline=None)
@given(angles=st.tuples(*[st.floats(-2.0, 2.0)] * 3))
def test_beyond_the_reach_the_platform_goes_as_far_as_it_can_in_that_direction(angles: tuple) -> None:
    _, added = Drive(MINI).displacements(signals(*angles), STRAIGHT)
    positions = MINI.neutral + added
    for i in LEGS:
        limit = MINI.joints[i].limits.position
        assert limit.min - 1e-9 <= positions[i] <= limit.max + 1e-9
    wanted = Rotation.from_euler("ZYX", angles[1::-1] + angles[2:]).as_rotvec()
    found = head_rotation(MINI, positions).as_rotvec()
    size = np.linalg.norm(wanted)
    assert np.linalg.norm(found) <= size + 1e-4
    np.testing.assert_allclose(np.cross(found, wanted), 0.0, atol=2e-4 * max(1.0, size))
    assert found @ wanted >= -1e-4


def test_a_robot_file_may_let_the_body_take_a_part_of_the_yaw() -> None:
    robot = turning_body(0.5)
    base, added = Drive(robot).displacements(signals(yaw=0.2), np.array([0.0, 0.4, 0.0]))
    body = robot.joint_names.index("yaw_body")
    assert base[body] == pytest.approx(0.2)
    assert added[body] == pytest.approx(0.1)


@pytest.mark.parametrize(("value", "expected"), [(0.5, 0.05), (1.0, 0.1), (7.0, 0.1), (-3.0, 0.0)])
def test_expression_shapes_saturate(value: float, expected: float) -> None:
    data = load_robot("generic").model_dump()
    data["joints"][2]["drive"] = {"jawOpen": 0.1}
    motion = LAYOUTS["arkit52"].neutral()
    motion[LAYOUTS["arkit52"].index("jawOpen")] = value
    drive = Drive(Robot.model_validate(data))
    found = drive.signals(Coefficients.from_motion("arkit52", motion))
    assert drive.displacements(found, STRAIGHT)[1][2] == pytest.approx(expected)


def basel_listener(jaw: float) -> Coefficients:
    """A listener of 64 shapes, the first 52 of them those of ARKit."""
    motion = LAYOUTS["bfm2009"].neutral()
    motion[LAYOUTS["bfm2009"].expression.start + ARKIT_NAMES.index("jawOpen")] = jaw
    return Coefficients.from_motion("bfm2009", motion)


def basel_retarget() -> Retarget:
    head = load_face_model("arkit52")
    shapes = np.concatenate([head.expression_basis, np.zeros((12, *head.mean.shape), np.float32)])
    basel = replace(head, name="bfm2009", layout=LAYOUTS["bfm2009"], expression_basis=shapes)
    return Retarget(basel, head)


def test_a_bfm_listener_moves_the_face_through_retargeting() -> None:
    inmoov = load_robot("inmoov")
    jaw = next(i for i, joint in enumerate(inmoov.joints) if "jawOpen" in joint.drive)
    drive = Drive(inmoov, basel_retarget())
    added = drive.displacements(drive.signals(basel_listener(0.8)), STRAIGHT)[1]
    assert added[jaw] == pytest.approx(0.8 * inmoov.joints[jaw].drive["jawOpen"], rel=0.1)
    assert drive.note == ""


def test_without_retargeting_a_bfm_listener_moves_the_head_alone_and_this_is_said() -> None:
    control = HeadControl(load_robot("inmoov"), gaze=False, wait_for_joint_states=False)
    control.command(1.0)
    assert control.note == ""
    control.update(basel_listener(0.8), 1.0)
    control.command(1.02)
    assert control.state is HeadState.MOVING
    assert "face is bfm2009" in control.note
    # A head without a face has nothing to miss.
    control = HeadControl(load_robot("tiago"), gaze=False, wait_for_joint_states=False)
    control.update(basel_listener(0.8), 1.0)
    assert control.note == ""


def test_a_frame_of_another_size_or_model_is_left_out() -> None:
    drive = Drive(load_robot("generic"))
    good = basel_listener(0.1)
    assert drive.signals(good) is not None
    assert drive.signals(replace(good, face_model="arkit52")) is None
    assert drive.signals(replace(good, face_model="flame")) is None
    assert drive.signals(replace(good, expression=good.expression * np.nan)) is None
