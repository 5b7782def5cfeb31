"""Each shipped robot file against the facts that its maker publishes, written down here a second time."""

import re
from dataclasses import dataclass, field
from math import pi, radians

import numpy as np
import pytest

from listener_head.coefficients import ARKIT_NAMES
from listener_head.robot import Robot, load_robot
from listener_head.robot.description import HEAD_ANGLES, DerivativeLimit
from listener_head.robot.kinematics import HeadKinematics
from listener_head.robot.robot_file import robot_files

HEAD_CONTROLLER = ("trajectory_msgs/JointTrajectory", "/head_controller/joint_trajectory")
NAOQI = ("naoqi_bridge_msgs/JointAnglesWithSpeed", "/joint_angles")


@dataclass(frozen=True)
class Facts:
    """Joints that turn the head with their published ranges [rad], other joints, and where both are sent."""

    head: dict[str, tuple[float, float]]
    commands: tuple[tuple[str, str], ...]
    joint_states: str = "/joint_states"
    face: dict[str, tuple[float, float]] = field(default_factory=dict)
    # The file keeps off the ends, which the robot's own software does not let it reach.
    is_narrower: bool = False


FACTS = {
    "generic": Facts(
        {"head_pan_joint": (-1.3, 1.3), "head_tilt_joint": (-0.7, 0.8), "head_roll_joint": (-0.5, 0.5)},
        (HEAD_CONTROLLER,),
    ),
    "tiago": Facts({"head_1_joint": (-1.309, 1.309), "head_2_joint": (-1.0472, 0.7854)}, (HEAD_CONTROLLER,)),
    "ari": Facts({"head_1_joint": (-1.309, 1.309), "head_2_joint": (-0.2618, 0.4363)}, (HEAD_CONTROLLER,)),
    "reachy2": Facts(
        {"neck_roll": (-0.35, 0.35), "neck_pitch": (-0.35, 0.35), "neck_yaw": (-1.57, 1.57)},
        (
            ("std_msgs/Float64MultiArray", "/neck_forward_position_controller/commands"),
            ("std_msgs/Float64MultiArray", "/antenna_forward_position_controller/commands"),
        ),
        face={"antenna_left": (-1.5708, 1.5708), "antenna_right": (-1.5708, 1.5708)},
    ),
    "pepper": Facts({"HeadYaw": (-2.0857, 2.0857), "HeadPitch": (-0.7069, 0.637)}, (NAOQI,)),
    "nao": Facts({"HeadYaw": (-2.0857, 2.0857), "HeadPitch": (-0.672, 0.5149)}, (NAOQI,), is_narrower=True),
    "stretch": Facts(
        {"joint_head_pan": (-3.9, 1.5), "joint_head_tilt": (-1.53, 0.79)},
        (("control_msgs/FollowJointTrajectory", "/stretch_controller/follow_joint_trajectory"),),
    ),
    "qtrobot": Facts(
        {"HeadYaw": (-1.0472, 1.0472), "HeadPitch": (-0.2618, 0.4363)},
        (("std_msgs/Float64MultiArray", "/qt_robot/head_position/command"),),
        joint_states="/qt_robot/joints/state",
    ),
    "pr2": Facts(
        {"head_pan_joint": (-3.007, 3.007), "head_tilt_joint": (-0.4712, 1.3963)},
        (("trajectory_msgs/JointTrajectory", "/head_traj_controller/command"),),
        is_narrower=True,
    ),
    "icub": Facts(
        {"neck_pitch": (-0.6981, 0.384), "neck_roll": (-0.3491, 0.3491), "neck_yaw": (-0.8727, 0.8727)},
        (HEAD_CONTROLLER,),
        is_narrower=True,
    ),
    "ergocub": Facts(
        {"neck_pitch": (-0.7854, 0.384), "neck_roll": (-0.3491, 0.3491), "neck_yaw": (-0.7854, 0.7854)},
        (HEAD_CONTROLLER,),
        is_narrower=True,
    ),
    "unitree_h2": Facts(
        {"head_pitch_joint": (-0.5236, 0.8378), "head_yaw_joint": (-1.7453, 1.7453)}, (HEAD_CONTROLLER,)
    ),
    "unitree_r1": Facts(
        {"head_pitch_joint": (-0.6283, 0.6283), "head_yaw_joint": (-2.0071, 2.0071)}, (HEAD_CONTROLLER,)
    ),
    "poppy": Facts({"head_z": (-1.5708, 1.5708), "head_y": (-0.7854, 0.1047)}, (HEAD_CONTROLLER,)),
    "inmoov": Facts(
        {
            "i01_head_neck_001_joint": (-0.3491, 0.3491),
            "neck_joint": (-0.3491, 0.3491),
            "i01_head_rothead_joint": (-1.0472, 0.8727),
        },
        (("sensor_msgs/JointState", "/urdf_joint_positions"),),
        joint_states="/urdf_joint_states",
        face={
            "i02_head_jaw_joint": (0.0, 0.1745),
            "i02_head_upper_lip_joint": (0.0, 0.1),
            "i02_head_left_eyebrow_joint": (-0.5236, 0.3491),
            "i02_head_right_eyebrow_joint": (-0.1745, 0.4363),
            "i02_head_left_top_eyelid_joint": (-0.2618, 0.1745),
            "i02_head_left_bottom_eyelid_joint": (-0.1745, 0.1745),
            "i02_head_right_top_eyelid_joint": (-0.3491, 0.2618),
            "i02_head_right_bottom_eyelid_joint": (-0.2618, 0.1745),
            "i02_head_left_cheek_joint": (-0.4363, 0.2618),
            "i02_head_right_cheek_joint": (-0.3316, 0.3142),
            "i02_head_left_eye_horizontal_joint": (-0.1745, 0.1745),
            "i02_head_left_eye_vertical_joint": (-0.3491, 0.1745),
        },
    ),
}
ROBOTS = {name: load_robot(name) for name in FACTS}
WITH_CAMERA = [name for name, robot in ROBOTS.items() if robot.camera is not None]
# Largest speed of naoqi's head motors [rad/s], from the URDFs.
NAOQI_SPEEDS = {"pepper": {"HeadYaw": 7.34, "HeadPitch": 9.23}, "nao": {"HeadYaw": 8.27, "HeadPitch": 7.19}}
# Largest acceleration [rad/s^2] and jerk [rad/s^3] that may be chosen without a file that says so.
CHOSEN_FOR_HEADS = (10.0, 100.0)
CHOSEN_FOR_FACES = (15.0, 300.0)
A_FILE = re.compile(r"\w\.(py|ya?ml|xml|json|urdf)\b")
ROUNDING = 1e-3


def positions(robot: Robot, **signals: float) -> np.ndarray:
    """Joint positions [J] for head angles [rad] and expression weights, without limits."""
    return np.array(
        [
            joint.neutral + sum(gain * signals.get(signal, 0.0) for signal, gain in joint.drive.items())
            for joint in robot.joints
        ]
    )


def head_turn(robot: Robot, **signals: float) -> np.ndarray:
    """Rotation [3, 3] of the head in the body frame away from neutral."""
    kinematics = HeadKinematics(robot)
    rest = kinematics.head(robot.neutral)[:3, :3]
    return kinematics.head(positions(robot, **signals))[:3, :3] @ rest.T


def test_every_robot_is_unverified() -> None:
    files = {path.stem: load_robot(path) for path in robot_files()}
    assert set(FACTS) <= set(files)
    assert not any(robot.verified for robot in files.values())


@pytest.mark.parametrize("name", FACTS)
def test_joints_and_topics_are_those_of_the_robot(name: str) -> None:
    robot, facts = ROBOTS[name], FACTS[name]
    assert robot.joint_names == (*facts.head, *facts.face)
    assert [robot.joint_names[i] for i in robot.chain] == list(facts.head)
    assert tuple((command.type, command.topic) for command in robot.commands) == facts.commands
    assert robot.joint_states == facts.joint_states
    sent = [joint for command in robot.commands for joint in command.joints or robot.joint_names]
    assert sorted(sent) == sorted(robot.joint_names)


@pytest.mark.parametrize("name", FACTS)
def test_ranges_are_inside_the_published_ones(name: str) -> None:
    facts = FACTS[name]
    for joint in ROBOTS[name].joints:
        low, high = {**facts.head, **facts.face}[joint.name]
        limit = joint.limits.position
        assert low - 1e-4 <= limit.min < limit.max <= high + 1e-4, joint.name
        if not facts.is_narrower:
            assert [limit.min, limit.max] == pytest.approx([low, high], abs=ROUNDING), joint.name


@pytest.mark.parametrize("name", FACTS)
def test_the_head_turns_the_way_it_is_asked_to(name: str) -> None:
    robot = ROBOTS[name]
    forward, up = np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])
    down = head_turn(robot, pitch=0.1) @ forward
    assert down == pytest.approx([np.cos(0.1), 0.0, -np.sin(0.1)], abs=0.01)
    left = head_turn(robot, yaw=0.1) @ forward
    assert left == pytest.approx([np.cos(0.1), np.sin(0.1), 0.0], abs=0.01)
    crown = head_turn(robot, roll=0.1) @ up
    rolls = len(FACTS[name].head) == 3
    assert crown == pytest.approx([0.0, -np.sin(0.1), np.cos(0.1)] if rolls else up, abs=0.01)


@pytest.mark.parametrize("name", WITH_CAMERA)
def test_the_camera_looks_ahead_at_neutral_and_its_pictures_are_upright(name: str) -> None:
    robot = ROBOTS[name]
    right, down, ahead = HeadKinematics(robot).camera(robot.neutral)[:3, :3].T
    assert ahead == pytest.approx([1.0, 0.0, 0.0], abs=0.03)
    assert right == pytest.approx([0.0, -1.0, 0.0], abs=0.03)
    assert down == pytest.approx([0.0, 0.0, -1.0], abs=0.03)


def test_only_robots_without_a_camera_fixed_to_the_head_go_without() -> None:
    without = {"icub", "ergocub", "unitree_h2", "unitree_r1", "poppy", "inmoov"}
    assert set(FACTS) - set(WITH_CAMERA) == without


def test_poppys_head_is_level_at_neutral() -> None:
    crown = HeadKinematics(ROBOTS["poppy"]).head(ROBOTS["poppy"].neutral)[:3, 1]
    assert crown == pytest.approx([0.0, 0.0, 1.0], abs=1e-5)


@pytest.mark.parametrize("name", FACTS)
def test_a_nod_of_four_degrees_at_half_a_hertz_is_possible(name: str) -> None:
    nodding = [joint for joint in ROBOTS[name].joints if "pitch" in joint.drive]
    assert nodding
    for joint in nodding:
        amplitude, rate = radians(4.0) * abs(joint.drive["pitch"]), 2 * pi * 0.5
        limits = joint.limits
        assert amplitude * rate < limits.velocity.max
        assert amplitude * rate**2 < limits.acceleration.max
        assert amplitude * rate**3 < limits.jerk.max
        room = min(joint.neutral - limits.position.min, limits.position.max - joint.neutral)
        assert room >= max(amplitude, 0.1)


@pytest.mark.parametrize("name", FACTS)
def test_limits_that_no_file_states_are_low(name: str) -> None:
    for joint in ROBOTS[name].joints:
        limits = joint.limits
        chosen = CHOSEN_FOR_HEADS if joint.mount is not None else CHOSEN_FOR_FACES
        assert limits.velocity.max <= 3.0 or names_a_file(limits.velocity), joint.name
        assert limits.acceleration.max <= chosen[0] or names_a_file(limits.acceleration), joint.name
        assert limits.jerk.max <= chosen[1] or names_a_file(limits.jerk), joint.name


def names_a_file(limit: DerivativeLimit) -> bool:
    return A_FILE.search(limit.source) is not None


@pytest.mark.parametrize("name", FACTS)
def test_every_number_says_where_it_is_from(name: str) -> None:
    robot = ROBOTS[name]
    origin = re.compile(r"\bURDF\b|\bchosen\b|same file|doc\.|\w\.(py|ya?ml|xml|json)\b")
    for joint in robot.joints:
        limits = joint.limits
        for limit in (limits.position, limits.velocity, limits.acceleration, limits.jerk):
            assert origin.search(limit.source), (joint.name, limit.source)
    if name != "generic":
        assert robot.urdf is not None
        assert robot.urdf.startswith("https://github.com/")


@pytest.mark.parametrize("name", FACTS)
def test_expression_stays_inside_the_ranges_and_off_the_neck(name: str) -> None:
    robot = ROBOTS[name]
    for shape in ARKIT_NAMES:
        for joint, position in zip(robot.joints, positions(robot, **{shape: 1.0}), strict=True):
            limit = joint.limits.position
            assert limit.min <= position <= limit.max, (joint.name, shape)
    for joint in robot.joints:
        is_neck = joint.name in FACTS[name].head
        assert all((signal in HEAD_ANGLES) == is_neck for signal in joint.drive), joint.name


def inmoov_moved(**weights: float) -> dict[str, float]:
    """Joints of InMoov's face that leave neutral for expression weights, and their positions [rad]."""
    robot = ROBOTS["inmoov"]
    return {name: x for name, x in zip(robot.joint_names, positions(robot, **weights), strict=True) if x}


def test_inmoov_blinks_with_its_four_lids() -> None:
    moved = inmoov_moved(eyeBlinkLeft=1.0, eyeBlinkRight=1.0)
    sides = [f"{side}_{lid}" for side in ("left", "right") for lid in ("top", "bottom")]
    assert set(moved) == {f"i02_head_{side}_eyelid_joint" for side in sides}
    assert max(moved.values()) < -0.1


def test_inmoov_smiles_with_its_cheeks_and_opens_its_jaw() -> None:
    assert inmoov_moved(mouthSmileRight=1.0) == {"i02_head_right_cheek_joint": pytest.approx(0.26)}
    assert inmoov_moved(jawOpen=1.0) == {"i02_head_jaw_joint": pytest.approx(radians(10.0), abs=ROUNDING)}


def test_reachys_antennas_move_as_mirror_images() -> None:
    *_, left, right = positions(ROBOTS["reachy2"], mouthSmileLeft=0.7, browInnerUp=0.3)
    assert left == pytest.approx(-right)
    assert abs(left) > 0.1


@pytest.mark.parametrize("name", NAOQI_SPEEDS)
def test_naoqi_is_asked_for_a_speed_that_can_follow(name: str) -> None:
    (command,) = ROBOTS[name].commands
    for joint in ROBOTS[name].joints:
        assert joint.limits.velocity.max <= command.speed * NAOQI_SPEEDS[name][joint.name]


def test_only_qtrobot_is_commanded_in_degrees() -> None:
    in_degrees = {name for name, robot in ROBOTS.items() for c in robot.commands if c.unit == "deg"}
    assert in_degrees == {"qtrobot"}
