"""The node graph as data: what runs, with which remaps and parameters.

The launch files and the stand-alone runner read the same list. Respawn, lifecycle management and log
levels belong to launch. No ROS in here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from listener_head.errors import UserError

if TYPE_CHECKING:
    from listener_head.robot import Robot

Parameter = bool | int | float | str | list[str]

# Every topic that one node of the demo writes and another reads, with its type; names are relative.
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
CLOCK = "/clock"
COMPRESSED = "/compressed"  # how image_transport names the compressed images beside a topic
# What a recorder may write down: simulated time as well, which is the whole domain's.
RECORDED_TOPICS: dict[str, str] = {**TOPICS, CLOCK: "rosgraph_msgs/msg/Clock"}

# Who plays a speaker waits until these are written and read; and these, when the answers are recorded.
_WAITED_FOR = (
    "speaker/image",
    "speaker/audio",
    "speaker/audio_features",
    "speaker/coefficients",
    "listener/coefficients",
    "joint_trajectory",
)
_RECORDED_ANSWERS = ("listener/state", "joint_commands", "joint_states")


@dataclass(frozen=True)
class NodeSpec:
    """One node: its executable of this package, which is its name as well."""

    executable: str
    parameters: dict[str, Parameter] = field(default_factory=dict)
    remaps: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DemoOptions:
    """What a user may choose for the demo graph. A ``portrait`` is drawn in place of the built-in head."""

    video: str = ""
    camera: int = -1
    microphone: str = "none"
    attitude: str = "neutral"
    robot: str = "generic"
    listener: str = ""
    policy: str = "network"
    size: int = 256
    theme: str = "default"
    portrait: str = ""
    record: str = ""
    view: bool = False


@dataclass(frozen=True)
class ReplayOptions:
    """What a user may choose for a graph that listens to the speaker of a recording, ``bag``.

    ``image`` and ``audio`` name topics of the recording, found by type and usual name if empty; it is played
    ``loops`` times. ``record`` is the folder of what the graph answers.
    """

    bag: str
    record: str
    image: str = ""
    audio: str = ""
    loops: int = 1
    attitude: str = "neutral"
    robot: str = "generic"
    listener: str = ""
    policy: str = "network"
    render: bool = True


# What robot_nodes takes for camera_motion: AUTO means JOINT_STATES for the real robot's own camera.
AUTO, NO_MOTION, JOINT_STATES, TF = "auto", "none", "joint_states", "tf"


@dataclass(frozen=True)
class RobotOptions:
    """What a user may choose for a robot's graph.

    ``image``, ``camera_info`` and ``audio`` are the robot's topics; without ``image`` our own ``camera`` is
    used, without ``audio`` our own ``microphone``. ``live_link`` is HOST or HOST:PORT of an avatar.
    """

    robot: str = "generic"
    attitude: str = "neutral"
    image: str = ""
    camera_info: str = ""
    audio: str = ""
    camera: int = -1
    microphone: str = "none"
    camera_motion: str = AUTO
    look_at_speaker: bool = True
    simulate: bool = False
    allow_unverified: bool = False
    policy: str = "network"
    listener: str = ""
    render: bool = False
    theme: str = "default"
    portrait: str = ""
    live_link: str = ""
    view: bool = False


def listening_nodes(options: DemoOptions | ReplayOptions | RobotOptions) -> list[NodeSpec]:
    """The nodes from the speaker's topics to the listener's coefficients."""
    listener: dict[str, Parameter] = {
        "attitude": options.attitude,
        "network": options.listener,
        "policy": options.policy,
    }
    return [
        NodeSpec("audio_features", {"network": options.listener}),
        NodeSpec("face_fit"),
        NodeSpec("listener", listener),
    ]


def _drawn(options: DemoOptions | RobotOptions) -> dict[str, Parameter]:
    """Parameters of the renderer: whom it draws."""
    if options.portrait:
        return {"renderer": "portrait", "portrait": options.portrait}
    return {"theme": options.theme}


def demo_nodes(options: DemoOptions) -> list[NodeSpec]:
    """The whole demo: source, listener, drawn head, simulated robot, and the recorder if asked for."""
    source: dict[str, Parameter] = {"camera": options.camera, "microphone": options.microphone}
    if options.video:
        source = {"video": options.video}
    nodes = [
        *listening_nodes(options),
        NodeSpec("renderer", {"size": options.size, **_drawn(options)}),
        NodeSpec("joint_mapper", {"robot": options.robot, "simulated": True}),
        NodeSpec("simulated_robot", {"robot": options.robot}),
    ]
    if options.view:
        nodes.append(NodeSpec("viewer"))
    waited_for = list(_WAITED_FOR)
    if options.record:
        # What is said elsewhere is left out: joint_commands has the trajectories' points with their stamps,
        # and the pictures of a file are in the file (those of a camera are nowhere else).
        left_out = {"joint_trajectory"} | ({"speaker/image"} if options.video else set())
        topics = [topic for topic in TOPICS if topic not in left_out]
        nodes.append(NodeSpec("recorder", {"output": options.record, "topics": topics}))
        waited_for += ["listener/image", *_RECORDED_ANSWERS]
    return [*nodes, NodeSpec("speaker_source", {**source, "wait_for": waited_for})]


def replay_nodes(options: ReplayOptions) -> list[NodeSpec]:
    """The graph of the demo on a recording, in the recording's time: all but the player follow its clock."""
    nodes = [
        *listening_nodes(options),
        NodeSpec("joint_mapper", {"robot": options.robot, "simulated": True}),
        NodeSpec("simulated_robot", {"robot": options.robot}),
    ]
    if options.render:
        nodes.append(NodeSpec("renderer"))
    simulated = [replace(node, parameters={**node.parameters, "use_sim_time": True}) for node in nodes]
    # The speaker is in the recording that is played. Arrivals are written down in the computer's time, which
    # does not jump, and the clock beside them.
    left_out = ("speaker/image", "speaker/audio", "joint_trajectory")
    answers = [topic for topic in TOPICS if topic not in left_out]
    player: dict[str, Parameter] = {
        "bag": options.bag,
        "image": options.image,
        "audio": options.audio,
        "loops": options.loops,
        "wait_for": [*_WAITED_FOR, *_RECORDED_ANSWERS, *(["listener/image"] if options.render else [])],
    }
    return [
        *simulated,
        NodeSpec("recorder", {"output": options.record, "topics": [*answers, CLOCK]}),
        NodeSpec("bag_player", player),
    ]


def robot_nodes(options: RobotOptions) -> list[NodeSpec]:
    """The graph that moves a robot's head, or the simulated robot's.

    UserError for options that contradict each other, an unknown robot, or nobody to watch.
    """
    from listener_head.robot import load_robot  # who reads the demo's graph needs no robot

    robot = load_robot(options.robot)
    face: dict[str, Parameter] = {
        "image_transport": "compressed" if options.image.endswith(COMPRESSED) else "raw",
        "camera_motion": _camera_motion(options, robot),
        "robot": options.robot,
        "simulated": options.simulate,
    }
    mapper: dict[str, Parameter] = {
        "robot": options.robot,
        "simulated": options.simulate,
        "allow_unverified": options.allow_unverified,
        "look_at_speaker": options.look_at_speaker,
    }
    features, _, listener = listening_nodes(options)
    nodes = [
        NodeSpec("audio_features", features.parameters, _audio_remaps(options.audio)),
        NodeSpec("face_fit", face, _camera_remaps(options)),
        listener,
        NodeSpec("joint_mapper", mapper),
    ]
    if options.simulate:
        nodes.append(NodeSpec("simulated_robot", {"robot": options.robot}))
    if options.render:
        nodes.append(NodeSpec("renderer", _drawn(options)))
    if options.live_link:
        nodes.append(NodeSpec("live_link", _address(options.live_link)))
    if options.view:
        nodes.append(NodeSpec("viewer", {}, _remaps({"speaker/image": _raw(options.image)})))
    source = _own_source(options)
    return nodes if source is None else [*nodes, source]


def _camera_motion(options: RobotOptions, robot: Robot) -> str:
    choices = (AUTO, NO_MOTION, JOINT_STATES, TF)
    if options.camera_motion not in choices:
        raise UserError(
            f"camera_motion '{options.camera_motion}' is unknown; choose one of {', '.join(choices)}"
        )
    if options.camera_motion != AUTO:
        return options.camera_motion
    # A simulated head carries no real camera about.
    own_camera = options.image and robot.camera is not None and not options.simulate
    return JOINT_STATES if own_camera else NO_MOTION


def _camera_remaps(options: RobotOptions) -> dict[str, str]:
    """The robot's image, and its camera_info: by ROS custom the one beside the image."""
    image = _raw(options.image)
    info = options.camera_info or _beside(image, "camera_info")
    return _remaps({"speaker/image": image, "speaker/camera_info": info})


def _audio_remaps(audio: str) -> dict[str, str]:
    """The robot's sound, and what says the form of ros-drivers' AudioData beside it."""
    return _remaps({"speaker/audio": audio, "speaker/audio_info": _beside(audio, "audio_info")})


def _beside(topic: str, name: str) -> str:
    folder, slash, _ = topic.rpartition("/")
    return f"{folder}{slash}{name}" if topic else ""


def _raw(image: str) -> str:
    """The topic of raw images that one of compressed images belongs to."""
    return image.removesuffix(COMPRESSED)


def _remaps(topics: dict[str, str]) -> dict[str, str]:
    return {ours: theirs for ours, theirs in topics.items() if theirs}


def _own_source(options: RobotOptions) -> NodeSpec | None:
    """Our own camera and microphone, where they are asked for."""
    if options.image and options.camera >= 0:
        raise UserError(f"image {options.image} and camera {options.camera} are both given; choose one")
    if not options.image and options.camera < 0:
        raise UserError("nobody to watch: give image:=TOPIC of the robot's camera, or camera:=0 for your own")
    if options.audio and options.microphone != "none":
        raise UserError(f"audio {options.audio} and a microphone are both given; choose one")
    if options.camera < 0 and options.microphone == "none":
        return None
    return NodeSpec("speaker_source", {"camera": options.camera, "microphone": options.microphone})


def _address(text: str) -> dict[str, Parameter]:
    """Parameters of live_link for HOST or HOST:PORT."""
    host, colon, port = text.rpartition(":")
    if not colon:
        return {"host": text}
    if not port.isdecimal():
        raise UserError(
            f"live_link '{text}' is no address; give HOST or HOST:PORT, such as 192.168.1.5:11111"
        )
    return {"host": host, "port": int(port)}
