"""Which ROS serves, its middleware, and our messages in it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import listener_head
from listener_head.doctor.finding import Finding, failure, ok, warning
from listener_head.environment import LEFT_OUT, choose_ros
from listener_head.paths import share_dir
from listener_head.runner import dds_profile

# Major version of rclpy -> distribution (REP 2000).
DISTRIBUTIONS = {"3": "humble", "4": "iron", "7": "jazzy", "9": "kilted"}
FAST_DDS, ZENOH = "rmw_fastrtps_cpp", "rmw_zenoh_cpp"
PROFILE_VARIABLES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")

_ONE_ROS = "open a new terminal and source one ROS only"


def distribution(environ: Mapping[str, str] = os.environ, path: Sequence[str] = sys.path) -> Finding:
    """Which rclpy is imported, and whether it is that of the ROS which is sourced."""
    folders = [folder for folder in dict.fromkeys(path) if Path(folder, "rclpy").is_dir()]
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    if not folders:
        return failure(
            f"there is no rclpy for Python {python}",
            "run make setup for the ROS wheels, or source /opt/ros/jazzy/setup.bash",
        )
    version = _rclpy_version(folders[0])
    name = DISTRIBUTIONS.get(version.partition(".")[0], "")
    where = f"rclpy {version} ({name or 'of an unknown distribution'}) in {folders[0]}"
    if len(folders) > 1:
        return warning(f"{where} hides the one in {', '.join(folders[1:])}", _ONE_ROS)
    sourced = environ.get("ROS_DISTRO", "")
    if sourced and name and sourced != name:
        return failure(f"ROS_DISTRO is {sourced}, but {where}", _ONE_ROS)
    left_out = environ.get(LEFT_OUT, "")
    if left_out:
        return warning(
            f"{where}; the terminal has ROS {left_out} sourced, whose tools do not know our messages",
            "build listener_head in a workspace of that ROS, jazzy or newer; else use another terminal",
        )
    return ok(f"{choose_ros(environ, sys.version_info[:2]).text}: {where}")


def _rclpy_version(folder: str) -> str:
    found = [one.version for one in metadata.distributions(name="rclpy", path=[folder])]
    return found[0] if found else "of an unknown version"


def middleware(environ: Mapping[str, str] = os.environ) -> Finding:
    """Which RMW is in use, and with which Fast DDS profile."""
    try:
        import rclpy
    except ImportError as problem:
        return failure(f"rclpy cannot be imported ({problem})", _ONE_ROS)
    rmw = rclpy.get_rmw_implementation_identifier()
    if rmw == ZENOH:
        return warning(f"{rmw}: nodes find each other through a router", "ros2 run rmw_zenoh_cpp rmw_zenohd")
    if rmw != FAST_DDS:
        return ok(f"{rmw}; config/fastdds.xml does not apply to it")
    for variable in PROFILE_VARIABLES:
        chosen = environ.get(variable)
        if chosen and not Path(chosen).is_file():
            return failure(f"{variable} names {chosen}, which is not there", f"unset {variable}")
        if chosen:
            return ok(f"{rmw}, with your profile {chosen}")
    return ok(f"{rmw}, with the profile {next(iter(dds_profile().values()))}")


def messages(share: Path | None = None) -> Finding:
    """Whether our messages can be imported and were built from the files that ship."""
    files = sorted(((share or share_dir()) / "msg").glob("*.msg"))
    rebuild = "build again: make setup, or colcon build and source install/setup.bash"
    try:
        built = import_module("listener_head.msg")
    except ImportError as problem:
        return failure(f"our messages cannot be imported ({problem})", rebuild)
    for path in files:
        fields = _fields(path.read_text())
        message: Any = getattr(built, path.stem, None)
        found = None if message is None else list(message.get_fields_and_field_types())
        if found != fields:
            lacks = "is missing" if found is None else f"has the fields {', '.join(found)}"
            return failure(f"message {path.stem} is of another version: it {lacks}", rebuild)
        # Loads the C library that a publisher would load.
        message.__class__.__import_type_support__()
    return ok(f"{len(files)} messages of listener_head {listener_head.__version__} in {built.__path__[0]}")


def _fields(definition: str) -> list[str]:
    """Names of the fields that a .msg file lists; constants have a value."""
    lines = (line.partition("#")[0] for line in definition.splitlines())
    return [line.split()[1] for line in lines if line.strip() and "=" not in line]
