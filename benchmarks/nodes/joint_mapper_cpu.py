"""Processor time of the node joint_mapper, against a bare rclpy node with the same messages in and out.

Real processes over DDS on this machine: the simulated robot says its joint states 100 times a second, a
feeder sends a nodding listener 30 times a second, and the node sends a trajectory for each of them and 100
times a second. The bare node has a timer that publishes one ready trajectory 100 times a second and two
subscriptions that do nothing: the difference is ours.
"""

from __future__ import annotations

import subprocess
import sys
import time
from array import array
from math import pi, sin
from pathlib import Path
from typing import Any

import psutil

from listener_head.runner import environment, own_domain

NAMES = ("joint_mapper_cpu",)  # of the figures that `run` gives

START = 6.0  # [s] until everything is discovered and the head moves
SECONDS = 20.0
POINTS = 5  # of the bare node's trajectory, as of ours in motion


def run() -> dict[str, dict[str, Any]]:
    """Milliseconds of processor time a second: 10 are 1 % of a core."""
    node = [sys.executable, "-m"]
    here = [sys.executable, str(Path(__file__).resolve())]
    commands = {
        "robot": [*node, "listener_head.nodes.simulated_robot"],
        "ours": [*node, "listener_head.nodes.joint_mapper", "--ros-args", "-p", "simulated:=true"],
        "feeder": [*here, "feed"],
        "bare": [*here, "bare"],
    }
    variables = environment(own_domain())
    children = {
        name: subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for name, command in commands.items()
    }
    try:
        time.sleep(START)
        before, began = _spent(children), time.monotonic()
        time.sleep(SECONDS)
        after, elapsed = _spent(children), time.monotonic() - began
    finally:
        for child in children.values():
            child.terminate()
        for child in children.values():
            child.wait()
    ours, bare = (1e3 * (after[name] - before[name]) / elapsed for name in ("ours", "bare"))
    result = {
        "ours_ms": ours,
        "reference_ms": bare,
        "ratio": bare / ours,
        "reference": "a bare rclpy node; processor time per second",
        "n": 1,
    }
    return {"joint_mapper_cpu": result}


def _spent(children: dict[str, subprocess.Popen[bytes]]) -> dict[str, float]:
    """Processor time [s] of each so far."""
    return {name: sum(psutil.Process(child.pid).cpu_times()[:2]) for name, child in children.items()}


def _bare(node: Any) -> None:
    from listener_head.msg import FaceCoefficients
    from sensor_msgs.msg import JointState
    from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

    values = array("d", [0.1, 0.2, 0.3])
    point = JointTrajectoryPoint(positions=values, velocities=values, accelerations=values)
    message = JointTrajectory(joint_names=["pan", "tilt", "roll"], points=[point] * POINTS)
    publisher = node.create_publisher(JointTrajectory, "bare_trajectory", 10)
    node.create_subscription(JointState, "joint_states", lambda _: None, 10)
    node.create_subscription(FaceCoefficients, "listener/coefficients", lambda _: None, 10)
    node.create_timer(0.01, lambda: publisher.publish(message))


def _feed(node: Any) -> None:
    from listener_head.msg import FaceCoefficients

    from listener_head.coefficients import LAYOUTS, Coefficients
    from listener_head.ros.convert import to_message

    publisher = node.create_publisher(FaceCoefficients, "listener/coefficients", 10)
    motion = LAYOUTS["arkit52"].neutral()

    def publish() -> None:
        now_ns = node.get_clock().now().nanoseconds
        motion[0] = 0.14 * sin(2 * pi * now_ns * 1e-9)
        publisher.publish(to_message(Coefficients.from_motion("arkit52", motion), now_ns, now_ns, ""))

    node.create_timer(1 / 30, publish)


def _spin(name: str) -> None:
    import rclpy
    from rclpy.experimental import EventsExecutor

    rclpy.init()
    node = rclpy.create_node(name)
    {"bare": _bare, "feed": _feed}[name](node)
    executor = EventsExecutor()
    executor.add_node(node)
    while True:
        executor.spin_once(timeout_sec=1.0)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _spin(sys.argv[1])
    else:
        print(run())
