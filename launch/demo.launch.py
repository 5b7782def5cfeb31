"""The demo: a speaker from a file or a camera, a drawn head and a simulated robot that listen."""

from __future__ import annotations

import os

from launch import LaunchDescription
from listener_head.demo import NAMESPACE, shipped_clip
from listener_head.graph import DemoOptions, NodeSpec, demo_nodes
from listener_head.policies import POLICY_NAMES
from listener_head.ros.launching import COMMON, Arguments, Values, describe, flag, number
from listener_head.runner import SOURCE, dds_profile

ARGUMENTS: Arguments = {
    "input": ("", "video of a talking face with sound; empty: the clip that ships, unless camera is given"),
    "camera": ("-1", "number of a camera to use instead of a video, -1 for none"),
    "microphone": (
        "none",
        "name or number of the microphone that goes with the camera; '' is the default one",
    ),
    "attitude": ("neutral", "positive, neutral or negative"),
    "robot": ("generic", "name or file of the robot that is simulated"),
    "policy": ("network", f"what listens: {', '.join(POLICY_NAMES)}"),
    "network": ("", "network file; empty: the one that ships"),
    "size": ("256", "width and height of the listener's picture [pixels]"),
    "theme": ("default", "look of the drawn head: default, warm, silver, robot, or a theme file"),
    "portrait": ("", "photograph of one face that listens in place of the drawn head"),
    "record": ("", "folder for a recording of all topics; empty: none"),
    "view": ("false", "show it live on a page in the browser; the log says where"),
    "namespace": (NAMESPACE, "namespace of all nodes and topics"),
    **COMMON,
}


def _nodes(values: Values) -> list[NodeSpec]:
    camera = number(values, "camera")
    video = "" if camera >= 0 else os.path.abspath(values["input"] or str(shipped_clip()))  # noqa: PTH100
    options = DemoOptions(
        video=video,
        camera=camera,
        microphone=values["microphone"],
        attitude=values["attitude"],
        robot=values["robot"],
        listener=values["network"],
        policy=values["policy"],
        size=number(values, "size"),
        theme=values["theme"],
        portrait=values["portrait"],
        record=values["record"],
        view=flag(values, "view"),
    )
    return demo_nodes(options)


def generate_launch_description() -> LaunchDescription:
    """What `ros2 launch listener_head demo.launch.py` starts."""
    variables = {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST", **dds_profile()}
    # The demo is over when its speaker has ended.
    return describe(ARGUMENTS, variables, _nodes, ends_with=SOURCE)
