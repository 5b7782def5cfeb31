"""The URDF that robot_state_publisher or a simulator publishes."""

from __future__ import annotations

import time

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from std_msgs.msg import String

from listener_head.errors import UserError
from listener_head.ros.qos import LATCHED


def read_robot_description(topic: str, timeout: float) -> str:
    """Text of the latched std_msgs/String on ``topic``; UserError when none comes within ``timeout`` s."""
    context = Context()
    rclpy.init(context=context)
    node = rclpy.create_node("listener_head_robots", context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    received: list[str] = []

    def take(message: String) -> None:
        received.append(message.data)

    try:
        node.create_subscription(String, topic, take, LATCHED)
        deadline = time.monotonic() + timeout
        while not received and (left := deadline - time.monotonic()) > 0:
            executor.spin_once(timeout_sec=left)
    finally:
        executor.shutdown()
        node.destroy_node()
        rclpy.shutdown(context=context)
    if not received:
        raise UserError(
            f"no URDF came on topic '{topic}' within {timeout:g} s; start robot_state_publisher, or name its "
            "topic with --topic or a file with --urdf"
        )
    return received[0]
