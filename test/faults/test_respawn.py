"""A node is killed without warning: the others go on, and soon it is there again."""

from __future__ import annotations

import os
import signal
import time

import numpy as np
import pytest

from listener_head.graph import DemoOptions, demo_nodes

RECOVERY = 5.0  # [s] to a whole graph, on a machine that has nothing else to do
STILL = 0.02  # [rad/s]
# Points of a trajectory end at rest within this [s].
COMES_TO_REST = 0.7

NODES = [node.executable for node in demo_nodes(DemoOptions(video="x"))]


@pytest.mark.parametrize("name", NODES)
def test_the_graph_is_whole_again(graph, full, name):
    before = graph.runner.pids
    os.kill(before[name], signal.SIGKILL)
    killed = time.monotonic()
    if name == "joint_mapper":
        graph.run(COMES_TO_REST)
        graph.speed = 0.0
    graph.until(lambda: graph.runner.pids.get(name, before[name]) != before[name], f"a new {name}")
    if name == "joint_mapper":
        assert graph.speed < STILL  # nobody tells the robot to move
        graph.until(lambda: graph.wires["joint_commands"].last_at > killed + COMES_TO_REST, "a command")
        command, state = (graph.wires[topic].message() for topic in ("joint_commands", "joint_states"))
        np.testing.assert_allclose(
            command.positions, state.position, atol=0.05
        )  # it begins where the head is
    graph.until_whole()
    took = time.monotonic() - killed
    now = graph.runner.pids
    graph.unharmed({**before, name: now[name]})
    assert now[name] != before[name]
    assert took < RECOVERY or not full, f"{took:.1f} s"
