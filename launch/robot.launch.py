"""A robot that listens: its own camera and microphone or yours, and its head or a simulated one."""

from __future__ import annotations

from launch import LaunchDescription
from listener_head.graph import AUTO, JOINT_STATES, NO_MOTION, TF, NodeSpec, RobotOptions, robot_nodes
from listener_head.policies import POLICY_NAMES
from listener_head.ros.launching import COMMON, Arguments, Values, describe, flag, number
from listener_head.runner import dds_profile

ARGUMENTS: Arguments = {
    "robot": ("generic", "name or file of the robot"),
    "attitude": ("neutral", "positive, neutral or negative"),
    "image": ("", "topic of the robot's camera (sensor_msgs/Image); empty: your own, see camera"),
    "camera_info": ("", "topic of its camera_info; empty: the one beside image"),
    "audio": ("", "topic of the robot's microphone (listener_head/AudioChunk); empty: see microphone"),
    "camera": ("-1", "number of your own camera, -1 for none"),
    "microphone": ("none", "name or number of your own microphone; '' is the default one"),
    "camera_motion": (
        AUTO,
        f"how it is known where a camera in the head is: {JOINT_STATES}, {TF}, {NO_MOTION} (it stands) or "
        f"{AUTO} ({JOINT_STATES} if image is given, the robot file has a camera and simulate is false)",
    ),
    "look_at_speaker": ("true", "turn the head to the speaker, where camera_motion tells where that is"),
    "simulate": ("false", "move a simulated robot instead of the real one"),
    "allow_unverified": ("false", "move a real robot whose file nobody has verified on it"),
    "policy": ("network", f"what listens: {', '.join(POLICY_NAMES)}"),
    "network": ("", "network file; empty: the one that ships"),
    "render": ("false", "draw the listener as well, on listener/image"),
    "theme": ("default", "look of the drawn head: default, warm, silver, robot, or a theme file"),
    "portrait": ("", "photograph of one face that is drawn in place of the head"),
    "live_link": ("", "HOST or HOST:PORT of an avatar that takes Live Link Face packets; empty: none"),
    "view": ("false", "show it live on a page in the browser; the log says where"),
    "namespace": ("", "namespace of all nodes and of our topics"),
    **COMMON,
}


def _nodes(values: Values) -> list[NodeSpec]:
    options = RobotOptions(
        robot=values["robot"],
        attitude=values["attitude"],
        image=values["image"],
        camera_info=values["camera_info"],
        audio=values["audio"],
        camera=number(values, "camera"),
        microphone=values["microphone"],
        camera_motion=values["camera_motion"],
        look_at_speaker=flag(values, "look_at_speaker"),
        simulate=flag(values, "simulate"),
        allow_unverified=flag(values, "allow_unverified"),
        policy=values["policy"],
        listener=values["network"],
        render=flag(values, "render"),
        theme=values["theme"],
        portrait=values["portrait"],
        live_link=values["live_link"],
        view=flag(values, "view"),
    )
    return robot_nodes(options)


def generate_launch_description() -> LaunchDescription:
    """What `ros2 launch listener_head robot.launch.py` starts."""
    return describe(ARGUMENTS, dds_profile(), _nodes)
