"""The order in which the middleware's event and the graph tell of a mismatch, which the network decides."""

import time

from rclpy.qos import QoSProfile, ReliabilityPolicy
from std_msgs.msg import Empty

from listener_head.ros.qos_watch import QosWatch

PATIENCE = 20.0  # [s]


def told(watch, condition):
    deadline = time.monotonic() + PATIENCE
    while not condition(problems := watch.problems()):
        assert time.monotonic() < deadline, problems
        time.sleep(0.05)
    return problems


def test_an_event_before_the_graph_knows_the_writer_is_not_forgotten(ros):
    reader, writer = ros.create_node("reader"), ros.create_node("writer")
    watch = QosWatch(reader)
    reader.create_subscription(Empty, "picky", print, 10)
    watch.of_subscription("picky").incompatible_qos(None)
    assert watch.problems() == []
    careless = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    publisher = writer.create_publisher(Empty, "picky", careless)
    (problem,) = told(watch, bool)
    assert "/writer publishes on /picky" in problem and "reliability best_effort" in problem
    writer.destroy_publisher(publisher)
    assert told(watch, lambda problems: not problems) == []
    reader.destroy_node()
    writer.destroy_node()
