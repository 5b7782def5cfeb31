"""Which ROS serves, its messages, and what the variables of discovery say."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.doctor import dds
from listener_head.doctor.finding import Finding, Status
from listener_head.doctor.interpreter import interpreter
from listener_head.doctor.ros_installation import LEFT_OUT, distribution, messages, middleware


def rclpy(folder: Path, version: str) -> str:
    """A folder for `sys.path` with an rclpy of this version."""
    (folder / "rclpy").mkdir(parents=True)
    metadata = folder / f"rclpy-{version}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: rclpy\nVersion: {version}\n")
    return str(folder)


def test_python_and_processor():
    assert interpreter((3, 12), "x86_64").status is Status.OK
    assert interpreter((3, 10), "x86_64").status is Status.FAILURE
    arm = interpreter((3, 12), "aarch64")
    assert arm.status is Status.FAILURE and "aarch64" in arm.text


def test_no_rclpy(tmp_path):
    found = distribution({}, [str(tmp_path)])
    assert found.status is Status.FAILURE
    assert "make setup" in found.fix


def test_the_sourced_ros_is_named(tmp_path):
    found = distribution({"ROS_DISTRO": "jazzy"}, [rclpy(tmp_path, "7.1.6")])
    assert found.status is Status.OK
    assert "rclpy 7.1.6 (jazzy)" in found.text


def test_another_distributions_rclpy_is_a_failure(tmp_path):
    found = distribution({"ROS_DISTRO": "kilted"}, [rclpy(tmp_path, "7.1.6")])
    assert found.status is Status.FAILURE
    assert "ROS_DISTRO is kilted, but rclpy 7.1.6 (jazzy)" in found.text


def test_an_rclpy_that_hides_another_is_told(tmp_path):
    path = [rclpy(tmp_path / "one", "7.1.6"), rclpy(tmp_path / "two", "9.1.2")]
    found = distribution({}, path)
    assert found.status is Status.WARNING
    assert all(folder in found.text for folder in path)


def test_a_ros_that_was_taken_out_is_told(tmp_path):
    found = distribution({LEFT_OUT: "humble"}, [rclpy(tmp_path, "7.1.6")])
    assert found.status is Status.WARNING
    assert "humble" in found.text


def test_this_installation():
    found = distribution(os.environ, sys.path)
    assert found.status in (Status.OK, Status.WARNING), found


def test_the_middleware_and_the_profile_are_named(tmp_path):
    assert "config/fastdds.xml" in middleware({}).text
    mine = tmp_path / "mine.xml"
    lost = middleware({"FASTRTPS_DEFAULT_PROFILES_FILE": str(mine)})
    assert lost.status is Status.FAILURE
    assert str(mine) in lost.text
    mine.write_text("<profiles/>")
    assert str(mine) in middleware({"FASTRTPS_DEFAULT_PROFILES_FILE": str(mine)}).text


def test_an_rclpy_that_does_not_import_is_told(tmp_path):
    (tmp_path / "rclpy").mkdir()
    (tmp_path / "rclpy" / "__init__.py").write_text("raise ImportError('compiled for Python 3.10')")
    # As in a terminal with another ROS, whose paths come first.
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-m", "listener_head.doctor.child", "middleware"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    found = json.loads(done.stdout)
    assert found["status"] == "failure"
    assert "compiled for Python 3.10" in found["text"]
    assert "one ROS" in found["fix"]


def test_messages_are_those_of_the_files(tmp_path):
    assert messages().status is Status.OK
    (tmp_path / "msg").mkdir()
    (tmp_path / "msg" / "Attitude.msg").write_text("uint8 POSITIVE=0  # a constant\nuint8 mood\n")
    found = messages(tmp_path)
    assert found.status is Status.FAILURE
    assert "Attitude is of another version: it has the fields" in found.text
    (tmp_path / "msg" / "Attitude.msg").unlink()
    (tmp_path / "msg" / "Laughter.msg").write_text("float32 loudness\n")
    assert "Laughter is of another version: it is missing" in messages(tmp_path).text


@pytest.mark.parametrize(
    ("variables", "status", "text"),
    [
        ({}, Status.OK, "domain 0, discovery SUBNET"),
        ({"ROS_DOMAIN_ID": "42", "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}, Status.OK, "domain 42"),
        ({"ROS_STATIC_PEERS": "10.0.0.7"}, Status.OK, "10.0.0.7"),
        ({"ROS_AUTOMATIC_DISCOVERY_RANGE": "OFF"}, Status.WARNING, "not even on this computer"),
        ({"ROS_DOMAIN_ID": "120"}, Status.WARNING, "ports"),
        ({"ROS_LOCALHOST_ONLY": "1"}, Status.WARNING, "this computer alone"),
        ({"ROS_DOMAIN_ID": "233"}, Status.FAILURE, "'233'"),
        ({"ROS_DOMAIN_ID": "home"}, Status.FAILURE, "'home'"),
        ({"ROS_AUTOMATIC_DISCOVERY_RANGE": "subnet"}, Status.FAILURE, "'subnet'"),
    ],
)
def test_variables_of_discovery(variables, status, text):
    found = dds.settings(variables)
    assert found.status is status
    assert text in found.text
    assert bool(found.fix) is (status is not Status.OK)


names = ("ROS_DOMAIN_ID", "ROS_AUTOMATIC_DISCOVERY_RANGE", "ROS_LOCALHOST_ONLY", "ROS_STATIC_PEERS")


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(names), st.text()))
def test_any_variables_make_a_finding(variables):
    assert isinstance(dds.settings(variables), Finding)


LINK = dds.Link(discovery=0.1, sent=60, latencies_ms=(3.0,) * 60)


@pytest.mark.parametrize(
    ("link", "own_profile", "status", "text"),
    [
        (LINK, False, Status.OK, "60 of 60 images"),
        (dds.Link(None, 0, ()), False, Status.FAILURE, "do not find each other"),
        (dds.Link(0.1, 60, (3.0,) * 40), True, Status.FAILURE, "40 of 60"),
        (dds.Link(0.1, 60, ()), False, Status.FAILURE, "0 of 60"),
        (dds.Link(0.1, 60, (3.0,) * 59), False, Status.WARNING, "59 of 60"),
        (dds.Link(0.1, 60, (50.0,) * 60), False, Status.WARNING, "after 50.0 ms"),
        (dds.Link(3.5, 60, (3.0,) * 60), False, Status.WARNING, "3.50 s"),
    ],
)
def test_links_are_judged(link, own_profile, status, text):
    found = dds.judge(link, own_profile)
    assert found.status is status
    assert text in found.text
    assert ("FASTRTPS_DEFAULT_PROFILES_FILE" in found.fix) is own_profile
