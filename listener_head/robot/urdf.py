"""A small URDF made from a robot file, for RViz and the simulated robot."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree as xml

import numpy as np
from numpy.typing import NDArray

from listener_head.robot.description import Joint, Leg, Mount, Origin, Robot
from listener_head.robot.kinematics import HeadKinematics
from listener_head.robot.transforms import rotation_of_rpy, rpy_of_rotation

FloatArray = NDArray[np.float64]

# Sizes [m] and colours (RGBA) of the shapes: enough to see where the head looks.
TORSO_SIZE = (0.20, 0.30, 0.36)
TORSO_GAP = 0.03
HEAD_RADIUS = 0.09
HEAD_HEIGHT = 0.10
ARM_WIDTH = 0.01
STICK_LENGTH, STICK_DISTANCE = 0.06, 0.02
COLORS = {"white": "0.95 0.95 0.95 1", "grey": "0.55 0.6 0.65 1", "dark": "0.1 0.1 0.1 1"}


def urdf_of(robot: Robot) -> str:
    """A small URDF of what the robot file tells of: torso, joints, a face, the camera.

    It is for looking (RViz) and for the simulated robot; the shapes are not the robot's. A head on a Stewart
    platform hangs on a floating joint, whose transform robot_state_publisher leaves to others.
    """
    tree = xml.Element("robot", name=robot.name)
    head = HeadKinematics(robot).head(robot.neutral)
    links = {robot.frames.base: _link(tree, robot.frames.base)}
    for joint in robot.joints:
        if joint.mount is not None:
            for frame in (joint.mount.parent, joint.mount.child):
                if frame not in links:
                    links[frame] = _link(tree, frame)
            _revolute(tree, joint, joint.mount)
    if robot.frames.head not in links:
        links[robot.frames.head] = _link(tree, robot.frames.head)
    toward_head = head[:3, :3].T
    _sticks(tree, robot, toward_head)
    if robot.platform is not None:
        for leg in robot.platform.legs:
            _arm(tree, robot, leg, robot.platform.arm_length)
        _connect(tree, "platform", "floating", robot.chain_frames[-1], robot.frames.head, robot.platform.rest)
    if robot.camera is not None:
        _link(tree, robot.camera.frame)
        camera = robot.camera
        _connect(tree, f"{camera.frame}_joint", "fixed", camera.parent, camera.frame, camera.origin)
    _torso(links[robot.frames.base], robot)
    _face(links[robot.frames.head], toward_head)
    xml.indent(tree)
    return xml.tostring(tree, encoding="unicode")


def _link(tree: xml.Element, name: str) -> xml.Element:
    return xml.SubElement(tree, "link", name=name)


def _connect(tree: xml.Element, name: str, kind: str, parent: str, child: str, origin: Origin) -> xml.Element:
    joint = xml.SubElement(tree, "joint", name=name, type=kind)
    xml.SubElement(joint, "parent", link=parent)
    xml.SubElement(joint, "child", link=child)
    xml.SubElement(joint, "origin", xyz=_text(origin.xyz), rpy=_text(origin.rpy))
    return joint


def _arm(tree: xml.Element, robot: Robot, leg: Leg, length: float) -> None:
    """A motor of a platform with its arm."""
    joint = robot.joints[robot.joint_names.index(leg.joint)]
    mount = Mount(
        parent=robot.chain_frames[-1], child=f"{leg.joint}_arm", origin=leg.motor, axis=(0.0, 0.0, 1.0)
    )
    link = _link(tree, mount.child)
    _revolute(tree, joint, mount)
    size = {"size": _text((length, ARM_WIDTH, ARM_WIDTH))}
    _shape(link, "box", size, np.eye(3), np.array([length / 2, 0.0, 0.0]), "grey")


def _sticks(tree: xml.Element, robot: Robot, turn: FloatArray) -> None:
    """Joints whose place the file does not tell, on the crown from left to right, positive leans forward."""
    legs = () if robot.platform is None else tuple(leg.joint for leg in robot.platform.legs)
    joints = [joint for joint in robot.joints if joint.mount is None and joint.name not in legs]
    joints.sort(key=lambda joint: ("right" in joint.name) - ("left" in joint.name))
    for i, joint in enumerate(joints):
        place = np.array([0.0, STICK_DISTANCE * ((len(joints) - 1) / 2 - i), HEAD_HEIGHT + HEAD_RADIUS])
        origin = Origin(xyz=tuple(turn @ place), rpy=rpy_of_rotation(turn))
        mount = Mount(
            parent=robot.frames.head, child=f"{joint.name}_stick", origin=origin, axis=(0.0, 1.0, 0.0)
        )
        link = _link(tree, mount.child)
        _revolute(tree, joint, mount)
        size = {"size": _text((ARM_WIDTH, ARM_WIDTH, STICK_LENGTH))}
        _shape(link, "box", size, np.eye(3), np.array([0.0, 0.0, STICK_LENGTH / 2]), "dark")


def _revolute(tree: xml.Element, joint: Joint, mount: Mount) -> None:
    element = _connect(tree, joint.name, "revolute", mount.parent, mount.child, mount.origin)
    xml.SubElement(element, "axis", xyz=_text(mount.axis))
    position, velocity = joint.limits.position, joint.limits.velocity
    limits = {"lower": position.min, "upper": position.max, "effort": 1.0, "velocity": velocity.max}
    xml.SubElement(element, "limit", {key: f"{value:.9g}" for key, value in limits.items()})


def _torso(link: xml.Element, robot: Robot) -> None:
    """A box whose top lies a little below the first joint, upright in the body frame."""
    turn = rotation_of_rpy(*robot.frames.base_rpy)
    mount = robot.joints[robot.chain[0]].mount if robot.chain else None
    top = np.zeros(3) if mount is None else turn.T @ mount.origin.xyz
    centre = top - np.array([0.0, 0.0, TORSO_GAP + TORSO_SIZE[2] / 2])
    _shape(link, "box", {"size": _text(TORSO_SIZE)}, turn, centre, "grey")


def _face(link: xml.Element, turn: FloatArray) -> None:
    """A ball with a nose and eyes; ``turn`` takes directions of the body frame to the link."""
    centre = np.array([0.0, 0.0, HEAD_HEIGHT])
    _shape(link, "sphere", {"radius": f"{HEAD_RADIUS}"}, turn, centre, "white")
    nose = centre + np.array([HEAD_RADIUS, 0.0, -0.005])
    _shape(link, "box", {"size": "0.03 0.016 0.03"}, turn, nose, "grey")
    for side in (-1, 1):
        eye = centre + np.array([0.078, 0.034 * side, 0.03])
        _shape(link, "sphere", {"radius": "0.014"}, turn, eye, "dark")


def _shape(
    link: xml.Element, kind: str, size: dict[str, str], turn: FloatArray, centre: FloatArray, color: str
) -> None:
    """A shape whose axes and ``centre`` [3] are those of the body frame before ``turn`` [3, 3]."""
    visual = xml.SubElement(link, "visual")
    xml.SubElement(visual, "origin", xyz=_text(turn @ centre), rpy=_text(rpy_of_rotation(turn)))
    xml.SubElement(xml.SubElement(visual, "geometry"), kind, size)
    material = xml.SubElement(visual, "material", name=color)
    xml.SubElement(material, "color", rgba=COLORS[color])


def _text(values: Iterable[float]) -> str:
    return " ".join(f"{value + 0.0:.9g}" for value in values)
