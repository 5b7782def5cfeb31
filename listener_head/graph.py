"""The node graph as data: what runs, with which remaps and parameters.

The launch files and the stand-alone runner read the same list. Respawn, lifecycle management and log
levels belong to launch. No ROS in here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Parameter = bool | int | float | str | list[str]

# Every topic that one node of the graph writes and another reads, with its type; names are relative.
TOPICS: dict[str, str] = {
    "speaker/image": "sensor_msgs/msg/Image",
    "speaker/audio": "listener_head/msg/AudioChunk",
    "speaker/audio_features": "listener_head/msg/AudioFeatures",
    "speaker/coefficients": "listener_head/msg/FaceCoefficients",
    "attitude": "listener_head/msg/Attitude",
    "listener/coefficients": "listener_head/msg/FaceCoefficients",
    "listener/state": "listener_head/msg/ListenerState",
    "listener/image": "sensor_msgs/msg/Image",
    "joint_commands": "listener_head/msg/JointCommand",
    "joint_trajectory": "trajectory_msgs/msg/JointTrajectory",
    "joint_states": "sensor_msgs/msg/JointState",
}


@dataclass(frozen=True)
class NodeSpec:
    """One node: its executable of this package, which is its name as well."""

    executable: str
    parameters: dict[str, Parameter] = field(default_factory=dict)
    remaps: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DemoOptions:
    """What a user may choose for the demo graph."""

    video: str = ""
    camera: int = -1
    microphone: str = "none"
    attitude: str = "neutral"
    robot: str = "generic"
    listener: str = ""
    size: int = 256
    record: str = ""


def listening_nodes(options: DemoOptions) -> list[NodeSpec]:
    """The nodes from the speaker's topics to the listener's coefficients."""
    return [
        NodeSpec("audio_features", {"network": options.listener}),
        NodeSpec("face_fit"),
        NodeSpec("listener", {"attitude": options.attitude, "network": options.listener}),
    ]


def demo_nodes(options: DemoOptions) -> list[NodeSpec]:
    """The whole demo: source, listener, drawn head, simulated robot, and the recorder if asked for."""
    source: dict[str, Parameter] = {"camera": options.camera, "microphone": options.microphone}
    if options.video:
        source = {"video": options.video}
    nodes = [
        *listening_nodes(options),
        NodeSpec("renderer", {"size": options.size}),
        # The robot of the demo is the simulated one: an unverified robot file may move it.
        NodeSpec("joint_mapper", {"robot": options.robot, "allow_unverified": True}),
        NodeSpec("simulated_robot", {"robot": options.robot}),
    ]
    waited_for = [
        "speaker/audio_features",
        "speaker/coefficients",
        "listener/coefficients",
        "joint_trajectory",
    ]
    if options.record:
        # What is said elsewhere is left out: joint_commands has the trajectories' points with their stamps,
        # and the pictures of a file are in the file (those of a camera are nowhere else).
        left_out = {"joint_trajectory"} | ({"speaker/image"} if options.video else set())
        topics = [topic for topic in TOPICS if topic not in left_out]
        nodes.append(NodeSpec("recorder", {"output": options.record, "topics": topics}))
        waited_for += ["listener/image", "listener/state", "joint_commands", "joint_states"]
    return [*nodes, NodeSpec("speaker_source", {**source, "wait_for": waited_for})]
