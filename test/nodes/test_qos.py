"""Quality of service: as documented, overridable, and a mismatch is explained. Two graphs keep apart."""

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from listener_head.msg import Attitude, FaceCoefficients, ListenerState
from rclpy.qos import QoSDurabilityPolicy, QoSProfile, QoSReliabilityPolicy
from sensor_msgs.msg import Image, JointState

from listener_head.paths import config_dir
from listener_head.ros import qos

BEST_EFFORT, RELIABLE = QoSReliabilityPolicy.BEST_EFFORT, QoSReliabilityPolicy.RELIABLE
VOLATILE, LATCHED = QoSDurabilityPolicy.VOLATILE, QoSDurabilityPolicy.TRANSIENT_LOCAL
IMAGE = QoSProfile(depth=1, reliability=BEST_EFFORT)
# What everybody shares.
ABSOLUTE = {"/diagnostics", "/tf", "/tf_static", "/clock", "/rosout", "/parameter_events"}


def profile_of(node, topic):
    ends = (*node.publishers, *node.subscriptions)
    profile = next(end.qos_profile for end in ends if end.topic_name == f"/{topic}")
    return profile.reliability, profile.durability, profile.depth


@pytest.mark.parametrize(
    ("executable", "profiles"),
    [
        (
            "listener",
            {
                "speaker/audio_features": (RELIABLE, VOLATILE, 10),
                "speaker/coefficients": (RELIABLE, VOLATILE, 10),
                "attitude": (RELIABLE, LATCHED, 1),
                "listener/coefficients": (RELIABLE, VOLATILE, 10),
                "listener/state": (RELIABLE, VOLATILE, 10),
            },
        ),
        (
            "face_fit",
            {
                "speaker/image": (BEST_EFFORT, VOLATILE, 1),
                "speaker/camera_info": (BEST_EFFORT, VOLATILE, 1),
                "speaker/coefficients": (RELIABLE, VOLATILE, 10),
            },
        ),
        ("simulated_robot", {"robot_description": (RELIABLE, LATCHED, 1)}),
    ],
)
def test_profiles_are_as_documented(bench, executable, profiles):
    node = bench.start(executable)
    for topic, profile in profiles.items():
        found = profile_of(node, topic)
        assert (found[0], found[2]) == (profile[0], profile[2]), topic
        assert (found[1] == LATCHED) == (profile[1] == LATCHED), topic


def test_an_override_changes_the_one_topic_that_it_names(bench):
    node = bench.start(
        "listener",
        **{
            "qos_overrides./listener/state.publisher.reliability": "best_effort",
            "qos_overrides./listener/state.publisher.depth": 3,
            "qos_overrides./attitude.subscription.durability": "volatile",
        },
    )
    assert profile_of(node, "listener/state") == (BEST_EFFORT, qos.RESULT.durability, 3)
    assert profile_of(node, "attitude")[1] == VOLATILE
    assert profile_of(node, "listener/coefficients") == (RELIABLE, qos.RESULT.durability, 10)
    assert qos.RESULT.reliability == RELIABLE and qos.LATCHED.durability == LATCHED
    # The middleware offers what was asked for.
    ends = bench.probe.get_publishers_info_by_topic("/listener/state")
    bench.until(lambda: bench.probe.get_publishers_info_by_topic("/listener/state"), "the graph")
    ends = bench.probe.get_publishers_info_by_topic("/listener/state")
    assert ends[0].qos_profile.reliability == BEST_EFFORT


@pytest.mark.parametrize(
    ("name", "value"), [("reliability", "bestest_effort"), ("depth", -1), ("history", 3)]
)
def test_an_override_that_is_none_fails_the_configuration(bench, name, value):
    node = bench.configured("listener", **{f"qos_overrides./listener/state.publisher.{name}": value})
    assert not node.bring_up()
    assert not node.crashed and "listener/state" in node.problem and name in node.problem


def test_an_override_of_a_topic_that_is_not_there_is_named(bench, capfd):
    bench.start("simulated_robot", **{"qos_overrides./joint_state.publisher.depth": 3})
    said = capfd.readouterr().err
    assert "did you mean 'qos_overrides./joint_states.publisher.depth'?" in said


class Mismatch:
    """What a node says about one."""

    def __init__(self, bench, capfd, node):
        self._bench, self._capfd, self._said, self._node = bench, capfd, "", node
        self._messages = []
        bench.probe.create_subscription(DiagnosticArray, "/diagnostics", self._take, qos.RESULT)

    def _take(self, array):
        self._messages += [
            status.message
            for status in array.status
            if status.level == DiagnosticStatus.WARN and status.name == self._node
        ]

    def texts(self):
        """What was logged, and what the diagnostics say, once they have said it three times."""
        self._bench.until(lambda: len(self._messages) > 2, "diagnostics")
        self._said += self._capfd.readouterr().err
        logged = [line.split("]: ")[1] for line in self._said.splitlines() if "nothing that" in line]
        return logged, set(self._messages)


def test_a_reader_that_asks_for_too_much_is_named(bench, capfd):
    mismatch = Mismatch(bench, capfd, "/renderer")
    bench.start("renderer", size=16, device="cpu", diagnostics_rate=10.0)
    camera = bench.probe.create_subscription(Image, "listener/image", print, qos.LATCHED)
    text = (
        "nothing that /renderer publishes on /listener/image reaches /probe: the one offers durability "
        "volatile, the other asks for transient_local; start /renderer with "
        "qos_overrides./listener/image.publisher.durability:=transient_local, or change /probe"
    )
    assert mismatch.texts() == ([text], {text})
    bench.probe.destroy_subscription(camera)


def test_a_writer_that_offers_too_little_is_named_and_the_fix_helps(bench, capfd):
    mismatch = Mismatch(bench, capfd, "/listener")
    bench.start("listener", diagnostics_rate=10.0)
    bench.probe.create_publisher(FaceCoefficients, "speaker/coefficients", IMAGE)
    text = (
        "nothing that /probe publishes on /speaker/coefficients reaches /listener: the one offers "
        "reliability best_effort, the other asks for reliable; start /listener with "
        "qos_overrides./speaker/coefficients.subscription.reliability:=best_effort, or change /probe"
    )
    assert mismatch.texts() == ([text], {text})
    bench.close_nodes()
    override = {"qos_overrides./speaker/coefficients.subscription.reliability": "best_effort"}
    bench.start("listener", **override)
    bench.speak(FaceCoefficients, "speaker/coefficients", IMAGE)


def test_two_listeners_of_one_machine_keep_apart(bench):
    nodes = {}
    for namespace in ("left", "right"):
        for executable in ("listener", "joint_mapper", "simulated_robot", "audio_features"):
            parameters = ["--params-file", str(config_dir() / "listener_head.yaml"), "-p", "simulated:=true"]
            node = bench.made(executable, "--ros-args", *parameters, "-r", f"__ns:=/{namespace}")
            assert node.bring_up(), node.problem
            nodes[namespace, executable] = node
    states = {
        side: bench.listen(ListenerState, f"/{side}/listener/state", qos.RESULT) for side in ("left", "right")
    }
    joints = {
        side: bench.listen(JointState, f"/{side}/joint_states", qos.RESULT) for side in ("left", "right")
    }
    diagnosed = set()
    bench.probe.create_subscription(
        DiagnosticArray,
        "/diagnostics",
        lambda array: diagnosed.update(s.name for s in array.status),
        qos.RESULT,
    )
    bench.speak(Attitude, "/left/attitude", qos.LATCHED).publish(Attitude(attitude=Attitude.POSITIVE))
    bench.until(lambda: states["left"] and states["left"][-1].attitude == Attitude.POSITIVE, "the left one's")
    bench.until(lambda: all(states.values()) and all(joints.values()), "both graphs")
    assert states["right"][-1].attitude == Attitude.NEUTRAL
    names = {node.get_fully_qualified_name() for node in nodes.values()}
    assert len(names) == len(nodes)
    bench.until(lambda: names <= diagnosed, "the diagnostics of all")
    for node in nodes.values():
        own = node.get_namespace() + "/"
        topics = {end.topic_name for end in (*node.publishers, *node.subscriptions)} - ABSOLUTE
        assert all(topic.startswith(own) for topic in topics)
        assert all(service.srv_name.startswith((own, "~", node.get_name())) for service in node.services)
        services = bench.probe.get_service_names_and_types_by_node(node.get_name(), node.get_namespace())
        assert services and all(name.startswith(own) for name, _ in services)
