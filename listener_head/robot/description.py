"""Robot files: joints, what drives them, their limits with the source of each number, the command interface.

A robot file is YAML, checked against the models below; every complaint is one line with file, line and key.
"""

from __future__ import annotations

from math import pi
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from listener_head.coefficients import ARKIT_NAMES
from listener_head.errors import UserError
from listener_head.paths import config_dir

HEAD_ANGLES: tuple[str, ...] = ("pitch", "yaw", "roll")
# What a joint can follow: a head angle (REP 103 body frame, see frames.py) or an expression shape, 0 to 1.
SIGNALS: tuple[str, ...] = HEAD_ANGLES + ARKIT_NAMES

UNITS = {"position": "rad", "velocity": "rad/s", "acceleration": "rad/s^2", "jerk": "rad/s^3"}
# Beyond these a number is in degrees or a placeholder (URDF files hold velocities up to 1e9).
LARGEST = {"position": 2 * pi, "velocity": 4 * pi, "acceleration": 1e3, "jerk": 1e5}

Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(allow_inf_nan=False, gt=0)]
Text = Annotated[str, Field(min_length=1)]


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


class Joint(_Model):
    """One joint: position = neutral + sum over drive of gain x signal [rad].

    ``drive`` maps signals to gains: a head angle (pitch, yaw, roll in the REP 103 body frame, relative to
    the listener's mean pose; joint rad per head rad, its sign from the URDF's axis) or an ARKit expression
    shape (joint rad at weight 1). ``neutral`` is the joint's position at rest [rad].
    """

    name: Text
    drive: Annotated[dict[str, Finite], Field(min_length=1)]
    neutral: Finite
    limits: Limits

    @field_validator("drive")
    @classmethod
    def _known(cls, drive: dict[str, float]) -> dict[str, float]:
        for signal, gain in drive.items():
            if signal not in SIGNALS:
                raise ValueError(
                    f"drive '{signal}' is neither a head angle ({', '.join(HEAD_ANGLES)}) "
                    "nor an ARKit expression name; correct it"
                )
            if gain == 0:
                raise ValueError(f"drive '{signal}' has gain 0; remove it or give it a gain")
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


class Command(_Model):
    """The topic that takes the robot's joint commands and its ROS type."""

    type: Literal["trajectory_msgs/JointTrajectory"]
    topic: Text


class Robot(_Model):
    """A robot head. ``rate`` is its controller's [Hz]; ``verified`` says that it has run on the robot."""

    name: Text
    description: Text
    verified: bool
    rate: Annotated[float, Field(ge=20, le=1000)] = 100.0
    command: Command
    joints: Annotated[list[Joint], Field(min_length=1)]

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


def robot_files() -> list[Path]:
    """The robot files that ship, in alphabetical order."""
    return sorted((config_dir() / "robots").glob("*.yaml"))


def load_robot(name_or_path: str | Path) -> Robot:
    """The robot of a shipped file (by file name or by the ``name`` in it) or of a YAML file by its path.

    UserError, one line with file, line and key, for an unknown name or a file that is not right.
    """
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or text.endswith((".yaml", ".yml")) or "/" in text:
        return read_robot(Path(name_or_path))
    files = robot_files()
    for path in files:
        if path.stem == text:
            return read_robot(path)
    for path in files:
        robot = read_robot(path)
        if robot.name == text:
            return robot
    known = ", ".join(path.stem for path in files)
    raise UserError(f"robot '{text}' is unknown; choose one of {known}, or give the path of a robot file")


def read_robot(path: Path) -> Robot:
    """The robot of a YAML file; UserError with file, line and key when it is missing or not right."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UserError(f"robot file {path} cannot be read: {reason}; give the path of a YAML file") from None
    data, lines = _parse(path, text)
    try:
        return Robot.model_validate(data)
    except ValidationError as error:
        found = [(_line(lines, problem["loc"]), _explain(data, problem)) for problem in error.errors()]
        line, message = min(found)
        raise UserError(f"{path}:{line}: {message}") from None


Location = tuple[int | str, ...]


def _parse(path: Path, text: str) -> tuple[Any, dict[Location, int]]:
    """The file's content as plain data and the line of every key and list item."""
    lines: dict[Location, int] = {(): 1}
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            raise UserError(f"{path}:1: not a robot file; it needs the keys {', '.join(Robot.model_fields)}")
        return _plain(loader, root, (), path, lines), lines
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UserError(
            f"{path}:{line}: not valid YAML: {error.problem or error.context}; correct it"
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{path}:1: not valid YAML: {' '.join(str(error).split())}; correct it") from None


def _plain(
    loader: yaml.SafeLoader, node: yaml.Node, at: Location, path: Path, lines: dict[Location, int]
) -> Any:
    if isinstance(node, yaml.SequenceNode):
        items = []
        for i, item in enumerate(node.value):
            lines[(*at, i)] = item.start_mark.line + 1
            items.append(_plain(loader, item, (*at, i), path, lines))
        return items
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for key_node, value in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if key in mapping:
                raise UserError(f"{path}:{line}: key '{key}' is there twice; remove one")
            lines[(*at, key)] = line
            mapping[key] = _plain(loader, value, (*at, key), path, lines)
        return mapping
    return loader.construct_object(node)


def _line(lines: dict[Location, int], location: Location) -> int:
    """Line of the innermost part of the location that the file has."""
    while location not in lines:
        location = location[:-1]
    return lines[location]


def _explain(data: Any, problem: Any) -> str:
    """One line, without the file and line, for a problem that pydantic found."""
    location, kind = problem["loc"], problem["type"]
    owner = _owner(data, location)
    key = str(location[-1]) if location else ""
    if kind == "missing" and location[-2:-1] == ("limits",):
        return f"{owner} has no limit '{key}' [{UNITS[key]}]; add it with its source"
    if kind == "missing":
        return f"{owner} has no '{_dotted(location)}'; add it"
    if kind == "extra_forbidden":
        return f"{owner} has the unknown key '{_dotted(location)}'; remove it or correct its name"
    if kind == "value_error":
        message = str(problem["ctx"]["error"])
        return message if owner == "robot" else f"{owner}: {message}"
    value = " ".join(repr(problem["input"]).split())
    fix = problem["msg"].replace("Input should", "it should")
    return f"{owner}: '{_dotted(location)}' is {value[:60]}; {fix}"


def _owner(data: Any, location: Location) -> str:
    if len(location) < 2 or location[0] != "joints":
        return "robot"
    joint = data["joints"][location[1]]
    name = joint.get("name") if isinstance(joint, dict) else None
    return f"joint '{name}'" if isinstance(name, str) else f"joint number {int(location[1]) + 1}"


def _dotted(location: Location) -> str:
    parts = location[2:] if len(location) > 2 and location[0] == "joints" else location
    return ".".join(str(part) for part in parts)
