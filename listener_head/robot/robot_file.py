"""Reads robot files: YAML, checked against `listener_head.robot.description`.

Every complaint is one line with file, line and key.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from listener_head.errors import UserError
from listener_head.paths import config_dir
from listener_head.robot.consistency import contradictions
from listener_head.robot.description import UNITS, Robot
from listener_head.yaml_file import Location, line_of, read_yaml


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
    data, lines = read_yaml(path, "robot file", Robot.model_fields)
    try:
        robot = Robot.model_validate(data)
        found = [(line_of(lines, at), _of(_owner(data, at), text)) for at, text in contradictions(robot)]
    except ValidationError as error:
        found = [(line_of(lines, problem["loc"]), _explain(data, problem)) for problem in error.errors()]
    if found:
        line, message = min(found)
        raise UserError(f"{path}:{line}: {message}")
    return robot


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
        return _of(owner, message)
    value = " ".join(repr(problem["input"]).split())
    fix = problem["msg"].replace("Input should", "it should")
    return f"{owner}: '{_dotted(location)}' is {value[:60]}; {fix}"


def _of(owner: str, message: str) -> str:
    return message if owner == "robot" else f"{owner}: {message}"


def _owner(data: Any, location: Location) -> str:
    if len(location) < 2 or location[0] != "joints":
        return "robot"
    joint = data["joints"][location[1]]
    name = joint.get("name") if isinstance(joint, dict) else None
    return f"joint '{name}'" if isinstance(name, str) else f"joint number {int(location[1]) + 1}"


def _dotted(location: Location) -> str:
    parts = location[2:] if len(location) > 2 and location[0] == "joints" else location
    return ".".join(str(part) for part in parts)
