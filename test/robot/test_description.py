from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listener_head.errors import UserError
from listener_head.robot import load_robot
from listener_head.robot.description import robot_files

GOOD = """\
name: small
description: one joint
verified: false
rate: 100
command: {type: trajectory_msgs/JointTrajectory, topic: /head/joint_trajectory}
joints:
  - name: neck
    drive: {pitch: 1.0}
    neutral: 0.0
    limits:
      position: {min: -0.5, max: 0.5, source: chosen}
      velocity: {max: 3.0, source: chosen}
      acceleration: {max: 10.0, source: chosen}
      jerk: {max: 100.0, source: chosen}
"""
POSITION = "      position: {min: -0.5, max: 0.5, source: chosen}\n"
SECOND_JOINT = GOOD[GOOD.index("  - name: neck") :]

# What is replaced in the good file by what, and the line and words of the complaint.
MISTAKES = {
    "no position limit": (POSITION, "", 10, "has no limit 'position' [rad]"),
    "no velocity limit": ("      velocity: {max: 3.0, source: chosen}\n", "", 10, "'velocity' [rad/s]"),
    "no acceleration limit": (
        "      acceleration: {max: 10.0, source: chosen}\n",
        "",
        10,
        "joint 'neck' has no limit 'acceleration' [rad/s^2]; add it with its source",
    ),
    "no jerk limit": (
        "      jerk: {max: 100.0, source: chosen}\n",
        "",
        10,
        "joint 'neck' has no limit 'jerk' [rad/s^3]; add it with its source",
    ),
    "no limits": (GOOD[GOOD.index("    limits") :], "", 7, "joint 'neck' has no 'limits'; add it"),
    "no source": ("{max: 3.0, source: chosen}", "{max: 3.0}", 12, "no 'limits.velocity.source'"),
    "min above max": ("min: -0.5, max: 0.5", "min: 0.5, max: -0.5", 11, "min 0.5 is not below max -0.5"),
    "joint twice": (SECOND_JOINT, SECOND_JOINT * 2, 6, "joint 'neck' is there twice"),
    "key twice": ("    neutral: 0.0\n", "    neutral: 0.0\n    neutral: 0\n", 10, "'neutral' is there twice"),
    "degrees": ("min: -0.5, max: 0.5", "min: -30, max: 30", 11, "is it in degrees"),
    "velocity in degrees": ("{max: 3.0,", "{max: 170,", 12, "is it in degrees"),
    "placeholder": ("{max: 100.0,", "{max: 1.0e+9,", 14, "placeholder"),
    "zero limit": ("{max: 3.0,", "{max: 0.0,", 12, "greater than 0"),
    "unknown key": ("    neutral: 0.0\n", "    neutral: 0.0\n    hue: red\n", 10, "unknown key 'hue'"),
    "unknown expression": ("{pitch: 1.0}", "{smile: 1.0}", 8, "drive 'smile' is neither a head angle"),
    "gain zero": ("{pitch: 1.0}", "{pitch: 0.0}", 8, "gain 0"),
    "nothing drives": ("{pitch: 1.0}", "{}", 8, "at least 1 item"),
    "neutral outside": ("neutral: 0.0", "neutral: 0.6", 7, "neutral 0.6 rad is outside the position limits"),
    "nan": ("neutral: 0.0", "neutral: .nan", 9, "finite number"),
    "infinite": ("{max: 10.0,", "{max: .inf,", 13, "finite number"),
    "text for a number": ("{max: 10.0,", "{max: fast,", 13, "valid number"),
    "yes for a name": ("name: small", "name: yes", 1, "valid string"),
    "rate too low": ("rate: 100", "rate: 1", 4, "greater than or equal to 20"),
    "unknown command": ("trajectory_msgs/JointTrajectory", "std_msgs/String", 5, "command.type"),
    "no joints": (GOOD[GOOD.index("joints:") :], "joints: []\n", 6, "at least 1 item"),
    "joints is a number": (GOOD[GOOD.index("joints:") :], "joints: 3\n", 6, "valid list"),
    "joint is a number": (SECOND_JOINT, "  - 3\n", 7, "joint number 1"),
    "not YAML": ("rate: 100", "rate: [100", 5, "not valid YAML"),
    "a list": (GOOD, "- 1\n", 1, "not a robot file"),
    "empty": (GOOD, "", 1, "not a robot file"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_with_file_line_and_key(mistake: str, tmp_path: Path) -> None:
    before, after, line, words = MISTAKES[mistake]
    assert GOOD.count(before) >= 1
    path = tmp_path / "robot.yaml"
    path.write_text(GOOD.replace(before, after, 1))
    with pytest.raises(UserError) as caught:
        load_robot(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:{line}: ")
    assert words in message
    assert "\n" not in message


def test_every_shipped_robot_loads() -> None:
    assert {"generic", "tiago"} <= {path.stem for path in robot_files()}
    for path in robot_files():
        assert load_robot(path.stem) == load_robot(path)


def test_a_robot_is_found_by_the_name_in_its_file() -> None:
    assert load_robot("generic_pan_tilt_roll") == load_robot("generic")


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UserError, match=r"'tiagoo' is unknown; choose one of generic, .*tiago"):
        load_robot("tiagoo")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.yaml cannot be read"):
        load_robot(tmp_path / "nowhere.yaml")


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_is_refused_in_one_line_or_loads(data: st.DataObject, tmp_path: Path) -> None:
    start = data.draw(st.integers(0, len(GOOD)))
    end = data.draw(st.integers(start, min(len(GOOD), start + 40)))
    text = GOOD[:start] + data.draw(st.text(st.characters(codec="utf-8"), max_size=8)) + GOOD[end:]
    path = tmp_path / "robot.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        robot = load_robot(path)
    except UserError as error:
        assert "\n" not in str(error)
        assert str(path) in str(error)
    else:
        assert robot.joints
