"""What every joint command sink is, and what they share: whose joints, in which unit, and who listens."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from math import pi
from typing import Any, Protocol

from builtin_interfaces.msg import Duration
from rclpy.publisher import Publisher
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from listener_head.robot import JointTarget, Robot
from listener_head.robot.description import Command
from listener_head.timing import NS_PER_S

FACTORS = {"rad": 1.0, "deg": 180.0 / pi}


class Sink(Protocol):
    """Sends joint commands to one receiver of the robot."""

    def problem(self) -> str:
        """One line why the receiver would not get a command; empty if it would."""

    def send(self, points: Sequence[JointTarget], t: float) -> None:
        """Send a trajectory that begins one period after ``t`` [s] and ends at rest."""


class Selection:
    """The joints that a receiver takes, in its order and unit."""

    def __init__(self, command: Command, robot: Robot) -> None:
        names = list(robot.joint_names)
        self.names: list[str] = names if command.joints is None else list(command.joints)
        self._order = None if self.names == names else [names.index(name) for name in self.names]
        self._factor = FACTORS[command.unit]

    def values(self, of_robot: Any, code: str = "d") -> array:
        """Array of the receiver's joints from ``of_robot`` [J] in rad (or rad/s ...)."""
        if self._order is not None:
            of_robot = of_robot[self._order]
        if self._factor != 1.0:
            of_robot = of_robot * self._factor
        return array(code, of_robot.tolist())


class TrajectoryWriter:
    """Makes trajectory messages; the one message and its points are used again and again."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        # Stamp 0 means now: a controller refuses a trajectory whose stamp lies in its past.
        self._message = JointTrajectory(joint_names=selection.names)
        self._points: list[JointTrajectoryPoint] = []

    def write(self, points: Sequence[JointTarget], times: Sequence[float]) -> JointTrajectory:
        """The message of points at ``times`` [s] from its start; valid until the next call."""
        while len(self._points) < len(points):
            self._points.append(JointTrajectoryPoint(time_from_start=Duration()))
        values = self._selection.values
        for message, point, time in zip(self._points, points, times, strict=False):
            message.positions = values(point.positions)
            message.velocities = values(point.velocities)
            message.accelerations = values(point.accelerations)
            duration = message.time_from_start
            duration.sec, duration.nanosec = divmod(round(time * NS_PER_S), NS_PER_S)
        self._message.points = self._points[: len(points)]
        return self._message


def nobody_listens(publisher: Publisher, command: Command) -> str:
    """One line when no controller subscribes to the publisher's topic; empty otherwise."""
    if publisher.get_subscription_count():
        return ""
    return (
        f"nobody subscribes to {publisher.topic_name} ({command.type}); is the controller loaded and active?"
    )
