"""The listener's coefficients (30 Hz) to joint commands at a robot controller's rate, within its limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, exp, isfinite
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from ruckig import ControlInterface, InputParameter, Ruckig, Synchronization, Trajectory

from listener_head.coefficients import Coefficients
from listener_head.errors import UserError
from listener_head.robot.description import HEAD_ANGLES, Robot
from listener_head.robot.drive import ANGLES, NO_SIGNALS, Drive
from listener_head.robot.gaze import Gaze
from listener_head.robot.profiles import plan
from listener_head.robot.tracker import JointTracker, State

if TYPE_CHECKING:
    from listener_head.face.retarget import Retarget

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

    With a ``gaze`` the motion is added to it. ``retarget`` brings expressions of bfm2009 to the robot's face;
    without one such a listener moves the head alone, and ``note`` says so. Input older than
    ``input_timeout`` [s] is stale. UserError when a time is not above 0.
    """

    def __init__(
        self,
        robot: Robot,
        neutral_time_constant: float = 10.0,
        *,
        retarget: Retarget | None = None,
        gaze: Gaze | None = None,
        input_timeout: float = INPUT_TIMEOUT,
    ):
        times = {"neutral_time_constant": neutral_time_constant, "input_timeout": input_timeout}
        for name, value in times.items():
            if not (isfinite(value) and value > 0):
                raise UserError(f"{name} is {value}; it must be above 0 s")
        self.robot = robot
        self.ignored = 0
        self._period = 1.0 / robot.rate
        self._neutral_time_constant = neutral_time_constant
        self._input_timeout = input_timeout
        self._trackers = [JointTracker(joint) for joint in robot.joints]
        self._drive = Drive(robot, retarget)
        self._gaze = gaze
        self._names = robot.joint_names
        self._low = np.array([joint.limits.position.min for joint in robot.joints])
        self._high = np.array([joint.limits.position.max for joint in robot.joints])
        self._ruckig = Ruckig(len(robot.joints))
        self._stop, self._stopping = self._stop_parameters(), Trajectory(len(robot.joints))
        self._time: float | None = None
        self._forget()

    def _stop_parameters(self) -> InputParameter:
        """Of the stop of all joints, each for itself."""
        parameters = InputParameter(len(self._trackers))
        parameters.control_interface = ControlInterface.Velocity
        parameters.synchronization = Synchronization.No
        parameters.max_velocity = [tracker.max_velocity for tracker in self._trackers]
        parameters.max_acceleration = [tracker.max_acceleration for tracker in self._trackers]
        parameters.max_jerk = [tracker.max_jerk for tracker in self._trackers]
        parameters.target_velocity = [0.0] * len(self._trackers)
        return parameters

    def _forget(self) -> None:
        self._mean: FloatArray | None = None
        self._input_time: float | None = None
        self._signals = NO_SIGNALS
        # Of the gaze and of the motion that is added to it: [2, J].
        self._displacements = np.zeros((2, len(self._trackers)))
        self._velocities = self._displacements

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
        signals = self._drive.signals(coefficients)
        went_back = self._input_time is not None and t < self._input_time - INPUT_TIMEOUT
        repeated = self._input_time is not None and t <= self._input_time and not went_back
        if signals is None or not isfinite(t) or repeated:
            self.ignored += 1
            return
        elapsed = INPUT_TIMEOUT
        if self._input_time is not None and not went_back:
            elapsed = min(t - self._input_time, INPUT_TIMEOUT)
        if self._mean is None:
            self._mean = signals[ANGLES].copy()
        self._mean += (1.0 - exp(-elapsed / self._neutral_time_constant)) * (signals[ANGLES] - self._mean)
        signals[ANGLES] -= self._mean
        gaze = np.zeros(len(HEAD_ANGLES)) if self._gaze is None else self._gaze.step(t, elapsed)
        displacements = np.array(self._drive.displacements(signals, gaze))
        if elapsed < INPUT_TIMEOUT:
            self._velocities = (displacements - self._displacements) / max(elapsed, MIN_INPUT_PERIOD)
        else:
            self._velocities = np.zeros_like(displacements)
        self._signals, self._displacements, self._input_time = signals, displacements, t

    @property
    def note(self) -> str:
        """One line about what the robot does not show of this listener; empty if there is nothing to say."""
        return self._drive.note

    @property
    def at_rest(self) -> bool:
        """Whether every joint stands still."""
        return all(tracker.at_rest for tracker in self._trackers)

    def is_stale(self, t: float) -> bool:
        """Whether there is no input of time t [s], or of just before or after it."""
        return self._input_time is None or abs(t - self._input_time) > self._input_timeout

    def brightness(self, t: float) -> list[float]:
        """Brightness, 0 to 1, of each of the robot's lights at time t [s]."""
        return self._drive.brightness(NO_SIGNALS if self.is_stale(t) else self._signals)

    def sample(self, t: float) -> JointTarget:
        """Joint state at time t [s], to be called at the controller's rate; UserError before ``start``."""
        dt = self._elapsed(t)
        if dt > STALL:
            self._coast(dt)
        elif dt > 0.0:
            self._move(t, dt)
        return self._target([tracker.state for tracker in self._trackers])

    def trajectory(self, t: float) -> list[JointTarget]:
        """Points for a trajectory message stamped 0 (now): the sample at t, one period ahead, then a stop.

        Each message replaces the one before, so the joints stop only if the next does not come. UserError
        before ``start``.
        """
        return self._points(self.sample(t))

    def stop(self, t: float) -> list[JointTarget]:
        """As `trajectory`, but on the fastest way to rest within the limits; UserError before ``start``."""
        self._coast(self._elapsed(t))
        return self._points(self._target([tracker.state for tracker in self._trackers]))

    def _elapsed(self, t: float) -> float:
        """Seconds since the sample before."""
        if self._time is None:
            raise UserError("joint positions are unknown; call start with the measured positions first")
        if not isfinite(t):
            raise UserError(f"time is {t}; it must be finite seconds")
        dt = t - self._time if t >= self._time else self._period
        self._time = t
        return dt

    def _coast(self, dt: float) -> None:
        for tracker in self._trackers:
            tracker.coast(dt)

    def _move(self, t: float, dt: float) -> None:
        if self._input_time is None or self.is_stale(t):
            for tracker in self._trackers:
                tracker.settle(dt)
            return
        age = t - self._input_time
        # A stamp ahead of the clock is a prediction: the motion between it and the input before is followed.
        moving = abs(age) <= MAX_EXTRAPOLATION
        lead = max(-MAX_EXTRAPOLATION, min(MAX_EXTRAPOLATION, age))
        displacements = self._displacements + lead * self._velocities
        velocities = self._velocities if moving else 0.0 * self._velocities
        bases, motions = (
            zip(*of_joints, strict=True)
            for of_joints in zip(displacements.tolist(), velocities.tolist(), strict=True)
        )
        for tracker, base, motion in zip(self._trackers, bases, motions, strict=True):
            tracker.follow(dt, base, motion)

    def _points(self, first: JointTarget) -> list[JointTarget]:
        """The first state one period ahead, then the stop from it."""
        self._stop.current_position = first.positions.tolist()
        self._stop.current_velocity = first.velocities.tolist()
        self._stop.current_acceleration = first.accelerations.tolist()
        if not plan(self._ruckig, self._stop, self._stopping):
            raise RuntimeError(f"no stop is found from {first}")
        points = [replace(first, time_from_start=self._period)]
        duration = self._stopping.duration
        steps = range(1, ceil(duration / TRAJECTORY_STEP) + 1)
        if not steps:
            return points
        states = np.array([self._stopping.at_time(min(k * TRAJECTORY_STEP, duration))[:3] for k in steps])
        # Rounding alone can pass a limit at which a joint rests, and a strict controller would refuse that.
        low, high = np.minimum(self._low, first.positions), np.maximum(self._high, first.positions)
        states[:, 0] = states[:, 0].clip(low, high)
        for k, (positions, velocities, accelerations) in zip(steps, states, strict=True):
            time = self._period + k * TRAJECTORY_STEP
            points.append(JointTarget(self._names, positions, velocities, accelerations, time))
        return points

    def _target(self, states: list[State]) -> JointTarget:
        positions, velocities, accelerations = np.array(states).T
        return JointTarget(self._names, positions, velocities, accelerations)
