from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listener_head.errors import UserError
from listener_head.paths import config_dir
from listener_head.robot import load_robot
from listener_head.robot.check import check
from listener_head.robot.robot_file import robot_files

GOOD = """\
name: small
description: a neck and a jaw
verified: false
rate: 100
commands: [{type: trajectory_msgs/JointTrajectory, topic: /head, joints: [neck, pan, jaw]}]
frames: {base: torso, head: head}
camera: {frame: eye, parent: head, origin: {xyz: [0.1, 0, 0]}, source: chosen}
joints:
  - name: neck
    drive: {pitch: 1.0}
    neutral: 0.0
    mount: {parent: torso, child: neck_link, origin: {xyz: [0, 0, 0.3]}, axis: [0, 1, 0]}
    limits:
      position: {min: -0.5, max: 0.5, source: chosen}
      velocity: {max: 3.0, source: chosen}
      acceleration: {max: 10.0, source: chosen}
      jerk: {max: 100.0, source: chosen}
  - name: pan
    drive: {yaw: 1.0}
    neutral: 0.0
    mount: {parent: neck_link, child: head, axis: [0, 0, 1]}
    limits: &limits
      position: {min: -0.4, max: 0.4, source: chosen}
      velocity: {max: 2.0, source: chosen}
      acceleration: {max: 9.0, source: chosen}
      jerk: {max: 90.0, source: chosen}
  - name: jaw
    drive: {jawOpen: 0.3}
    neutral: 0.0
    limits: *limits
"""
POSITION = "      position: {min: -0.5, max: 0.5, source: chosen}\n"
MOUNT = "    mount: {parent: torso, child: neck_link, origin: {xyz: [0, 0, 0.3]}, axis: [0, 1, 0]}\n"
NECK = GOOD[GOOD.index("  - name: neck") : GOOD.index("  - name: pan")]
PAN = GOOD[GOOD.index("  - name: pan") : GOOD.index("  - name: jaw")]
JOINTS = GOOD[GOOD.index("joints:\n") :]
LIGHT = "lights: [{topic: /led, color: [1, 0, 0], drive: {mouthSmileLeft: 1}}]\n"

# What is replaced in the good file by what, and the line and words of the complaint.
MISTAKES = {
    "no position limit": (POSITION, "", 13, "has no limit 'position' [rad]"),
    "no velocity limit": ("      velocity: {max: 3.0, source: chosen}\n", "", 13, "'velocity' [rad/s]"),
    "no acceleration limit": (
        "      acceleration: {max: 10.0, source: chosen}\n",
        "",
        13,
        "joint 'neck' has no limit 'acceleration' [rad/s^2]; add it with its source",
    ),
    "no jerk limit": (
        "      jerk: {max: 100.0, source: chosen}\n",
        "",
        13,
        "joint 'neck' has no limit 'jerk' [rad/s^3]; add it with its source",
    ),
    "no limits": (NECK[NECK.index("    limits") :], "", 9, "joint 'neck' has no 'limits'; add it"),
    "no source": ("{max: 3.0, source: chosen}", "{max: 3.0}", 15, "no 'limits.velocity.source'"),
    "min above max": ("min: -0.5, max: 0.5", "min: 0.5, max: -0.5", 14, "min 0.5 is not below max -0.5"),
    "joint twice": (NECK, NECK * 2, 8, "joint 'neck' is there twice"),
    "key twice": ("    neutral: 0.0\n", "    neutral: 0.0\n    neutral: 0\n", 12, "'neutral' is there twice"),
    "degrees": ("min: -0.5, max: 0.5", "min: -30, max: 30", 14, "is it in degrees"),
    "velocity in degrees": ("{max: 3.0,", "{max: 170,", 15, "is it in degrees"),
    "placeholder": ("{max: 100.0,", "{max: 1.0e+9,", 17, "placeholder"),
    "zero limit": ("{max: 3.0,", "{max: 0.0,", 15, "greater than 0"),
    "unknown key": ("    neutral: 0.0\n", "    neutral: 0.0\n    hue: red\n", 12, "unknown key 'hue'"),
    "unknown expression": ("{pitch: 1.0}", "{smile: 1.0}", 10, "drive 'smile' is neither a head angle"),
    "gain zero": ("{pitch: 1.0}", "{pitch: 0.0}", 10, "gain 0"),
    "nothing drives": ("{pitch: 1.0}", "{}", 10, "joint 'neck': nothing drives it"),
    "no drive": ("    drive: {pitch: 1.0}\n", "", 9, "joint 'neck': nothing drives it"),
    "neutral outside": ("neutral: 0.0", "neutral: 0.6", 9, "neutral 0.6 rad is outside the position limits"),
    "nan": ("neutral: 0.0", "neutral: .nan", 11, "finite number"),
    "infinite": ("{max: 10.0,", "{max: .inf,", 16, "finite number"),
    "text for a number": ("{max: 10.0,", "{max: fast,", 16, "valid number"),
    "yes for a name": ("name: small", "name: yes", 1, "valid string"),
    "rate too low": ("rate: 100", "rate: 1", 4, "greater than or equal to 20"),
    "unknown command": ("trajectory_msgs/JointTrajectory", "std_msgs/String", 5, "'commands.0.type'"),
    "no commands": (GOOD[GOOD.index("[{type") : GOOD.index("\nframes")], "[]", 5, "at least 1 item"),
    "command of an unknown joint": (
        ", jaw]}",
        ", jaw, ear]}",
        5,
        "takes 'ear', not one of the joints neck, pan",
    ),
    "command of a joint twice": (", jaw]}", ", jaw, neck]}", 5, "takes joint 'neck' twice"),
    "joint without a command": (", jaw]}", "]}", 27, "joint 'jaw': no command takes it"),
    "command in another unit": (", jaw]}", ", jaw], unit: grad}", 5, "'rad' or 'deg'"),
    "speed of a command": (", jaw]}", ", jaw], speed: 20}", 5, "less than or equal to 1"),
    "no frames": ("frames: {base: torso, head: head}\n", "", 1, "robot has no 'frames'"),
    "no mount": (MOUNT, "", 9, "joint 'neck': it turns the head but has no 'mount'"),
    "axis in degrees": ("axis: [0, 1, 0]", "axis: [0, 90, 0]", 12, "has length 90"),
    "axis of two": ("axis: [0, 1, 0]", "axis: [0, 1]", 12, "mount.axis"),
    "mount elsewhere": ("parent: torso", "parent: chest", 12, "mount.parent 'chest' is not on the way"),
    "joints in another order": (
        NECK + PAN,
        PAN + NECK,
        12,
        "joint 'pan': mount.parent 'neck_link' is not on",
    ),
    "mounts in a ring": (
        "child: head,",
        "child: torso,",
        21,
        "joint 'pan': mount.child 'torso' comes before",
    ),
    "other head": ("head: head}", "head: face}", 6, "frames.head is 'face' but the joints end at 'head'"),
    "joint after the head": ("head: head}", "head: neck_link}", 21, "joint 'pan': mount.parent 'neck_link'"),
    "camera elsewhere": ("eye, parent: head", "eye, parent: wall", 7, "choose one of torso, neck_link, head"),
    "camera without a source": (", source: chosen}\njoints", "}\njoints", 7, "no 'camera.source'"),
    "light too bright": (
        JOINTS,
        LIGHT.replace("[1, 0", "[255, 0") + JOINTS,
        8,
        "'lights.0.color.0' is 255; it should be less than or equal to 1",
    ),
    "light follows nothing known": (
        JOINTS,
        LIGHT.replace("mouthSmileLeft", "glow") + JOINTS,
        8,
        "drive 'glow'",
    ),
    "no joints": (JOINTS, "joints: []\n", 8, "at least 1 item"),
    "joints is a number": (JOINTS, "joints: 3\n", 8, "valid list"),
    "joint is a number": (NECK, "  - 3\n", 9, "joint number 1"),
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


def test_the_good_file_is_good(tmp_path: Path) -> None:
    path = tmp_path / "robot.yaml"
    path.write_text(GOOD)
    robot = load_robot(path)
    assert robot.joint_names == ("neck", "pan", "jaw")
    assert robot.chain == (0, 1)
    assert robot.chain_frames == ("torso", "neck_link", "head")
    assert robot.head_angles == ("pitch", "yaw")
    assert robot.shows_expression


# The same of the legs of a platform, in the file of Reachy Mini; the words of the line of the complaint.
LEG_MISTAKES = {
    "unknown joint": (
        "joint: stewart_3\n",
        "joint: stewart_9\n",
        "joint: stewart_9",
        "is not among the joints",
    ),
    "joint twice": ("joint: stewart_3\n", "joint: stewart_2\n", "joint: stewart_2", "is there twice"),
    "driven leg": (
        "- name: stewart_3\n",
        "- name: stewart_3\n    drive: {pitch: 1.0}\n",
        "drive: {pitch: 1.0}",
        "joint 'stewart_3': it is a leg of the platform, which moves it",
    ),
    "mounted leg": (
        "- name: stewart_3\n",
        "- name: stewart_3\n    mount: {parent: a, child: b, axis: [0, 0, 1]}\n",
        "mount: {parent: a",
        "joint 'stewart_3': it is a leg of the platform, which tells its place",
    ),
}


@pytest.mark.parametrize("mistake", LEG_MISTAKES)
def test_a_mistake_about_a_platform_is_found(mistake: str, tmp_path: Path) -> None:
    before, after, where, words = LEG_MISTAKES[mistake]
    good = (config_dir() / "robots" / "reachy_mini.yaml").read_text()
    assert good.count(before) == 1
    path = tmp_path / "robot.yaml"
    path.write_text(good.replace(before, after))
    with pytest.raises(UserError) as caught:
        load_robot(path)
    message = str(caught.value)
    line = int(message.removeprefix(f"{path}:").split(":")[0])
    assert where in path.read_text().splitlines()[line - 1]
    assert words in message


def test_every_shipped_robot_loads() -> None:
    assert {"generic", "tiago", "reachy_mini"} <= {path.stem for path in robot_files()}
    for path in robot_files():
        assert load_robot(path.stem) == load_robot(path)


def test_the_file_in_the_docs_is_good(tmp_path: Path) -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "robots.md").read_text(encoding="utf-8")
    path = tmp_path / "robot.yaml"
    path.write_text(text.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    assert check(load_robot(path)) == []


def test_a_robot_is_found_by_the_name_in_its_file() -> None:
    assert load_robot("generic_pan_tilt_roll") == load_robot("generic")


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UserError, match=r"'tiagoo' is unknown; choose one of .*generic, .*tiago"):
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
