"""Camera, microphone and network do what they like."""

from __future__ import annotations

import struct
import time

from listener_head.msg import ListenerState

from listener_head.timing import NS_PER_S, RATE_HZ

FLOOD_HZ = 200
# What a node may take for itself beyond what it had before [MB].
GROWTH_MB = 20.0
AUDIO_MISSING, SPEAKER_ABSENT = 1, 4  # in ListenerState.flags

# What would go from host to host, were camera, listener and robot on three of them.
BETWEEN_HOSTS = ("speaker/image", "speaker/audio", "listener/coefficients", "joint_states")


def keeps_stepping(graph, seconds: float) -> None:
    """Lets time pass; asserts that the listener steps on the grid and the robot gets its commands."""
    before = {topic: graph.wires[topic].count for topic in ("listener/state", "joint_trajectory")}
    graph.run(seconds)
    for topic, count in before.items():
        # A busy machine leaves steps out.
        assert graph.wires[topic].count - count > 0.5 * RATE_HZ * seconds, topic


def state(graph):
    return graph.wires["listener/state"].message()


def test_a_camera_that_stalls(graph, full):
    pids = graph.runner.pids
    graph.wires["speaker/image"].is_cut = True
    graph.until(lambda: state(graph).mode == ListenerState.MODE_IDLE, "the listener to idle")
    assert state(graph).flags & SPEAKER_ABSENT
    keeps_stepping(graph, 10.0 if full else 1.0)
    graph.mend()
    graph.until(lambda: state(graph).mode == ListenerState.MODE_LISTENING, "the listener to listen")
    graph.unharmed(pids)


def test_sound_that_stalls(graph, full):
    pids = graph.runner.pids
    graph.wires["speaker/audio"].is_cut = True
    graph.until(lambda: state(graph).flags & AUDIO_MISSING, "steps without sound")
    keeps_stepping(graph, 10.0 if full else 1.0)
    graph.mend()
    graph.until(lambda: not state(graph).flags & AUDIO_MISSING, "steps with sound")
    graph.unharmed(pids)


def test_messages_that_are_late_or_lost(graph, full):
    pids = graph.runner.pids
    for topic in BETWEEN_HOSTS:
        graph.wires[topic].loss, graph.wires[topic].delay = 0.3, 0.2
    keeps_stepping(graph, 30.0 if full else 2.0)
    graph.mend()
    graph.unharmed(pids)


def test_a_flood_of_images(graph, full):
    pids = graph.runner.pids
    camera = graph.wires["speaker/image"]
    camera.is_cut = True
    before = graph.memory_mb()
    seconds = 10.0 if full else 2.0
    began, sent = time.monotonic(), 0
    while (elapsed := time.monotonic() - began) < seconds:
        while sent < elapsed * FLOOD_HZ:
            camera.out.publish(taken_now(camera.last))
            sent += 1
        graph.step(timeout=0.5 / FLOOD_HZ)
    # The newest one is looked at, whatever lies before it.
    stamp = graph.wires["speaker/coefficients"].message().header.stamp
    assert time.time() - stamp.sec - stamp.nanosec / NS_PER_S < 1.0
    growth = {name: mb - before[name] for name, mb in graph.memory_mb().items()}
    assert max(growth.values()) < GROWTH_MB, growth
    graph.unharmed(pids)


def taken_now(image: bytes) -> bytes:
    """The serialised image with the time as its stamp (CDR: four bytes, then the header)."""
    seconds, nanoseconds = divmod(time.time_ns(), NS_PER_S)
    return image[:4] + struct.pack("<iI", seconds, nanoseconds) + image[12:]
