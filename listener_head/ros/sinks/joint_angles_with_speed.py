"""Sink for naoqi_driver (Pepper, NAO)."""

from __future__ import annotations

from collections.abc import Sequence

from listener_head.robot import JointTarget, Robot
from listener_head.robot.description import Command
from listener_head.ros.interfaces import interface
from listener_head.ros.node import GraphNode
from listener_head.ros.sinks.sink import Selection, nobody_listens
from listener_head.ros.stamps import to_stamp
from listener_head.timing import NS_PER_S


class JointAnglesWithSpeedSink:
    """Publishes naoqi_bridge_msgs/JointAnglesWithSpeed: absolute angles for the next period."""

    def __init__(self, node: GraphNode, command: Command, robot: Robot) -> None:
        message_type = interface("naoqi_bridge_msgs", "msg", "JointAnglesWithSpeed")
        self._command = command
        self._selection = Selection(command, robot)
        self._message = message_type(joint_names=self._selection.names, speed=command.speed)
        self._publisher = node.advertise(message_type, command.topic)

    def problem(self) -> str:
        """One line when no driver listens."""
        return nobody_listens(self._publisher, self._command)

    def send(self, points: Sequence[JointTarget], t: float) -> None:
        """Publish the first point."""
        first = points[0]
        self._message.header.stamp = to_stamp(round((t + first.time_from_start) * NS_PER_S))
        self._message.joint_angles = self._selection.values(first.positions, "f")
        self._publisher.publish(self._message)
