"""Packages that not everybody needs, and what cannot be done without them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from listener_head.doctor.finding import Finding, ok

OPTIONAL: dict[str, str] = {
    "torch": "train and import-checkpoint",
    "onnx": "exporting networks, and a faster step",
    "skimage": "image-metrics",
    "torchmetrics": "image-metrics",
    "launch_ros": "ros2 launch",
    "tf2_ros": "camera_motion:=tf",
    "tf2_msgs": "the simulated robot's TF",
    "control_msgs": "robots with a FollowJointTrajectory action",
    "naoqi_bridge_msgs": "NAO and Pepper",
    "hri_msgs": "the node action_units",
}


def optional_packages(wanted: Mapping[str, str] = OPTIONAL) -> Finding:
    """Which of them are there; what needs one says so itself, with the command that installs it."""
    missing = {name: purpose for name, purpose in wanted.items() if find_spec(name) is None}
    there = [name for name in wanted if name not in missing]
    parts = [f"there: {', '.join(there)}"] if there else []
    if missing:
        lacking = (f"{name} (for {purpose})" for name, purpose in missing.items())
        parts.append(f"not there: {', '.join(lacking)}")
    return ok("; ".join(parts))
