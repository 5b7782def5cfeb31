"""Sink for drivers and simulators that take their commands as sensor_msgs/JointState."""

from __future__ import annotations

from collections.abc import Sequence

from sensor_msgs.msg import JointState

from listener_head.robot import JointTarget, Robot
from listener_head.robot.description import Command
from listener_head.ros.node import GraphNode
from listener_head.ros.sinks.sink import Selection, nobody_listens
from listener_head.ros.stamps import to_stamp
from listener_head.timing import NS_PER_S


class JointStateSink:
    """Publishes sensor_msgs/JointState: position and velocity for the next period, stamped with that time."""

    def __init__(self, node: GraphNode, command: Command, robot: Robot) -> None:
        self._command = command
        self._selection = Selection(command, robot)
        self._message = JointState(name=self._selection.names)
        self._publisher = node.advertise(JointState, command.topic)

    def problem(self) -> str:
        """One line when nobody listens."""
        return nobody_listens(self._publisher, self._command)

    def send(self, points: Sequence[JointTarget], t: float) -> None:
        """Publish the first point."""
        message, first = self._message, points[0]
        message.header.stamp = to_stamp(round((t + first.time_from_start) * NS_PER_S))
        message.position = self._selection.values(first.positions)
        message.velocity = self._selection.values(first.velocities)
        self._publisher.publish(message)
