"""What the launch tests beside this file ask of `ros2 launch`, asked of the runner that needs no launch."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from listener_head.errors import UserError
from listener_head.graph import NodeSpec, RobotOptions, robot_nodes
from listener_head.runner import RESPAWN_DELAY, WHOLE_GRAPH, GraphRunner, own_domain

NAMESPACE = "runner"
PATIENCE = 60.0  # [s] five processes start, on a busy machine slowly
# There is no camera here: the listener idles, and the head breathes.
ROBOT = robot_nodes(RobotOptions(simulate=True, image="/eye/image"))


def until(runner: GraphRunner, condition, what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE} s for {what}"
        assert not runner.poll()
        time.sleep(0.05)


def said(runner: GraphRunner, name: str) -> str:
    return (runner.work / f"{name}.log").read_text()


@pytest.fixture
def joint_commands(ros) -> Iterator:
    """A function that gives how many commands have come, and lets some come."""
    from listener_head.msg import JointCommand
    from rclpy.experimental import EventsExecutor

    node = ros.create_node("probe", namespace=NAMESPACE)
    received = []
    node.create_subscription(JointCommand, "joint_commands", received.append, 10)
    executor = EventsExecutor()
    executor.add_node(node)

    def count() -> int:
        executor.spin_once(timeout_sec=0.05)
        return len(received)

    yield count
    executor.remove_node(node)
    node.destroy_node()
    executor.shutdown()


@pytest.mark.parametrize("processes", [True, False], ids=["processes", "one process"])
def test_the_head_is_moved_and_all_nodes_end_cleanly(processes, joint_commands, tmp_path):
    with GraphRunner(ROBOT, NAMESPACE, processes, tmp_path, own_domain()) as runner:
        assert len(runner.pids) == (len(ROBOT) if processes else 1)
        until(runner, lambda: joint_commands() > 0, "a joint command")
        slowest = "face_fit" if processes else WHOLE_GRAPH
        until(runner, lambda: "face_fit]: active" in said(runner, slowest), "the slowest to start")
    assert not runner.pids
    assert all("Traceback" not in log.read_text() for log in tmp_path.glob("*.log"))


@pytest.mark.alone
def test_a_node_that_refuses_its_input_ends_all_even_with_respawn(tmp_path):
    nodes = [NodeSpec("simulated_robot", {"robot": "hal9000"})]
    with (
        GraphRunner(nodes, NAMESPACE, True, tmp_path, own_domain(), RESPAWN_DELAY) as runner,
        pytest.raises(UserError, match="hal9000"),
    ):
        until(runner, lambda: False, "a refusal")


@pytest.mark.alone
def test_a_node_that_ends_is_an_error_without_respawn(tmp_path):
    with GraphRunner([NodeSpec("simulated_robot")], NAMESPACE, True, tmp_path, own_domain()) as runner:
        until(runner, lambda: "active" in said(runner, "simulated_robot"), "the node")
        os.kill(runner.pids["simulated_robot"], signal.SIGKILL)
        with pytest.raises(UserError, match="simulated_robot ended with status -9"):
            until(runner, lambda: False, "its end")


ABANDONED = """
import sys, time
from pathlib import Path
from listener_head.graph import NodeSpec
from listener_head.runner import GraphRunner
graph = GraphRunner([NodeSpec("simulated_robot")], "abandoned", True, Path(sys.argv[1]), int(sys.argv[2]))
with graph as runner:
    print(*runner.pids.values(), flush=True)
    time.sleep(600)
"""


@pytest.mark.alone
@pytest.mark.parametrize("up", [True, False], ids=["up", "starting"])
def test_nodes_end_with_the_process_that_started_them_whatever_ends_it(up, tmp_path):
    command = [sys.executable, "-c", ABANDONED, str(tmp_path), str(own_domain())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        node = psutil.Process(int(owner.stdout.readline()))
        log, deadline = tmp_path / "simulated_robot.log", time.monotonic() + PATIENCE
        while up and "active" not in log.read_text():
            assert time.monotonic() < deadline, "the node did not start"
            time.sleep(0.05)
        assert node.is_running()
        owner.kill()
    try:
        node.wait(timeout=PATIENCE)
    except psutil.TimeoutExpired:
        node.kill()
        raise
    assert "Traceback" not in log.read_text()
