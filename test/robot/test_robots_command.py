import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from listener_head.cli import app
from listener_head.errors import UserError
from listener_head.robot import load_robot
from listener_head.robot.robot_file import robot_files
from listener_head.robot.urdf import urdf_of
from listener_head.ros.qos import LATCHED

COMMAND = [sys.executable, "-c", "from listener_head.cli import main; main()", "robots"]


def robots(*arguments: str, status: int = 0) -> str:
    """What the command prints, on one line, so that words do not break at the edge of a table."""
    result = CliRunner().invoke(app, ["robots", *arguments], env={"COLUMNS": "300"})
    assert result.exit_code == status, result.output
    return " ".join(result.output.split())


@pytest.fixture
def urdf(tmp_path: Path) -> Path:
    path = tmp_path / "robot.urdf"
    path.write_text(urdf_of(load_robot("generic")))
    return path


def test_list_names_every_robot_that_ships() -> None:
    printed = robots("list")
    for path in robot_files():
        assert f"│ {path.stem} " in printed


def test_show_tells_joints_limits_sources_and_delays() -> None:
    robot, printed = load_robot("tiago"), robots("show", "tiago")
    assert "verified on the robot: no" in printed
    for joint in robot.joints:
        assert joint.name in printed
        for quantity in ("position", "velocity", "acceleration", "jerk"):
            limit = getattr(joint.limits, quantity)
            assert limit.source in printed
            assert f"{limit.max:g} rad" in printed
    assert "-1 pitch" in printed
    assert re.search(r"1 Hz, ±8° │ \d+ ms │ [01]\.\d\d", printed)


def test_show_tells_what_moves_a_platform() -> None:
    printed = robots("show", "reachy_mini")
    assert printed.count("│ the platform │") == 6


def test_check_of_a_good_file_is_status_0(urdf: Path) -> None:
    assert "nothing wrong, checked against itself" in robots("check", "generic")
    assert "nothing wrong, checked against the URDF" in robots("check", "generic", "--urdf", str(urdf))


def test_check_of_a_wrong_file_is_status_1_and_says_what(urdf: Path) -> None:
    urdf.write_text(urdf.read_text().replace('lower="-1.3"', 'lower="-1.0"'))
    printed = robots("check", "generic", "--urdf", str(urdf), status=1)
    assert "│ wrong │ head_pan_joint │ position limits [-1.3, 1.3] rad are wider than" in printed
    assert "1 wrong, checked against the URDF" in printed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check", "nobody"], "robot 'nobody' is unknown"),
        (["show", "nobody"], "robot 'nobody' is unknown"),
        (["check", "generic", "--urdf", "nowhere.urdf"], "URDF nowhere.urdf cannot be read"),
        (["check", "generic", "--urdf", "a", "--topic", "b"], "--urdf and --topic are both given"),
    ],
)
def test_bad_arguments_are_told(arguments: list[str], words: str) -> None:
    result = CliRunner().invoke(app, ["robots", *arguments])
    assert isinstance(result.exception, UserError)
    assert words in str(result.exception)


def test_bad_arguments_are_one_line_and_status_2() -> None:
    result = subprocess.run([*COMMAND, "check", "nobody"], capture_output=True, text=True, timeout=60)
    assert result.returncode == 2
    assert result.stderr.startswith("error: robot 'nobody' is unknown")
    assert result.stderr.count("\n") == 1


def test_check_takes_the_urdf_from_a_topic(ros, urdf: Path) -> None:
    from std_msgs.msg import String

    node = ros.create_node("state_publisher")
    publisher = node.create_publisher(String, "robot_description", LATCHED)
    publisher.publish(String(data=urdf.read_text()))
    try:
        printed = robots("check", "generic", "--topic", "robot_description", "--timeout", "20")
    finally:
        node.destroy_node()
    assert "nothing wrong, checked against the URDF" in printed


def test_check_says_that_nothing_came(ros, urdf: Path) -> None:
    result = CliRunner().invoke(app, ["robots", "check", "generic", "--topic", "nowhere", "--timeout", "0.2"])
    assert "no URDF came on topic 'nowhere' within 0.2 s" in str(result.exception)
