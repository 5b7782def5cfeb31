"""A simulated head: joints that follow their commands as real ones do, late and within limits."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, isfinite

import numpy as np
from numpy.typing import NDArray

from listener_head.errors import UserError
from listener_head.robot.description import Robot

# How fast a joint closes in on its command [s]: that of a well-tuned position servo.
SERVO_TIME_CONSTANT = 0.02


class SimulatedHead:
    """First-order joints with limits; ``positions`` [J] in rad and ``velocities`` [J] in rad/s."""

    def __init__(self, robot: Robot):
        self.robot = robot
        limits = [joint.limits for joint in robot.joints]
        self._low = np.array([limit.position.min for limit in limits])
        self._high = np.array([limit.position.max for limit in limits])
        self._max_velocity = np.array([limit.velocity.max for limit in limits])
        self.positions: NDArray[np.float64] = np.array(robot.neutral)
        self.velocities: NDArray[np.float64] = np.zeros(len(limits))
        self._command = self.positions.copy()

    def command(self, positions: Sequence[float] | NDArray[np.float64]) -> None:
        """Take commanded positions [J] in rad; UserError when their number is wrong or one is not finite."""
        command = np.asarray(positions, np.float64)
        if command.shape != self.positions.shape or not np.isfinite(command).all():
            names = ", ".join(self.robot.joint_names)
            raise UserError(
                f"command {command.tolist()} does not suit {self.robot.name}; it needs {names} in rad"
            )
        self._command = command.clip(self._low, self._high)

    def step(self, dt: float) -> None:
        """Move for ``dt`` seconds; UserError unless it is above zero and finite."""
        if not (isfinite(dt) and dt > 0):
            raise UserError(f"step of {dt} s; it must be above 0 and finite")
        move = (self._command - self.positions) * (1.0 - exp(-dt / SERVO_TIME_CONSTANT))
        move = move.clip(-self._max_velocity * dt, self._max_velocity * dt)
        before = self.positions
        self.positions = (before + move).clip(self._low, self._high)
        self.velocities = (self.positions - before) / dt
