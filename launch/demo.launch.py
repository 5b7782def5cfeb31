"""The demo: a speaker from a file or a camera, a drawn head and a simulated robot that listen."""

from __future__ import annotations

import os

from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    GroupAction,
    OpaqueFunction,
    SetEnvironmentVariable,
)
from launch.events import Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node, PushROSNamespace, SetParameter

from launch import LaunchContext, LaunchDescription
from listener_head.demo import NAMESPACE, shipped_clip
from listener_head.graph import DemoOptions, NodeSpec, demo_nodes
from listener_head.paths import config_dir
from listener_head.runner import SOURCE, dds_profile

ARGUMENTS = {
    "input": ("", "video of a talking face with sound; empty: the clip that ships, unless camera is given"),
    "camera": ("-1", "number of a camera to use instead of a video, -1 for none"),
    "microphone": (
        "none",
        "name or number of the microphone that goes with the camera; '' is the default one",
    ),
    "attitude": ("neutral", "positive, neutral or negative"),
    "robot": ("generic", "name or file of the robot that is simulated"),
    "network": ("", "network file; empty: the one that ships"),
    "size": ("256", "width and height of the listener's picture [pixels]"),
    "record": ("", "folder for a recording of all topics; empty: none"),
    "namespace": (NAMESPACE, "namespace of all nodes and topics"),
    "params_file": ("", "YAML file of parameters; empty: config/listener_head.yaml"),
    "use_sim_time": ("false", "take the time from /clock"),
    "use_respawn": ("false", "start a node again when it ends by itself"),
    "log_level": ("info", "debug, info, warn, error or fatal"),
}


def _nodes(context: LaunchContext) -> list[GroupAction]:
    value = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    camera = int(value["camera"])
    video = "" if camera >= 0 else os.path.abspath(value["input"] or str(shipped_clip()))  # noqa: PTH100
    options = DemoOptions(
        video=video,
        camera=camera,
        microphone=value["microphone"],
        attitude=value["attitude"],
        robot=value["robot"],
        listener=value["network"],
        size=int(value["size"]),
        record=value["record"],
    )
    params_file = value["params_file"] or str(config_dir() / "listener_head.yaml")
    respawn = value["use_respawn"] == "true"
    nodes = [_node(spec, params_file, respawn, value["log_level"]) for spec in demo_nodes(options)]
    return [
        GroupAction(
            [
                PushROSNamespace(value["namespace"]),
                SetParameter("use_sim_time", value["use_sim_time"] == "true"),
                *nodes,
            ]
        )
    ]


def _node(spec: NodeSpec, params_file: str, respawn: bool, log_level: str) -> Node:
    is_source = spec.executable == SOURCE
    return Node(
        package="listener_head",
        executable=spec.executable,
        name=spec.executable,
        parameters=[params_file, spec.parameters] if spec.parameters else [params_file],
        remappings=list(spec.remaps.items()),
        arguments=["--ros-args", "--log-level", log_level],
        output="screen",
        respawn=respawn and not is_source,
        # The demo is over when its speaker has ended.
        on_exit=[EmitEvent(event=Shutdown(reason="the speaker has ended"))] if is_source else None,
    )


def generate_launch_description() -> LaunchDescription:
    """What `ros2 launch listener_head demo.launch.py` starts."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, (default, text) in ARGUMENTS.items()
    ]
    variables = {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST", **dds_profile()}
    environment = [
        SetEnvironmentVariable(name, value) for name, value in variables.items() if name not in os.environ
    ]
    return LaunchDescription([*declared, *environment, OpaqueFunction(function=_nodes)])
