"""Reads a robot's URDF for the check of its robot file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from urdf_parser_py import urdf, xml_reflection

from listener_head.errors import UserError
from listener_head.robot.transforms import inverse, rotation_about, rotation_of_rpy, transform

FloatArray = NDArray[np.float64]

# Types of joints that turn about one axis.
TURNING = ("revolute", "continuous")


@dataclass(frozen=True, eq=False)
class UrdfJoint:
    """A joint: its ``origin`` [4, 4] in ``parent`` at zero, ``axis`` [3] of length 1 in the joint's frame.

    ``position`` (min, max) [rad] and ``velocity`` [rad/s] are None where the file has no limit; ``mimics`` is
    the joint that this one follows.
    """

    name: str
    type: str
    parent: str
    child: str
    origin: FloatArray
    axis: FloatArray
    position: tuple[float, float] | None
    velocity: float | None
    mimics: str | None

    def at(self, angle: float) -> FloatArray:
        """Child frame in the parent [4, 4] with the joint at an angle [rad]."""
        return self.origin @ transform((0.0, 0.0, 0.0), rotation_about(self.axis, angle))


@dataclass(frozen=True)
class Urdf:
    """Links and joints of a robot, a tree."""

    name: str
    links: frozenset[str]
    joints: dict[str, UrdfJoint]

    def above(self, link: str) -> list[UrdfJoint]:
        """Joints from the root down to a link."""
        parents = {joint.child: joint for joint in self.joints.values()}
        path: list[UrdfJoint] = []
        while link in parents and len(path) < len(parents):
            path.insert(0, parents[link])
            link = path[0].parent
        return path

    def moving_between(self, one: str, other: str) -> list[str]:
        """Joints, other than fixed ones, that move two links against each other."""
        here, there = self.above(one), self.above(other)
        apart = [joint for joint in here if joint not in there] + [
            joint for joint in there if joint not in here
        ]
        return [joint.name for joint in apart if joint.type != "fixed"]

    def pose(self, base: str, frame: str, positions: Mapping[str, float] | None = None) -> FloatArray:
        """Link ``frame`` in link ``base`` [4, 4], joints at ``positions`` [rad] or at zero."""
        angles = positions or {}
        poses = [np.eye(4), np.eye(4)]
        for k, link in enumerate((base, frame)):
            for joint in self.above(link):
                poses[k] = poses[k] @ joint.at(angles.get(joint.name, 0.0))
        return inverse(poses[0]) @ poses[1]


def read_urdf(path: Path) -> Urdf:
    """The URDF in a file; UserError when it cannot be read, is a xacro file or no URDF."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UserError(f"URDF {path} cannot be read: {error.strerror}; give the path of a URDF") from None
    return parse_urdf(text, str(path))


def parse_urdf(text: str | bytes, source: str) -> Urdf:
    """The URDF in a text from ``source``, which complaints name; UserError when it is none."""
    data = text.encode() if isinstance(text, str) else text
    if source.endswith(".xacro") or b"<xacro:" in data:
        raise UserError(f"{source} is a xacro file; run 'xacro {source} > robot.urdf' and give robot.urdf")
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:  # they could name files, and grow without end
        raise UserError(f"{source} is not a valid URDF: it has a document type or entities; leave them out")
    # By default it prints a line for each tag that it does not know, such as those of simulators.
    xml_reflection.core.on_error = lambda message: None
    try:
        model = urdf.URDF.from_xml_string(data)
        joints = {joint.name: _joint(joint) for joint in model.joints}
    except Exception as error:  # It has no exception of its own: what it raises depends on the damage.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{source} is not a valid URDF: {reason[:200]}; correct it") from None
    links = frozenset(link.name for link in model.links)
    for joint in joints.values():
        for link in (joint.parent, joint.child):
            if link not in links:
                raise UserError(f"{source} is not a valid URDF: joint '{joint.name}' names no link '{link}'")
    return Urdf(str(model.name), links, joints)


def _joint(joint: Any) -> UrdfJoint:
    xyz = _numbers(joint, "origin xyz", joint.origin.xyz if joint.origin else None, (0.0, 0.0, 0.0))
    rpy = _numbers(joint, "origin rpy", joint.origin.rpy if joint.origin else None, (0.0, 0.0, 0.0))
    axis = _numbers(joint, "axis", joint.axis, (1.0, 0.0, 0.0))
    length = float(np.linalg.norm(axis))
    if length == 0:
        if joint.type in TURNING:
            raise ValueError(f"axis of joint '{joint.name}' has length 0")
        length = 1.0
    limit = joint.limit
    ranged = limit is not None and joint.type != "continuous"
    return UrdfJoint(
        name=joint.name,
        type=joint.type,
        parent=joint.parent,
        child=joint.child,
        origin=transform(xyz, rotation_of_rpy(*rpy)),
        axis=axis / length,
        position=(_limit(joint, limit.lower), _limit(joint, limit.upper)) if ranged else None,
        velocity=_limit(joint, limit.velocity) if limit is not None else None,
        mimics=joint.mimic.joint if joint.mimic is not None else None,
    )


def _numbers(joint: Any, key: str, values: Any, default: tuple[float, float, float]) -> FloatArray:
    array = np.array(default if values is None else values, np.float64)
    if array.shape != (3,) or not np.isfinite(array).all():
        raise ValueError(f"{key} of joint '{joint.name}' is {array.tolist()}")
    return array


def _limit(joint: Any, value: Any) -> float:
    number = 0.0 if value is None else float(value)
    if isnan(number):
        raise ValueError(f"a limit of joint '{joint.name}' is {number}")
    return number
