"""The listener's coefficients (30 Hz) to joint commands at a robot controller's rate, within its limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, exp, isfinite

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import ARKIT_NAMES, Coefficients
from listener_head.errors import UserError
from listener_head.robot.description import HEAD_ANGLES, SIGNALS, Robot
from listener_head.robot.frames import head_angles
from listener_head.robot.tracker import JointTracker, State

FloatArray = NDArray[np.float64]

# Without input for this long [s] the head stops and returns to rest.
INPUT_TIMEOUT = 0.5
# The listener's motion is taken further than its last input by this much at most [s]: two frames.
MAX_EXTRAPOLATION = 2 / 30
# Inputs closer together than this [s] are a burst; their distance in time says nothing of the velocity.
MIN_INPUT_PERIOD = 1 / 60
# Without a sample for this long [s] the robot has followed the last trajectory towards its rest.
STALL = 0.1
# Distance in time [s] between the points of a trajectory.
TRAJECTORY_STEP = 0.1


@dataclass(frozen=True)
class JointTarget:
    """State of every joint at one time: arrays [J] in rad, rad/s, rad/s^2, in the order of ``names``.

    ``time_from_start`` [s] is that of a point of a trajectory, 0 for a sample.
    """

    names: tuple[str, ...]
    positions: FloatArray
    velocities: FloatArray
    accelerations: FloatArray
    time_from_start: float = 0.0


class JointMapper:
    """Follows the listener's head and face with the joints of one robot.

    Head angles are taken relative to the listener's mean pose, a running mean over
    ``neutral_time_constant`` seconds, and added to the robot's own rest pose. The joints move slowly to meet
    the motion after a start, and stop and slowly return to rest when input is older than 0.5 s. Times are
    seconds of one clock; when it goes back (a bag that loops) the joints go on for one period and never jump.
    """

    def __init__(self, robot: Robot, neutral_time_constant: float = 10.0):
        if not (isfinite(neutral_time_constant) and neutral_time_constant > 0):
            raise UserError(f"neutral_time_constant is {neutral_time_constant}; it must be above 0 s")
        self.robot = robot
        self.ignored = 0
        self._period = 1.0 / robot.rate
        self._neutral_time_constant = neutral_time_constant
        self._trackers = [JointTracker(joint) for joint in robot.joints]
        self._gains = np.zeros((len(robot.joints), len(SIGNALS)))
        for i, joint in enumerate(robot.joints):
            for signal, gain in joint.drive.items():
                self._gains[i, SIGNALS.index(signal)] = gain
        self._names = robot.joint_names
        self._time: float | None = None
        self._forget()

    def _forget(self) -> None:
        joints = len(self._trackers)
        self._mean: FloatArray | None = None
        self._input_time: float | None = None
        self._displacements, self._velocities = np.zeros(joints), np.zeros(joints)

    def start(self, positions: Sequence[float] | FloatArray, t: float) -> None:
        """Begin at rest at measured joint positions [J] in rad, at time t [s].

        UserError when the number of positions or one of them does not suit the robot, or t is not finite.
        """
        if not isfinite(t):
            raise UserError(f"time is {t}; it must be finite seconds")
        if len(positions) != len(self._trackers):
            names = ", ".join(self._names)
            raise UserError(f"{len(positions)} joint positions given; {self.robot.name} has {names}")
        for tracker, position in zip(self._trackers, positions, strict=True):
            tracker.start(float(position))
        self._forget()
        self._time = t

    def update(self, coefficients: Coefficients, t: float) -> None:
        """Take the listener's coefficients at time t [s].

        Frames that are not valid, not finite or not newer than the last are left out and counted in
        ``ignored``. A time more than 0.5 s before the last means that the clock went back: it is taken.
        """
        signals = _signals(coefficients)
        went_back = self._input_time is not None and t < self._input_time - INPUT_TIMEOUT
        repeated = self._input_time is not None and t <= self._input_time and not went_back
        if signals is None or not isfinite(t) or repeated:
            self.ignored += 1
            return
        elapsed = INPUT_TIMEOUT
        if self._input_time is not None and not went_back:
            elapsed = min(t - self._input_time, INPUT_TIMEOUT)
        angles = slice(0, len(HEAD_ANGLES))
        if self._mean is None:
            self._mean = signals[angles].copy()
        self._mean += (1.0 - exp(-elapsed / self._neutral_time_constant)) * (signals[angles] - self._mean)
        signals[angles] -= self._mean
        displacements = self._gains @ signals
        if elapsed < INPUT_TIMEOUT:
            self._velocities = (displacements - self._displacements) / max(elapsed, MIN_INPUT_PERIOD)
        else:
            self._velocities = np.zeros(len(self._trackers))
        self._displacements, self._input_time = displacements, t

    def sample(self, t: float) -> JointTarget:
        """Joint state at time t [s], to be called at the controller's rate; UserError before ``start``."""
        if self._time is None:
            raise UserError("joint positions are unknown; call start with the measured positions first")
        if not isfinite(t):
            raise UserError(f"time is {t}; it must be finite seconds")
        dt = t - self._time if t >= self._time else self._period
        self._time = t
        if dt > STALL:
            for tracker in self._trackers:
                tracker.coast(dt)
        elif dt > 0.0:
            self._move(t, dt)
        return self._target([tracker.state for tracker in self._trackers])

    def trajectory(self, t: float) -> list[JointTarget]:
        """Points for a trajectory message stamped 0 (now): the sample at t, one period ahead, then a stop.

        Each message replaces the one before, so the joints stop only if the next does not come. UserError
        before ``start``.
        """
        first = self.sample(t)
        duration = max(tracker.stop_duration for tracker in self._trackers)
        points = [replace(first, time_from_start=self._period)]
        for k in range(1, ceil(duration / TRAJECTORY_STEP) + 1):
            time = k * TRAJECTORY_STEP
            stop = self._target([tracker.stop_state(time) for tracker in self._trackers])
            points.append(replace(stop, time_from_start=self._period + time))
        return points

    def _move(self, t: float, dt: float) -> None:
        age = np.inf if self._input_time is None else t - self._input_time
        if abs(age) > INPUT_TIMEOUT:
            for tracker in self._trackers:
                tracker.settle(dt)
            return
        # A stamp ahead of the clock is a prediction: the motion between it and the input before is followed.
        moving = abs(age) <= MAX_EXTRAPOLATION
        lead = max(-MAX_EXTRAPOLATION, min(MAX_EXTRAPOLATION, age))
        displacements = self._displacements + lead * self._velocities
        velocities = self._velocities if moving else 0.0 * self._velocities
        for tracker, displacement, velocity in zip(
            self._trackers, displacements.tolist(), velocities.tolist(), strict=True
        ):
            tracker.follow(dt, displacement, velocity)

    def _target(self, states: list[State]) -> JointTarget:
        positions, velocities, accelerations = np.array(states).T
        return JointTarget(self._names, positions, velocities, accelerations)


def _signals(coefficients: Coefficients) -> FloatArray | None:
    """Values [S] of SIGNALS, head angles in the body frame; None when the frame cannot be used."""
    rotation = np.asarray(coefficients.rotation, np.float64)
    if not coefficients.valid or rotation.shape != (3,) or not np.isfinite(rotation).all():
        return None
    signals = np.zeros(len(SIGNALS))
    signals[: len(HEAD_ANGLES)] = head_angles(*rotation.tolist())
    if coefficients.face_model == "arkit52":
        expression = np.asarray(coefficients.expression, np.float64)
        if expression.shape != (len(ARKIT_NAMES),) or not np.isfinite(expression).all():
            return None
        signals[len(HEAD_ANGLES) :] = expression.clip(0.0, 1.0)
    return signals
