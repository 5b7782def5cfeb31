"""When a robot's head may be moved, and by what: start, gaze, stale input, emergency stop, release, faults.

A state machine without clock or ROS: times are seconds of one clock. The motion itself is `JointMapper`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from listener_head.coefficients import Coefficients
from listener_head.errors import UserError
from listener_head.robot.description import Robot
from listener_head.robot.follow_watch import FollowWatch
from listener_head.robot.gaze import Gaze
from listener_head.robot.mapper import INPUT_TIMEOUT, JointMapper, JointTarget

if TYPE_CHECKING:
    from listener_head.face.retarget import Retarget

FloatArray = NDArray[np.float64]

# Without a measured position of each joint for this long [s] nobody knows where the head is.
MEASURE_TIMEOUT = 1.0
# The head is still when it has stayed within this [rad] for this long [s]; only then does motion begin.
STILL_RANGE = 0.02
STILL_TIME = 0.1
# How often [s] commands are compared with what was measured.
WATCH_PERIOD = 0.05
# Joints named in one line at most.
MAX_NAMES = 5


class HeadState(Enum):
    """What the head does; the value is the word for the diagnostics."""

    WAITING = "waiting"  # for measured positions; nothing is sent
    MOVING = "moving"
    STALE = "stale"  # no listener: it stops, then slowly returns to neutral
    STOPPED = "stopped"  # emergency stop
    RELEASED = "released"  # to another controller
    FAULT = "fault"  # it does not follow; `take` begins anew


class HeadControl:
    """Commands for a robot's head that are safe to send, or none.

    Motion begins at rest at measured positions, once the head has been still for 0.1 s; with
    ``wait_for_joint_states`` false and nothing measured, where the last command left it or at neutral. Each
    reason not to move (emergency stop, release, fault, measured positions older than 1 s) stops the head
    as fast as its limits allow; then nothing is sent, and the next start is from newly measured positions.
    ``timeout`` [s] is how old the listener's coefficients may be. ``gaze`` turns the head towards the
    speaker; UserError for a robot whose kinematics are not in its file. ``retarget`` brings bfm2009
    expressions to the robot's face and lights. ``note`` is a line worth a warning that stops nothing.
    """

    def __init__(
        self,
        robot: Robot,
        *,
        gaze: bool,
        timeout: float = INPUT_TIMEOUT,
        wait_for_joint_states: bool = True,
        retarget: Retarget | None = None,
    ):
        self.robot = robot
        self._wait = wait_for_joint_states
        self._gaze = Gaze(robot) if gaze else None
        self._mapper = JointMapper(robot, retarget=retarget, gaze=self._gaze, input_timeout=timeout)
        self._watch = FollowWatch(robot)
        self._index = {name: i for i, name in enumerate(robot.joint_names)}
        self._measured = np.full(len(robot.joints), np.nan)
        self._measured_at = np.full(len(robot.joints), -np.inf)
        self._held = self._measured.copy()
        self._held_since = np.inf
        self._time = 0.0
        self._watched_at = -np.inf
        self._sending = self._halting = False
        self._pressed = self._released = False
        self._commanded: FloatArray | None = None
        self._fault = ""
        # What was wrong with the last JointState, and with the last attempt to begin.
        self._unusable = self._refusal = ""

    @property
    def state(self) -> HeadState:
        """What the head does, as of the last call."""
        if self._pressed:
            return HeadState.STOPPED
        if self._released:
            return HeadState.RELEASED
        if self._fault:
            return HeadState.FAULT
        if not self._sending or self._halting:
            return HeadState.WAITING
        return HeadState.STALE if self._mapper.is_stale(self._time) else HeadState.MOVING

    @property
    def problem(self) -> str:
        """One line why the head does not follow the listener; empty while it does."""
        match self.state:
            case HeadState.STOPPED:
                return "the emergency stop is pressed; let it go to move again"
            case HeadState.RELEASED:
                return "the head is released to another controller; take it back to move"
            case HeadState.FAULT:
                return self._fault
            case HeadState.WAITING:
                return self._waiting_for()
            case HeadState.STALE:
                return "no new motion of the listener; the head returns to neutral"
            case HeadState.MOVING:
                return ""

    @property
    def note(self) -> str:
        """One line about what the robot cannot show of this listener; empty if there is nothing to say."""
        return self._mapper.note

    @property
    def ignored(self) -> int:
        """Frames of the listener that were left out: not valid, not finite, not newer than the last."""
        return self._mapper.ignored

    def measure(self, positions: Mapping[str, float], t: float) -> None:
        """Take measured positions [rad] by joint name, received at t [s], as of a JointState.

        It may tell of other joints too and of a part of ours only.
        """
        known = {self._index[name]: value for name, value in positions.items() if name in self._index}
        if not isfinite(t):
            return
        self._unusable = "" if known else f"the last one tells of {_some(list(positions)) or 'no joint'}"
        for i, position in known.items():
            if isfinite(position):
                self._measured[i], self._measured_at[i] = position, t
            else:
                self._unusable = f"the last one says that {self.robot.joint_names[i]} is at {position:g}"
        if not np.all(np.abs(self._measured - self._held) <= STILL_RANGE):
            self._held, self._held_since = self._measured.copy(), t

    def update(self, coefficients: Coefficients, t: float) -> None:
        """Take the listener's coefficients of time t [s]; frames that cannot be used are left out."""
        self._mapper.update(coefficients, t)

    def look_at(self, point: ArrayLike, t: float) -> None:
        """Take where the speaker's head is: [3] m in the robot's base frame; not used without ``gaze``."""
        if self._gaze is not None:
            self._gaze.look_at(point, t)

    def emergency_stop(self, pressed: bool, t: float) -> None:
        """Stop as fast as the limits allow and stay so until it is let go."""
        self._see(t)
        if self._pressed and not pressed:
            self._forget()
        self._pressed = pressed
        self._halting = self._halting or (pressed and self._sending)

    def release(self, t: float) -> None:
        """Stop, then leave the head to another controller."""
        self._see(t)
        self._released = True
        self._halting = self._sending

    def take(self, t: float) -> None:
        """Begin anew, after a release or a fault, where the head then is; nothing changes otherwise."""
        self._see(t)
        if self._released or self._fault:
            self._released, self._fault = False, ""
            self._forget()

    def command(self, t: float) -> list[JointTarget] | None:
        """Points of a trajectory that begins one period from now and ends at rest; None: send nothing.

        To be called at the robot's rate. UserError when t is not finite.
        """
        if not isfinite(t):
            raise UserError(f"time is {t}; it must be finite seconds")
        self._see(t)
        if self._sending:
            self._check(t)
        elif not self._begin(t):
            return None
        if not self._halting:
            points = self._mapper.trajectory(t)
        elif self._mapper.at_rest:
            self._sending = self._halting = False
            self._forget()
            return None
        else:
            points = self._mapper.stop(t)
        self._commanded = points[0].positions
        return points

    def brightness(self) -> list[float]:
        """Brightness, 0 to 1, of each of the robot's lights."""
        return self._mapper.brightness(self._time)

    def _begin(self, t: float) -> bool:
        """Begin where the head is; whether that is known and moving is allowed."""
        if self._pressed or self._released or self._fault:
            return False
        if not self._is_measured(t):
            if self._wait:
                return False
            positions = self._commanded if self._commanded is not None else np.array(self.robot.neutral)
        elif not self._is_still(t):
            return False
        else:
            positions = self._measured
        try:
            self._mapper.start(positions, t)
        except UserError as problem:
            self._refusal = str(problem)
            return False
        self._watch.start(t)
        self._commanded, self._refusal = None, ""
        self._sending = True
        return True

    def _see(self, t: float) -> None:
        """Take the time; when the clock went back, nothing that is known lies in its future."""
        if t < self._time:
            self._measured_at = np.minimum(self._measured_at, t)
            if isfinite(self._held_since):
                self._held_since = min(self._held_since, t)
        if isfinite(t):
            self._time = t

    def _forget(self) -> None:
        """What was measured until now does not tell that the head is still."""
        self._held[:], self._held_since = np.nan, np.inf

    def _check(self, t: float) -> None:
        """Halt when the head does not follow, or when nobody knows any more where it is."""
        if self._halting:
            return
        if not self._is_measured(t):
            self._halting = self._wait
        elif self._commanded is not None and not 0.0 <= t - self._watched_at < WATCH_PERIOD:
            self._watched_at = t
            self._fault = self._watch.step(self._commanded, self._measured, t)
            self._halting = bool(self._fault)

    def _is_still(self, t: float) -> bool:
        return t - self._held_since >= STILL_TIME and bool((self._measured_at >= self._held_since).all())

    def _is_measured(self, t: float) -> bool:
        return bool((t - self._measured_at <= MEASURE_TIMEOUT).all())

    def _waiting_for(self) -> str:
        if self._wait and not self._is_measured(self._time):
            ages = zip(self.robot.joint_names, self._time - self._measured_at, strict=True)
            names = _some([name for name, age in ages if age > MEASURE_TIMEOUT])
            unusable = f" ({self._unusable})" if self._unusable else ""
            return f"no JointState tells where {names} is{unusable}; the head stays still until one does"
        return self._refusal or "the head is not still yet; motion begins when it is"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return ", ".join(names[:MAX_NAMES]) + more
