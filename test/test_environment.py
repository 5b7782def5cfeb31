"""A shell that has a ROS sourced: when it serves, and when it is taken out of the way."""

import os
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener_head import environment
from listener_head.environment import choose_ros, corrected, without_ros

HUMBLE = {
    "ROS_DISTRO": "humble",
    "ROS_VERSION": "2",
    "ROS_PYTHON_VERSION": "3",
    "AMENT_PREFIX_PATH": "/opt/ros/humble",
    "CMAKE_PREFIX_PATH": "/opt/ros/humble",
    "COLCON_PREFIX_PATH": "/home/me/ws/install",
    "PYTHONPATH": "/home/me/ws/install/talk/lib/python3.10/site-packages:/opt/ros/humble/local/lib",
    "LD_LIBRARY_PATH": "/opt/ros/humble/lib/x86_64-linux-gnu:/opt/ros/humble/lib",
}


def fake_ros(root: Path, distro: str, python: str, version: str = "2") -> dict[str, str]:
    """The variables of a shell that has sourced a ROS installed at `root`."""
    (root / "lib" / f"python{python}" / "site-packages" / "rclpy").mkdir(parents=True)
    overlay = root.parent / "overlay"
    return {"ROS_DISTRO": distro, "ROS_VERSION": version, "AMENT_PREFIX_PATH": f"{overlay}:{root}"}


@pytest.mark.parametrize(
    ("distro", "python", "version", "serves"),
    [
        ("jazzy", "3.12", "2", True),
        ("kilted", "3.12", "2", True),
        ("rolling", "3.12", "2", True),
        ("jazzy", "3.11", "2", False),  # its rclpy is compiled for another Python
        ("humble", "3.12", "2", False),  # too old, whatever its Python
        ("noetic", "3.12", "1", False),
    ],
)
def test_which_sourced_ros_serves(
    tmp_path: Path, distro: str, python: str, version: str, serves: bool
) -> None:
    choice = choose_ros(fake_ros(tmp_path / "ros", distro, python, version), (3, 12))
    assert choice.prefix == (str(tmp_path / "ros") if serves else None)
    assert distro in choice.text


def test_without_a_sourced_ros_the_wheels_serve() -> None:
    assert choose_ros({"AMENT_PREFIX_PATH": "/somewhere"}, (3, 12)).prefix is None


def test_a_foreign_ros_is_taken_out_whole() -> None:
    assert without_ros(HUMBLE) == {}


def test_what_is_not_of_ros_stays() -> None:
    mine = {
        "HOME": "/home/me",
        "PATH": "/usr/bin:/bin",
        "ROS_DOMAIN_ID": "7",
        "LD_LIBRARY_PATH": "/usr/local/cuda/lib64",
    }
    dirty = {**HUMBLE, **mine}
    dirty["PATH"] = f"/opt/ros/humble/bin:{mine['PATH']}"
    dirty["LD_LIBRARY_PATH"] = f"{HUMBLE['LD_LIBRARY_PATH']}:{mine['LD_LIBRARY_PATH']}"
    assert without_ros(dirty) == mine


def test_stale_paths_are_taken_out_without_ros_distro() -> None:
    assert without_ros({"PYTHONPATH": "/opt/ros/iron/lib/python3.10/site-packages:/home/me/lib"}) == {
        "PYTHONPATH": "/home/me/lib"
    }


def test_a_middleware_that_the_wheels_lack_is_taken_out() -> None:
    assert without_ros({"RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp"}) == {}
    assert without_ros({"RMW_IMPLEMENTATION": "rmw_fastrtps_cpp"}) == {
        "RMW_IMPLEMENTATION": "rmw_fastrtps_cpp"
    }


def test_a_workspace_built_against_the_wheels_stays() -> None:
    sourced = {**HUMBLE, "AMENT_PREFIX_PATH": "/ws/install/listener_head:/opt/ros/humble"}
    assert without_ros(sourced, keep=("/ws/install/listener_head",)) == {
        "AMENT_PREFIX_PATH": "/ws/install/listener_head"
    }


paths = st.lists(
    st.sampled_from(
        ["/opt/ros/humble", "/opt/ros/humble/lib", "/opt/rosary", "/venv", "/venv/lib", "/home/me", ""]
    ),
    max_size=6,
).map(os.pathsep.join)


@given(
    st.dictionaries(st.sampled_from([*environment.PATHS, environment.BOOTSTRAPPED, "HOME"]), paths),
    st.sampled_from(
        [{}, {"ROS_DISTRO": "humble"}, {"ROS_DISTRO": "jazzy", "RMW_IMPLEMENTATION": "rmw_zenoh_cpp"}]
    ),
    st.booleans(),
)
def test_correcting_twice_changes_nothing_more(
    variables: dict[str, str], ros: dict[str, str], wheels: bool
) -> None:
    once = corrected({**variables, **ros}, "/venv", wheels)
    assert corrected(once, "/venv", wheels) == once
    if wheels:
        assert "/venv/lib" in once["LD_LIBRARY_PATH"].split(os.pathsep)
        assert not any(
            entry.startswith("/opt/ros/")
            for name in environment.PATHS
            for entry in once.get(name, "").split(":")
        )


def test_for_a_shell_a_ros_that_does_not_import_is_taken_out(tmp_path: Path) -> None:
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    dirty = {"PATH": os.environ["PATH"], "HOME": "/it's", **fake_ros(tmp_path / "ros", "jazzy", python)}
    dirty["PYTHONPATH"] = str(tmp_path / "ros" / "lib" / f"python{python}" / "site-packages")
    (Path(dirty["PYTHONPATH"]) / "rclpy" / "__init__.py").write_text(
        "raise ImportError('librcl.so is missing')"
    )
    run = subprocess.run(
        [sys.executable, environment.__file__],
        env={**dirty, environment.BOOTSTRAPPED: "1"},
        capture_output=True,
        text=True,
    )
    words = shlex.split(run.stdout)
    assert {"ROS_DISTRO", "AMENT_PREFIX_PATH", "PYTHONPATH"} <= set(words)
    assert "ros_prefix=" in words


@pytest.mark.skipif(
    find_spec("ros_wheels_bootstrapper") is None, reason="a sourced ROS serves, not the wheels"
)
@pytest.mark.parametrize("start", ["", "from listener_head.environment import prepare; prepare()"])
def test_commands_start_in_a_shell_with_another_ros(start: str, tmp_path: Path) -> None:
    """Started by hand, as from a second terminal: nothing of this process's environment, and a bad rclpy."""
    humble = tmp_path / "humble"
    poisoned = humble / "lib" / "python3.10" / "site-packages"
    (poisoned / "rclpy").mkdir(parents=True)
    (poisoned / "rclpy" / "__init__.py").write_text("raise ImportError('compiled for Python 3.10')")
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "ROS_DISTRO": "humble"}
    environ |= {"AMENT_PREFIX_PATH": str(humble), "PYTHONPATH": str(poisoned)}
    script = tmp_path / "bin" / "command"
    script.parent.mkdir()
    script.write_text(f"{start}\nfrom listener_head.msg import Attitude\nimport rclpy\nrclpy.init()\n")
    run = subprocess.run([sys.executable, script, "argument"], env=environ, capture_output=True, text=True)
    assert run.returncode == (0 if start else 1), (
        run.stderr
    )  # without prepare() the other rclpy is in the way
