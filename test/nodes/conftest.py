"""Nodes of the graph in the test's own process, talking over real DDS."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter

from listener_head.paths import config_dir
from listener_head.ros.compose import node_class

# The tests import `node_process` from here; pytest's importlib mode adds no folder to the path.
sys.path.insert(0, str(Path(__file__).parent))

PATIENCE = 20.0  # [s] DDS discovery takes up to three seconds, on a busy machine more

LOST = 0.3  # [s] a best-effort message that has not arrived by then will not


class Bench:
    """Runs nodes and a test node beside them on one executor."""

    def __init__(self, ros) -> None:
        from rclpy.experimental import EventsExecutor

        self.executor = EventsExecutor()
        self.probe = ros.create_node("probe")
        self.executor.add_node(self.probe)
        self.nodes = []

    def start(self, executable: str, **parameters):
        """The node, active, with the parameters of config/listener_head.yaml but for those given."""
        node = self.configured(executable, **parameters)
        assert node.bring_up(), node.problem
        return node

    def configured(self, executable: str, **parameters):
        """The node, not yet configured."""
        arguments = ["--ros-args", "--params-file", str(config_dir() / "listener_head.yaml")]
        for name, value in parameters.items():
            arguments += ["-p", f"{name}:={value}"]
        return self.made(executable, *arguments)

    def made(self, executable: str, *arguments: str):
        """The node with these arguments of the command line alone."""
        node = node_class(executable)(cli_args=list(arguments))
        self.nodes.append(node)
        self.executor.add_node(node)
        return node

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Spins until the condition holds; fails after a while."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"waited {PATIENCE} s for {what}"
            self.executor.spin_once(timeout_sec=0.1)

    def feed(self, node, publish: Callable[[], None], condition: Callable[[], bool], what: str) -> None:
        """Publishes an item whenever the node has taken or lost the one before, until the condition holds.

        A loop that publishes all the time would keep the interpreter from the node's own thread.
        """
        taken, since = -1, 0.0

        def fed() -> bool:
            nonlocal taken, since
            if node.counts["images"] != taken or time.monotonic() - since > LOST:
                taken, since = node.counts["images"], time.monotonic()
                publish()
            return condition()

        self.until(fed, what)

    def listen(self, message: type, topic: str, profile) -> list:
        """What arrives on a topic, once its publisher is matched."""
        received: list = []
        subscription = self.probe.create_subscription(message, topic, received.append, profile)
        self.until(lambda: subscription.get_publisher_count() > 0, f"a publisher of {topic}")
        return received

    def speak(self, message: type, topic: str, profile):
        """A publisher, once somebody listens to it."""
        publisher = self.probe.create_publisher(message, topic, profile)
        self.until(lambda: publisher.get_subscription_count() > 0, f"a subscription to {topic}")
        return publisher

    def call(self, kind: type, service: str, request):
        """The answer of a service."""
        client = self.probe.create_client(kind, service)
        self.until(client.service_is_ready, f"the service {service}")
        answer = client.call_async(request)
        self.until(answer.done, f"the answer of {service}")
        self.probe.destroy_client(client)
        return answer.result()

    def set(self, node: str, name: str, value):
        """What comes of setting a parameter, as `ros2 param set` shows it."""
        request = SetParameters.Request(parameters=[Parameter(name, value=value).to_parameter_msg()])
        return self.call(SetParameters, f"{node}/set_parameters", request).results[0]

    def change(self, node: str, name: str, value) -> None:
        """Sets a parameter to a value that is taken."""
        result = self.set(node, name, value)
        assert result.successful, result.reason

    def close_nodes(self) -> None:
        """Ends all nodes but the probe."""
        for node in self.nodes:
            self.executor.remove_node(node)
            node.shut_down()
            node.destroy_node()
        self.nodes.clear()
        # The executor holds what it has removed until it spins, and that its name in the graph.
        for _ in range(10):
            self.executor.spin_once(timeout_sec=0.001)

    def close(self) -> None:
        self.close_nodes()
        self.executor.remove_node(self.probe)
        self.probe.destroy_node()
        self.executor.shutdown()


@pytest.fixture
def bench(ros) -> Iterator[Bench]:
    bench = Bench(ros)
    yield bench
    bench.close()
