"""One joint that follows a moving target inside its position, velocity, acceleration and jerk limits.

Near the target a linear tracking law moves the joint with a constant jerk per step: quiet, and late by 0.1 s.
Where that law would break a limit (a jump of the target) ruckig's time-optimal profile takes over. Such a
profile alone would answer every twitch of the input with full jerk. A nod that asks for more acceleration
than the joint has would come out half a cycle late either way, so it is made smaller instead.

Safety rests on one invariant: from the present state the jerk-limited stop stays inside the position limits.
A step is taken only if the invariant holds after it; else the joint goes on along the stop already known.
"""

from __future__ import annotations

from math import ceil, exp, isfinite, sqrt

from ruckig import ControlInterface, InputParameter, Ruckig, Trajectory

from listener_head.errors import UserError
from listener_head.robot.description import Joint
from listener_head.robot.profiles import plan

# Share of a velocity, acceleration or jerk limit that is used; the rest is for rounding and clock jitter.
USED_SHARE = 0.98
# Kept free at each end of the range [rad]: more than a step of 10 ms can bulge between two samples.
POSITION_MARGIN = 1e-4
# How far outside its limits a joint may be measured at the start [rad]; more is a wrong robot or calibration.
START_TOLERANCE = 0.05

# Bandwidth of the tracking law [rad/s] and share of velocity feed-forward (3 follows a ramp without delay): a
# delay of (3 - 1.5) / 15 = 0.1 s with the amplitude of a nod at 1 Hz kept.
BANDWIDTH = 15.0
FEED_FORWARD = 1.5
MAX_STEP = 0.01
# Motion is made smaller when it asks for more than this share of a limit, and grows back in this time [s].
COMFORT_SHARE = 0.9
RECOVERY_TIME = 0.5

# Limits of the slow motion after a start and back to rest, and the distance [rad] at which it ends.
SLOW_VELOCITY = 0.3
SLOW_ACCELERATION = 1.0
SLOW_JERK = 10.0
JOINED_DISTANCE = 0.02

State = tuple[float, float, float]
# Displacement from neutral [rad] and its velocity [rad/s].
Motion = tuple[float, float]


class JointTracker:
    """Position, velocity and acceleration of one joint [rad, rad/s, rad/s^2], moved one step at a time."""

    def __init__(self, joint: Joint):
        limits = joint.limits
        self.name = joint.name
        self.neutral = joint.neutral
        self._range = (limits.position.min, limits.position.max)
        self._lowest = min(limits.position.min + POSITION_MARGIN, joint.neutral)
        self._highest = max(limits.position.max - POSITION_MARGIN, joint.neutral)
        self.max_velocity = USED_SHARE * limits.velocity.max
        self.max_acceleration = USED_SHARE * limits.acceleration.max
        self.max_jerk = USED_SHARE * limits.jerk.max
        # Of a stop at full jerk that reaches full acceleration: beyond what its speed needs.
        self._braking_time = self.max_acceleration / self.max_jerk
        self._ruckig = Ruckig(1)
        self._fast = self._input(self.max_velocity, self.max_acceleration, self.max_jerk)
        self._slow = self._input(
            min(SLOW_VELOCITY, self.max_velocity),
            min(SLOW_ACCELERATION, self.max_acceleration),
            min(SLOW_JERK, self.max_jerk),
        )
        self._halt = self._input(self.max_velocity, self.max_acceleration, self.max_jerk)
        self._halt.control_interface = ControlInterface.Velocity
        self._profile = Trajectory(1)
        self._stop, self._next_stop = Trajectory(1), Trajectory(1)
        self.start(joint.neutral)

    @staticmethod
    def _input(velocity: float, acceleration: float, jerk: float) -> InputParameter:
        parameters = InputParameter(1)
        parameters.max_velocity = [velocity]
        parameters.max_acceleration = [acceleration]
        parameters.max_jerk = [jerk]
        parameters.target_velocity = [0.0]
        return parameters

    def start(self, position: float) -> None:
        """Rest at a measured position [rad]; UserError if it is not finite or clearly outside the limits."""
        low, high = self._range
        if not low - START_TOLERANCE <= position <= high + START_TOLERANCE:
            raise UserError(
                f"joint '{self.name}' is at {position:g} rad, outside its limits [{low:g}, {high:g}]; "
                "check the robot file and the joint's calibration"
            )
        # A joint measured a little outside may come back in, and from then on stays in.
        self._lower, self._upper = min(self._lowest, position), max(self._highest, position)
        self.state: State = (position, 0.0, 0.0)
        self.slow = True
        self._wanted: State = (0.0, 0.0, 0.0)
        self._demand = 0.0
        self._is_planned = False

    @property
    def at_rest(self) -> bool:
        """Whether the joint stands still."""
        return abs(self.state[1]) < 1e-6 and abs(self.state[2]) < 1e-6

    def follow(self, dt: float, base: Motion, motion: Motion) -> None:
        """Move for ``dt`` [s] towards neutral + base + motion; only the motion is made smaller if need be."""
        displacement, velocity = motion
        velocity = max(-self.max_velocity, min(self.max_velocity, velocity))
        steps = max(1, ceil(dt / MAX_STEP - 0.1))
        for _ in range(steps):
            scale = self._comfort(dt / steps, displacement, velocity)
            target = self.neutral + base[0] + scale * displacement
            if self.slow:
                self._step(self._planned(self._slow, dt / steps, target), dt / steps)
                self.slow = abs(self._within(target) - self.state[0]) > JOINED_DISTANCE
            else:
                wanted = base[1] + scale * velocity
                self._follow_step(dt / steps, target, max(-self.max_velocity, min(self.max_velocity, wanted)))

    def settle(self, dt: float) -> None:
        """Move for ``dt`` [s] to a smooth stop, then slowly back to neutral."""
        if not self.slow:
            self.coast(dt)
            self.slow = self.at_rest
        else:
            self._step(self._planned(self._slow, dt, self.neutral), dt)

    def coast(self, dt: float) -> None:
        """Go on for ``dt`` [s] along the stop."""
        self._step(None, dt)

    def _comfort(self, dt: float, displacement: float, velocity: float) -> float:
        """Scale, 0 to 1, that keeps the motion in the limits, from an unlimited joint that follows it."""
        jerk = _tracking_jerk(self._wanted, displacement, velocity)
        self._wanted = _moved(self._wanted, jerk, dt)
        demand = max(
            abs(self._wanted[1]) / self.max_velocity,
            abs(self._wanted[2]) / self.max_acceleration,
            abs(jerk) / self.max_jerk,
        )
        self._demand = max(demand / COMFORT_SHARE, self._demand * exp(-dt / RECOVERY_TIME))
        return 1.0 / self._demand if self._demand > 1.0 else 1.0

    def _follow_step(self, dt: float, target: float, velocity: float) -> None:
        inside = self._within(target)
        if inside != target:
            target, velocity = inside, 0.0
        jerk = _tracking_jerk(self.state, target, velocity)
        state = _moved(self.state, jerk, dt)
        if abs(jerk) > self.max_jerk or not self._is_slow_enough(state):
            self._step(self._planned(self._fast, dt, target), dt)
        else:
            self._step(state, dt)

    def _is_slow_enough(self, state: State) -> bool:
        """Whether acceleration is in its limit, and velocity too by the time the acceleration has gone."""
        _, velocity, acceleration = state
        later = velocity + acceleration * abs(acceleration) / (2 * self.max_jerk)
        return (
            abs(acceleration) <= self.max_acceleration and max(abs(velocity), abs(later)) <= self.max_velocity
        )

    def _planned(self, limits: InputParameter, dt: float, target: float) -> State | None:
        """State after ``dt`` of ruckig's profile to rest at the target; None if it finds none."""
        position, velocity, acceleration = self.state
        limits.current_position = [position]
        limits.current_velocity = [velocity]
        limits.current_acceleration = [acceleration]
        limits.target_position = [self._within(target)]
        if not plan(self._ruckig, limits, self._profile):
            return None
        return self._at(self._profile, min(dt, self._profile.duration))

    def _step(self, state: State | None, dt: float) -> None:
        """Take a state if a stop from it stays inside the limits; go on along the known stop otherwise."""
        if state is not None and self._stops_inside(state):
            self._is_planned = False
        elif state is not None and self._plan_stop(state, self._next_stop):
            self._stop, self._next_stop = self._next_stop, self._stop
            self._is_planned = True
        else:
            if not self._is_planned and not self._profile_stop(self.state, self._stop):
                raise RuntimeError(f"no stop of joint '{self.name}' is found from {self.state}")
            state = self._at(self._stop, min(dt, self._stop.duration))
            self._is_planned = False
        self.state = state
        if self._lower < self._lowest or self._upper > self._highest:
            self._lower = max(self._lower, min(self._lowest, state[0]))
            self._upper = min(self._upper, max(self._highest, state[0]))

    def _stops_inside(self, state: State) -> bool:
        """Whether a stop surely stays inside the position limits, by a bound on its way; cheap.

        The speed never passes |v| + a^2 / 2j, and the stop lasts no longer than bringing the acceleration to
        zero and then braking from that speed.
        """
        position, velocity, acceleration = state
        time = abs(acceleration) / self.max_jerk
        speed = abs(velocity) + abs(acceleration) * time / 2
        way = speed * (time + speed / self.max_acceleration + self._braking_time)
        return self._lower + way <= position <= self._upper - way

    def _plan_stop(self, state: State, stop: Trajectory) -> bool:
        """Plan the stop from a state; whether there is one that stays inside the position limits."""
        if not all(map(isfinite, state)) or not self._profile_stop(state, stop):
            return False
        position, end = state[0], self._at(stop, stop.duration)[0]
        turn = turning_point(state, self.max_jerk)
        return self._lower <= min(position, end, turn) and max(position, end, turn) <= self._upper

    def _profile_stop(self, state: State, stop: Trajectory) -> bool:
        """Plan the stop from a state, wherever it ends; whether there is one."""
        position, velocity, acceleration = state
        self._halt.current_position = [position]
        self._halt.current_velocity = [velocity]
        self._halt.current_acceleration = [acceleration]
        return plan(self._ruckig, self._halt, stop)

    def _within(self, position: float) -> float:
        return max(self._lowest, min(self._highest, position))

    @staticmethod
    def _at(trajectory: Trajectory, time: float) -> State:
        position, velocity, acceleration = trajectory.at_time(time)[:3]
        return position[0], velocity[0], acceleration[0]


def _tracking_jerk(state: State, target: float, velocity: float) -> float:
    """Jerk [rad/s^3] of the critically damped third-order law that follows a moving target."""
    w = BANDWIDTH
    position, own_velocity, acceleration = state
    return (
        w**3 * (target - position)
        + w**2 * (FEED_FORWARD * velocity - 3 * own_velocity)
        - 3 * w * acceleration
    )


def _moved(state: State, jerk: float, dt: float) -> State:
    """State after ``dt`` of constant jerk."""
    position, velocity, acceleration = state
    return (
        position + dt * (velocity + dt * (acceleration / 2 + dt * jerk / 6)),
        velocity + dt * (acceleration + dt * jerk / 2),
        acceleration + dt * jerk,
    )


def turning_point(state: State, jerk: float) -> float:
    """Where a time-optimal stop turns round, if acceleration carries it past rest; else where it begins."""
    position, velocity, acceleration = state
    side = 1.0 if acceleration > 0 else -1.0
    squared = acceleration**2 + 2 * jerk * side * velocity
    if side * velocity >= 0 or squared <= 0:
        return position
    time = (abs(acceleration) - sqrt(squared)) / jerk
    return _moved(state, -side * jerk, time)[0]
