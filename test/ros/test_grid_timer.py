import time

import pytest
from rclpy.executors import SingleThreadedExecutor
from rclpy.experimental import EventsExecutor

from listener_head.ros.grid_timer import GridTimer
from listener_head.ros.node import GraphNode
from listener_head.timing import grid_time_ns

DELAY_NS = 5_000_000


@pytest.mark.parametrize("executor_type", [SingleThreadedExecutor, EventsExecutor])
def test_fires_once_after_each_instant_of_the_grid(ros, executor_type):
    node = GraphNode("grid")
    executor = executor_type()
    executor.add_node(node)
    fired = []

    def due(index):
        fired.append((index, node.get_clock().now().nanoseconds))

    GridTimer(node, DELAY_NS, due)
    deadline = time.monotonic() + 20
    while len(fired) < 20 and time.monotonic() < deadline:
        executor.spin_once(timeout_sec=0.5)
    executor.remove_node(node)
    node.shut_down()
    node.destroy_node()
    indices = [index for index, _ in fired]
    assert len(fired) == 20
    assert len(set(indices)) == 20
    assert indices == sorted(indices)
    assert all(now >= grid_time_ns(index) + DELAY_NS for index, now in fired)
