"""What is left of a node, or of a part of it, that ends."""

import time
from contextlib import suppress

import pytest
from rclpy.exceptions import InvalidHandle
from rclpy.experimental import EventsExecutor
from std_msgs.msg import Empty
from std_srvs.srv import Trigger

from listener_head.ros.node import GraphNode

QUEUED = 0.1  # [s] by then the executor has taken in what came


class Late(GraphNode):
    """Notes what it is called for."""

    def __init__(self):
        super().__init__("late", ["--ros-args", "-p", "autostart:=false"])
        self.calls = []

    def configure(self):
        self.serve(Trigger, "trigger", self._serve)

    def activate(self):
        self.every(0.001, lambda: self.calls.append("timer"))
        self.subscribe(Empty, "empty", lambda _: self.calls.append("message"))

    def _serve(self, request, response):
        self.calls.append("request")
        return response


@pytest.fixture
def late(ros):
    node = Late()
    probe = ros.create_node("probe")
    executor = EventsExecutor()
    executor.add_node(node)
    executor.add_node(probe)
    node.bring_up()
    publisher = probe.create_publisher(Empty, "empty", 10)
    client = probe.create_client(Trigger, "trigger")

    def spin(seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with suppress(InvalidHandle):
                executor.spin_once(timeout_sec=0.05)

    def send():
        publisher.publish(Empty())
        client.call_async(Trigger.Request())
        time.sleep(QUEUED)

    deadline = time.monotonic() + 20
    while not {"timer", "message", "request"} <= set(node.calls) and time.monotonic() < deadline:
        send()
        spin(QUEUED)
    assert {"timer", "message", "request"} <= set(node.calls)
    spin(QUEUED)
    node.calls.clear()
    yield node, send, spin
    executor.remove_node(node)
    executor.remove_node(probe)
    node.shut_down()
    node.destroy_node()
    probe.destroy_node()


def test_what_came_before_deactivation_is_dropped(late):
    node, send, spin = late
    send()
    node.trigger_deactivate()
    spin(0.3)
    assert set(node.calls) == {"request"}


def test_a_request_that_came_before_cleanup_ends_nothing(late):
    node, send, spin = late
    send()
    node.trigger_deactivate()
    node.trigger_cleanup()
    spin(0.3)
    assert node.calls == []


def test_active_again_it_is_called_again(late):
    node, send, spin = late
    send()
    node.trigger_deactivate()
    node.trigger_activate()
    spin(0.1)
    node.calls.clear()
    deadline = time.monotonic() + 20
    while not {"timer", "message"} <= set(node.calls) and time.monotonic() < deadline:
        send()
        spin(QUEUED)
    assert {"timer", "message"} <= set(node.calls)


def test_a_destroyed_node_is_out_of_the_graph_before_python_collects_it(ros):
    probe = ros.create_node("probe")
    node = GraphNode("gone", [])
    assert "gone" in probe.get_node_names()
    node.destroy_node()
    assert "gone" not in probe.get_node_names()
    probe.destroy_node()
