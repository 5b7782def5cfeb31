from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listener_head.errors import UserError
from listener_head.robot import Robot, load_robot
from listener_head.robot.check import check
from listener_head.robot.kinematics import HeadKinematics
from listener_head.robot.response import nod
from listener_head.robot.robot_file import robot_files
from listener_head.robot.urdf import urdf_of
from listener_head.robot.urdf_check import against
from listener_head.robot.urdf_reader import Urdf, parse_urdf, read_urdf

ROBOTS = [path.stem for path in robot_files()]


def with_joint(robot: Robot, number: int, **changes: object) -> Robot:
    joints = list(robot.joints)
    joints[number] = joints[number].model_copy(update=changes)
    return robot.model_copy(update={"joints": joints})


@pytest.mark.parametrize("name", ROBOTS)
def test_every_shipped_robot_turns_the_right_way(name: str) -> None:
    assert check(load_robot(name)) == []


@pytest.mark.parametrize(
    ("number", "signal", "words"),
    [(0, "yaw", "to its left"), (1, "pitch", "the nose down"), (2, "roll", "the crown to the head's right")],
)
def test_a_joint_that_turns_the_wrong_way_is_found(number: int, signal: str, words: str) -> None:
    (found,) = check(with_joint(load_robot("generic"), number, drive={signal: -1.0}))
    assert found.wrong
    assert found.subject == signal
    assert words in found.message


def test_a_base_that_looks_backward_is_found() -> None:
    generic = load_robot("generic")
    frames = generic.frames.model_copy(update={"base_rpy": (0.0, 0.0, np.pi)})
    found = check(generic.model_copy(update={"frames": frames}))
    assert {finding.subject for finding in found} == {"pitch", "roll", "camera_optical_frame"}
    assert all(finding.wrong for finding in found)


def test_limits_show_in_the_answer_to_a_nod() -> None:
    generic = load_robot("generic")
    free = nod(generic, 1.0, 8.0)
    assert free.delay < 0.120
    assert free.kept == pytest.approx(1.0, abs=0.1)
    limits = generic.joints[1].limits
    slow = limits.model_copy(update={"velocity": limits.velocity.model_copy(update={"max": 0.3})})
    assert nod(with_joint(generic, 1, limits=slow), 1.0, 8.0).kept < 0.6
    still = with_joint(generic, 1, drive={"jawOpen": 0.1})
    assert nod(still, 1.0, 8.0).delay is None


@pytest.mark.parametrize("name", ROBOTS)
def test_a_robot_agrees_with_the_urdf_made_from_its_file(name: str) -> None:
    robot = load_robot(name)
    assert check(robot, parse_urdf(urdf_of(robot), "its own URDF")) == []


@pytest.mark.parametrize("name", ROBOTS)
def test_the_urdf_made_from_a_file_moves_as_the_kinematics_do(name: str) -> None:
    robot = load_robot(name)
    urdf, kinematics = parse_urdf(urdf_of(robot), "its own URDF"), HeadKinematics(robot)
    rng = np.random.default_rng(1)
    lows = [joint.limits.position.min for joint in robot.joints]
    highs = [joint.limits.position.max for joint in robot.joints]
    for positions in rng.uniform(lows, highs, (5, len(lows))):
        angles = dict(zip(robot.joint_names, positions, strict=True))
        frame = robot.frames.head
        for leg in [] if robot.platform is None else robot.platform.legs:
            # The legs are no tree: in the URDF the platform is at rest.
            angles[leg.joint] = robot.joints[robot.joint_names.index(leg.joint)].neutral
        expected = kinematics.body_of_base @ urdf.pose(robot.frames.base, frame, angles)
        np.testing.assert_allclose(kinematics.head(list(angles.values())), expected, atol=1e-5)


# What is replaced in the URDF of the generic head, and subject and words of what is found then; True: wrong.
DISAGREEMENTS = {
    "name": (
        'joint name="head_tilt_joint"',
        'joint name="tilt"',
        True,
        "head_tilt_joint",
        "is not in the URDF",
    ),
    "fixed": (
        'name="head_roll_joint" type="revolute"',
        'name="head_roll_joint" type="fixed"',
        True,
        "head_roll_joint",
        "it is fixed in the URDF",
    ),
    "mimic": (
        '<limit lower="-0.7"',
        '<mimic joint="head_pan_joint" /><limit lower="-0.7"',
        True,
        "head_tilt_joint",
        "it mimics 'head_pan_joint'",
    ),
    "narrower": (
        'lower="-1.3"',
        'lower="-1.0"',
        True,
        "head_pan_joint",
        "are wider than the URDF's [-1, 1.3]",
    ),
    "wider": ('lower="-1.3"', 'lower="-1.5"', False, "head_pan_joint", "are narrower than the URDF's"),
    "slower": ('velocity="3"', 'velocity="2"', True, "head_pan_joint", "3 rad/s is above the URDF's 2"),
    "faster": ('velocity="3"', 'velocity="5"', False, "head_pan_joint", "3 rad/s is below the URDF's 5"),
    "placeholder": ('velocity="3"', 'velocity="50000"', False, "head_pan_joint", "looks like a placeholder"),
    "axis": ('xyz="0 1 0"', 'xyz="0 -1 0"', True, "head_tilt_joint", "[0, 1, 0]; the URDF says [0, -1, 0]"),
    "place": (
        'xyz="0 0 0.3"',
        'xyz="0 0 0.4"',
        True,
        "head_pan_joint",
        "URDF says xyz [0, 0, 0.4] rpy [0, 0, 0]",
    ),
    "turned": (
        '<origin xyz="0 0 0.05" rpy="0 0 0"',
        '<origin xyz="0 0 0.05" rpy="0 0 0.1"',
        True,
        "head_tilt_joint",
        "rpy [0, 0, 0]; the URDF says xyz [0, 0, 0.05] rpy [0, 0, 0.1]",
    ),
    "base": ('"torso_link"', '"chest"', True, "torso_link", "frames.base is no link of the URDF"),
    "camera": (
        'xyz="0.08 0 0.12"',
        'xyz="0.08 0.02 0.12"',
        True,
        "camera_optical_frame",
        "the URDF says xyz [0.08, 0.02, 0.12]",
    ),
    "no camera": ('"camera_optical_frame"', '"eye"', False, "camera_optical_frame", "is not in the URDF"),
    "camera that moves": (
        'name="camera_optical_frame_joint" type="fixed"',
        'name="camera_optical_frame_joint" type="continuous"',
        True,
        "camera_optical_frame",
        "camera_optical_frame_joint moves it against 'head_link'",
    ),
}


@pytest.mark.parametrize("disagreement", DISAGREEMENTS)
def test_a_disagreement_with_the_urdf_is_found(disagreement: str) -> None:
    before, after, wrong, subject, words = DISAGREEMENTS[disagreement]
    text = urdf_of(load_robot("generic"))
    assert before in text
    found = check(load_robot("generic"), parse_urdf(text.replace(before, after), "the URDF"))
    assert (wrong, subject) in {(finding.wrong, finding.subject) for finding in found}
    assert any(words in finding.message for finding in found), found


def test_fixed_joints_on_the_way_are_folded() -> None:
    text = urdf_of(load_robot("generic"))
    folded = text.replace('<parent link="head_pan_link" />', '<parent link="plate" />').replace(
        'xyz="0 0 0.05"', 'xyz="0 0 0.03"'
    )
    plate = (
        '<link name="plate" /><joint name="screws" type="fixed"><parent link="head_pan_link" />'
        '<child link="plate" /><origin xyz="0 0 0.02" /></joint></robot>'
    )
    urdf = parse_urdf(folded.replace("</robot>", plate), "the URDF")
    assert check(load_robot("generic"), urdf) == []


def test_another_joint_on_the_way_is_found() -> None:
    text = urdf_of(load_robot("generic"))
    text = text.replace('<parent link="head_pan_link" />', '<parent link="lift" />')
    lift = (
        '<link name="lift" /><joint name="lift_joint" type="prismatic"><parent link="head_pan_link" />'
        '<child link="lift" /><limit lower="0" upper="1" effort="1" velocity="1" /></joint></robot>'
    )
    (found,) = check(load_robot("generic"), parse_urdf(text.replace("</robot>", lift), "the URDF"))
    assert found.wrong
    assert "the URDF has lift_joint, head_tilt_joint" in found.message


@pytest.mark.parametrize(("left", "right"), [("l_ear", "r_ear"), ("LeftEar", "RightEar"), ("ear_L", "ear_R")])
def test_a_base_whose_left_is_not_left_is_found(left: str, right: str) -> None:
    ears = "".join(
        f'<link name="{name}" /><joint name="{name}_joint" type="fixed"><parent link="torso_link" />'
        f'<child link="{name}" /><origin xyz="{x} 0 0" /></joint>'
        for name, x in ((left, 0.1), (right, -0.1))
    )
    text = urdf_of(load_robot("generic")).replace("</robot>", f"{ears}</robot>")
    (found,) = check(load_robot("generic"), parse_urdf(text, "the URDF"))
    assert found.wrong
    assert found.subject == "frames.base_rpy"
    assert "lie towards [1, 0, 0]" in found.message


def test_a_platforms_motors_are_compared() -> None:
    robot = load_robot("reachy_mini")
    urdf = parse_urdf(urdf_of(robot), "the URDF")
    motor = urdf.joints["stewart_2"]
    aside = motor.origin.copy()
    aside[:3, 3] += motor.origin[:3, 0] * 0.01
    urdf.joints["stewart_2"] = replace(motor, origin=aside)
    (found,) = check(robot, urdf)
    assert found.wrong
    assert found.subject == "stewart_2"
    # Along its axis a motor may stand anywhere.
    along = motor.origin.copy()
    along[:3, 3] += motor.origin[:3, 2] * 0.01
    urdf.joints["stewart_2"] = replace(motor, origin=along)
    assert check(robot, urdf) == []


JOINT = "<joint name='j' type='{}'><parent link='a'/><child link='{}'/></joint>"
NO_URDF = {
    "": "is not a valid URDF",
    "<robot": "is not a valid URDF",
    "<html/>": "is not a valid URDF",
    "<robot name='r'><xacro:include filename='a'/></robot>": "run 'xacro",
    f"<robot name='r'><link name='a'/>{JOINT.format('hinge', 'a')}</robot>": "Invalid joint type: hinge",
    f"<robot name='r'><link name='a'/>{JOINT.format('fixed', 'b')}</robot>": "joint 'j' names no link 'b'",
}


@pytest.mark.parametrize("text", NO_URDF)
def test_what_is_no_urdf_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "robot.urdf"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        read_urdf(path)
    assert str(path) in str(caught.value)
    assert NO_URDF[text] in str(caught.value)


def test_a_missing_urdf_and_a_xacro_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.urdf cannot be read"):
        read_urdf(tmp_path / "nowhere.urdf")
    path = tmp_path / "head.urdf.xacro"
    path.write_text("<robot name='r'/>")
    with pytest.raises(UserError, match=r"is a xacro file; run 'xacro .*head\.urdf\.xacro > robot\.urdf'"):
        read_urdf(path)


def test_an_xml_declaration_in_a_topics_text_is_fine() -> None:
    text = '<?xml version="1.0" encoding="utf-8"?>\n' + urdf_of(load_robot("generic"))
    assert isinstance(parse_urdf(text, "the topic"), Urdf)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_of_a_urdf_is_refused_in_one_line_or_checked(data: st.DataObject) -> None:
    robot = load_robot("generic")
    text = urdf_of(robot)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 30)))
    damage = data.draw(
        st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(["nan", "1e999", "-"])
    )
    try:
        urdf = parse_urdf(text[:start] + damage + text[end:], "the URDF")
    except UserError as error:
        assert "\n" not in str(error)
        assert "the URDF" in str(error)
    else:
        assert not any("nan" in finding.message for finding in against(robot, urdf))
