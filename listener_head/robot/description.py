"""What a robot file says: joints, what drives them, their limits with the source of each number, interfaces.

`listener_head.robot.robot_file` reads such files. Lengths are in metres, angles in radians; fixed-axis roll,
pitch, yaw (``rpy``) and axes are those of URDF.
"""

from __future__ import annotations

from math import hypot, pi
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from listener_head.coefficients import ARKIT_NAMES

HEAD_ANGLES: tuple[str, ...] = ("pitch", "yaw", "roll")
# What a joint can follow: a head angle (REP 103 body frame, see frames.py) or an expression shape, 0 to 1.
SIGNALS: tuple[str, ...] = HEAD_ANGLES + ARKIT_NAMES

UNITS = {"position": "rad", "velocity": "rad/s", "acceleration": "rad/s^2", "jerk": "rad/s^3"}
# Beyond these a number is in degrees or a placeholder (URDF files hold velocities up to 1e9).
LARGEST = {"position": 2 * pi, "velocity": 4 * pi, "acceleration": 1e3, "jerk": 1e5}

Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(allow_inf_nan=False, gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Text = Annotated[str, Field(min_length=1)]
# YAML has no tuples: a list of three is taken.
Vector = Annotated[tuple[Finite, Finite, Finite], Field(strict=False)]
Color = Annotated[tuple[Share, Share, Share], Field(strict=False)]


class _Model(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def _refuse_large(quantity: str, value: float) -> None:
    if abs(value) > LARGEST[quantity]:
        raise ValueError(
            f"{quantity} limit {value:g} {UNITS[quantity]} is beyond {LARGEST[quantity]:.6g}; "
            f"is it in degrees or a placeholder? Write it in {UNITS[quantity]}"
        )


class PositionLimit(_Model):
    """Range of a joint [rad] and where the numbers come from."""

    min: Finite
    max: Finite
    source: Text

    @model_validator(mode="after")
    def _ordered(self) -> PositionLimit:
        _refuse_large("position", self.min)
        _refuse_large("position", self.max)
        if self.min >= self.max:
            raise ValueError(f"position limit min {self.min:g} is not below max {self.max:g}; correct them")
        return self


class DerivativeLimit(_Model):
    """Largest magnitude of velocity, acceleration or jerk and where the number comes from."""

    max: Positive
    source: Text


class Limits(_Model):
    """Limits of a joint; all four are required, a robot never moves on a guess."""

    position: PositionLimit
    velocity: DerivativeLimit
    acceleration: DerivativeLimit
    jerk: DerivativeLimit

    @field_validator("velocity", "acceleration", "jerk")
    @classmethod
    def _plausible(cls, limit: DerivativeLimit, info: Any) -> DerivativeLimit:
        _refuse_large(info.field_name, limit.max)
        return limit


class Origin(_Model):
    """Place of a frame in its parent: ``xyz`` [m] and fixed-axis roll, pitch, yaw ``rpy`` [rad] (URDF)."""

    xyz: Vector = (0.0, 0.0, 0.0)
    rpy: Vector = (0.0, 0.0, 0.0)


class Mount(_Model):
    """Where a joint that carries the head sits: URDF's joint ``origin`` and ``axis``, at position zero.

    ``parent`` and ``child`` are frames of the robot. Fixed joints between two of the head's joints are
    folded into ``origin``.
    """

    parent: Text
    child: Text
    origin: Origin = Origin()
    axis: Vector

    @field_validator("axis")
    @classmethod
    def _unit(cls, axis: tuple[float, float, float]) -> tuple[float, float, float]:
        if abs(hypot(*axis) - 1.0) > 1e-3:
            raise ValueError(f"axis {list(axis)} has length {hypot(*axis):.3g}; give a vector of length 1")
        return axis


class Joint(_Model):
    """One joint: position = neutral + sum over drive of gain x signal [rad], cut at its limits.

    ``drive`` maps signals to gains: a head angle (pitch, yaw, roll in the REP 103 body frame, relative to
    the listener's mean pose; joint rad per head rad, its sign from the URDF's axis) or an ARKit expression
    shape (joint rad at weight 1). ``neutral`` is the joint's position at rest [rad]. ``mount`` is needed for
    joints that turn the head.
    """

    name: Text
    drive: dict[str, Finite] = {}
    neutral: Finite
    mount: Mount | None = None
    limits: Limits

    @field_validator("drive")
    @classmethod
    def _known(cls, drive: dict[str, float]) -> dict[str, float]:
        _check_signals(drive)
        return drive

    @model_validator(mode="after")
    def _rests_inside(self) -> Joint:
        position = self.limits.position
        if not position.min <= self.neutral <= position.max:
            raise ValueError(
                f"neutral {self.neutral:g} rad is outside the position limits "
                f"[{position.min:g}, {position.max:g}]; correct it"
            )
        return self


def _check_signals(drive: dict[str, float]) -> None:
    for signal, gain in drive.items():
        if signal not in SIGNALS:
            raise ValueError(
                f"drive '{signal}' is neither a head angle ({', '.join(HEAD_ANGLES)}) "
                "nor an ARKit expression name; correct it"
            )
        if gain == 0:
            raise ValueError(f"drive '{signal}' has gain 0; remove it or give it a gain")


class Command(_Model):
    """A topic or action that takes joint commands: its ROS type, its name, and whose positions it takes.

    ``joints`` are in the order that the receiver expects; all joints of the robot when left out.
    ``unit`` is that of the receiver's angles. ``speed`` is the share of the motors' largest speed that
    naoqi_bridge_msgs/JointAnglesWithSpeed asks for.
    """

    type: Literal[
        "trajectory_msgs/JointTrajectory",
        "std_msgs/Float64MultiArray",
        "sensor_msgs/JointState",
        "control_msgs/FollowJointTrajectory",
        "naoqi_bridge_msgs/JointAnglesWithSpeed",
    ]
    topic: Text
    joints: Annotated[list[Text], Field(min_length=1)] | None = None
    unit: Literal["rad", "deg"] = "rad"
    speed: Annotated[float, Field(gt=0, le=1)] = 1.0


class Light(_Model):
    """A light that takes std_msgs/ColorRGBA: ``color`` [r, g, b] from 0 to 1, its alpha the brightness.

    Brightness = base + sum over drive of gain x signal, cut to 0..1.
    """

    topic: Text
    color: Color
    base: Share = 0.0
    drive: dict[str, Finite]

    @field_validator("drive")
    @classmethod
    def _known(cls, drive: dict[str, float]) -> dict[str, float]:
        _check_signals(drive)
        return drive


class Leg(_Model):
    """One leg of a Stewart platform with rotary motors (numbers in metres and radians).

    The motor ``joint`` turns about the z axis of ``motor``, a frame in the one that the platform stands in,
    and swings an arm of the platform's ``arm_length`` that points along the motor's x at position zero. A rod
    of ``rod_length`` joins the arm's end to ``ball``, a point of the head frame.
    """

    joint: Text
    motor: Origin
    ball: Vector


class Platform(_Model):
    """A Stewart platform that carries the head, on the last joint of the chain (or ``frames.base``).

    ``rest`` is the head frame (x forward, y left, z up at rest) in the frame that the platform stands in.
    ``max_tilt`` and ``max_turn`` [rad] bound the head's tilt away from rest and its turn about its own z;
    within them the motors hold the head in every pose. ``source`` tells where the numbers come from.
    """

    arm_length: Positive
    rod_length: Positive
    rest: Origin
    max_tilt: Annotated[float, Field(allow_inf_nan=False, gt=0, lt=pi)]
    max_turn: Annotated[float, Field(allow_inf_nan=False, gt=0, lt=pi)]
    source: Text
    legs: Annotated[list[Leg], Field(min_length=6, max_length=6)]


class Frames(_Model):
    """Frames that the head moves in.

    ``base`` is where the head's joints begin; ``base_rpy`` is the attitude in it of the REP 103 body frame
    (x forward, y left, z up), zero for most robots. ``head`` is the frame that the joints turn.
    """

    base: Text
    base_rpy: Vector = (0.0, 0.0, 0.0)
    head: Text


class HeadCamera(_Model):
    """A camera that moves with the head: optical ``frame`` (REP 103), fixed to the frame ``parent``."""

    frame: Text
    parent: Text
    origin: Origin
    source: Text


class Robot(_Model):
    """A robot head. ``rate`` is its controller's [Hz]; ``verified`` says that it has run on the robot.

    ``urdf`` tells where the kinematics come from, ``joint_states`` where the robot says its positions.
    """

    name: Text
    description: Text
    verified: bool
    urdf: Text | None = None
    rate: Annotated[float, Field(ge=20, le=1000)] = 100.0
    joint_states: Text = "/joint_states"
    commands: Annotated[list[Command], Field(min_length=1)]
    frames: Frames
    camera: HeadCamera | None = None
    joints: Annotated[list[Joint], Field(min_length=1)]
    platform: Platform | None = None
    lights: list[Light] = []

    @field_validator("joints")
    @classmethod
    def _once(cls, joints: list[Joint]) -> list[Joint]:
        names = [joint.name for joint in joints]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"joint '{name}' is there twice; remove or rename one")
        return joints

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Names of the joints in the order of every array of positions."""
        return tuple(joint.name for joint in self.joints)

    @property
    def neutral(self) -> list[float]:
        """Positions of the joints at rest [rad]."""
        return [joint.neutral for joint in self.joints]

    @property
    def chain(self) -> tuple[int, ...]:
        """Numbers of the joints that carry the head, from ``frames.base`` on, as they stand on each other."""
        chain: list[int] = []
        frame = self.frames.base
        for i, joint in enumerate(self.joints):
            if frame == self.frames.head:
                break
            if joint.mount is not None and joint.mount.parent == frame:
                chain.append(i)
                frame = joint.mount.child
        return tuple(chain)

    @property
    def chain_frames(self) -> tuple[str, ...]:
        """``frames.base`` and the frame after each joint of the chain; a platform stands on the last."""
        mounts = [self.joints[i].mount for i in self.chain]
        return (self.frames.base, *(mount.child for mount in mounts if mount is not None))

    @property
    def head_angles(self) -> tuple[str, ...]:
        """Head angles that the robot follows, all three on a platform."""
        if self.platform is not None:
            return HEAD_ANGLES
        return tuple(angle for angle in HEAD_ANGLES if any(angle in joint.drive for joint in self.joints))

    @property
    def shows_expression(self) -> bool:
        """Whether a joint or a light follows the face."""
        drives = [joint.drive for joint in self.joints] + [light.drive for light in self.lights]
        return any(signal in ARKIT_NAMES for drive in drives for signal in drive)
