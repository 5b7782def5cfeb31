"""Run on a robot's host: watches its joints for a while and prints, as JSON, what it saw.

    python watch_joints.py NAMESPACE SECONDS

`states` and `answers` count joint states, and commands that answer another camera frame than the one before;
`wrong` lists what exceeds the robot's limits or is not a number.
"""

from __future__ import annotations

import json
import sys
import time

import rclpy
from listener_head.msg import JointCommand
from rclpy.experimental import EventsExecutor
from sensor_msgs.msg import JointState

from listener_head.robot import load_robot
from listener_head.ros import qos

TOLERANCE = 1e-6


def main(namespace: str, seconds: float) -> None:
    rclpy.init()
    node = rclpy.create_node("watch", namespace=namespace)
    limits = [joint.limits for joint in load_robot("generic").joints]
    seen = {"states": 0, "answers": 0, "wrong": [], "seconds": seconds}
    sources: set[tuple[int, int]] = set()

    def judge(positions, velocities) -> None:
        for limit, position, velocity in zip(limits, positions, velocities, strict=True):
            inside = limit.position.min - TOLERANCE <= position <= limit.position.max + TOLERANCE
            if not (inside and abs(velocity) <= limit.velocity.max * (1 + TOLERANCE)):
                seen["wrong"].append([position, velocity])

    def take_state(state: JointState) -> None:
        seen["states"] += 1
        judge(state.position, state.velocity)

    def take_command(command: JointCommand) -> None:
        sources.add((command.source_stamp.sec, command.source_stamp.nanosec))
        judge(command.positions, command.velocities)

    node.create_subscription(JointState, "joint_states", take_state, qos.RESULT)
    node.create_subscription(JointCommand, "joint_commands", take_command, qos.RESULT)
    executor = EventsExecutor()
    executor.add_node(node)
    deadline = time.monotonic() + 20.0
    while not (seen["states"] and sources) and time.monotonic() < deadline:
        executor.spin_once(timeout_sec=0.1)
    seen["states"] = 0
    sources.clear()
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        executor.spin_once(timeout_sec=left)
    seen["answers"] = len(sources)
    print(json.dumps(seen), flush=True)
    executor.shutdown()
    node.destroy_node()
    rclpy.try_shutdown()


main(sys.argv[1], float(sys.argv[2]))
