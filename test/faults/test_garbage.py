"""Malformed messages on every topic: nothing crashes, no NaN leaves, no memory grows, limits hold."""

from __future__ import annotations

import time

import pytest
from garbage import largest, malformed
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from rclpy.serialization import serialize_message
from wired import INPUTS

from listener_head.graph import DemoOptions, demo_nodes

FULL, SOME = 5000, 100  # messages per topic
# What a node may take for itself beyond what the largest messages have made it take [MB]: DDS keeps room for
# so many of them.
GROWTH_MB = 40.0
DEPTH = 50
# So long [s] a node has for a message before the next one comes.
PACE = 0.002

TOPICS = sorted({topic for topics in INPUTS.values() for topic in topics})


def real_message(graph, topic: str):
    """What comes on the topic, or would come."""
    wire = graph.wires[topic]
    if wire.last:
        return wire.message()
    message = wire.kind()
    if topic == "speaker/position":
        message.header.frame_id = graph.robot.frames.base
        message.point.x, message.point.z = 1.0, 0.3
    if topic == "speaker/camera_info":
        message.width, message.height = 256, 256
        message.k = [300.0, 0.0, 128.0, 0.0, 300.0, 128.0, 0.0, 0.0, 1.0]
        message.d, message.distortion_model = [0.1, 0.0, 0.0, 0.0, 0.0], "plumb_bob"
    return message


def send(graph, wire, message) -> None:
    """Sends a message; of pictures face_fit leaves those out that come while it looks at one."""
    answers = graph.wires["speaker/coefficients"]
    before, sent = answers.count, time.monotonic()
    wire.out.publish(message)
    is_picture = wire.topic == "speaker/image"
    while time.monotonic() - sent < PACE or (
        is_picture and answers.count == before and time.monotonic() - sent < 0.1
    ):
        graph.step(timeout=PACE / 2)


def shower(graph, topic: str, count: int) -> None:
    """Sends that many malformed messages into a topic, between the real ones."""
    wire = graph.wires[topic]
    real = real_message(graph, topic)

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],  # what broke a node cannot be sent again to the same one
        suppress_health_check=list(HealthCheck),
    )
    @given(malformed(real))
    def one(message):
        send(graph, wire, message)
        assert not graph.wrong

    one()


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("topic", TOPICS)
def test_malformed_messages(graph, full, topic):
    pids = graph.runner.pids
    count = FULL if full else SOME
    for _ in range(DEPTH):
        send(graph, graph.wires[topic], largest(real_message(graph, topic)))
    shower(graph, topic, count // 10)
    before = graph.memory_mb()
    shower(graph, topic, count)
    calm(graph)
    graph.until_whole()
    graph.unharmed(pids)
    growth = {name: round(mb - before[name], 1) for name, mb in graph.memory_mb().items()}
    assert max(growth.values()) < GROWTH_MB, growth


@pytest.mark.parametrize("topic", TOPICS)
def test_bytes_that_are_no_message(graph, topic):
    """As another version of the message type, or a fault on the way, would send them."""
    pids = graph.runner.pids
    wire = graph.wires[topic]
    whole = bytes(serialize_message(real_message(graph, topic)))

    @settings(max_examples=20, deadline=None, database=None, derandomize=True, phases=[Phase.generate])
    @given(st.integers(0, len(whole) - 1), st.binary(max_size=40))
    def one(cut, tail):
        # DDS itself refuses to send more than a type of fixed size can hold.
        send(graph, wire, (whole[:cut] + tail)[: len(whole)])

    one()
    calm(graph)
    graph.until_whole()
    graph.unharmed(pids)


def calm(graph) -> None:
    """Takes back what a message may have asked for in good form: to stop, or that the robot speaks."""
    for topic in ("emergency_stop", "robot_speaking"):
        wire = graph.wires[topic]
        wire.out.publish(wire.kind(data=False))


def test_every_node_that_listens_has_its_share():
    nodes = {node.executable for node in demo_nodes(DemoOptions(video="x"))}
    assert set(INPUTS) == nodes - {"speaker_source"}
