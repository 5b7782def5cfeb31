"""Compares a robot file with the robot's URDF."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from listener_head.robot.description import HeadCamera, Joint, Leg, Mount, Robot
from listener_head.robot.findings import Finding, shown
from listener_head.robot.transforms import rotation_about, rotation_of_rpy, rpy_of_rotation, transform_of
from listener_head.robot.urdf_reader import TURNING, Urdf, UrdfJoint

FloatArray = NDArray[np.float64]

# Differences below these are rounding: lengths [m], angles [rad], speeds (relative).
LENGTH_TOLERANCE = 1e-3
ANGLE_TOLERANCE = 5e-3
SPEED_TOLERANCE = 1e-3
# A velocity limit beyond this [rad/s] in a URDF is a placeholder.
PLACEHOLDER_SPEED = 20.0
# Axes are compared by turning the joint by this [rad].
PROBE = 0.5
# Least part of the way between links named left and right that must lie along y.
SIDEWAYS = 0.5


def against(robot: Robot, urdf: Urdf) -> Iterator[Finding]:
    """Every disagreement with a URDF: names, types, limits, mounts, legs, camera, the base's attitude."""
    if robot.frames.base not in urdf.links:
        yield _no_link("frames.base", robot.frames.base, urdf)
    legs = {} if robot.platform is None else {leg.joint: leg for leg in robot.platform.legs}
    for joint in robot.joints:
        described = urdf.joints.get(joint.name)
        if described is None:
            yield Finding(True, joint.name, f"it is not in the URDF '{urdf.name}': correct the name")
            continue
        yield from _type(joint, described)
        yield from _position(joint, described)
        yield from _velocity(joint, described)
        if joint.mount is not None:
            yield from _mount(joint, joint.mount, urdf)
        if joint.name in legs:
            yield from _leg(robot, legs[joint.name], urdf)
    if robot.camera is not None:
        yield from _camera(robot.camera, urdf)
    yield from _left_and_right(robot, urdf)


def _type(joint: Joint, described: UrdfJoint) -> Iterator[Finding]:
    if described.type not in TURNING:
        yield Finding(
            True, joint.name, f"it is {described.type} in the URDF, not revolute: it cannot be turned"
        )
    if described.mimics is not None:
        yield Finding(
            True,
            joint.name,
            f"it mimics '{described.mimics}' in the URDF: command that joint, remove this one",
        )


def _position(joint: Joint, described: UrdfJoint) -> Iterator[Finding]:
    if described.position is None:
        return
    ours, (low, high) = joint.limits.position, described.position
    if ours.min < low - ANGLE_TOLERANCE or ours.max > high + ANGLE_TOLERANCE:
        yield Finding(
            True,
            joint.name,
            f"position limits [{ours.min:g}, {ours.max:g}] rad are wider than the URDF's "
            f"[{low:g}, {high:g}]: narrow them",
        )
    elif ours.min > low + ANGLE_TOLERANCE or ours.max < high - ANGLE_TOLERANCE:
        yield Finding(
            False,
            joint.name,
            f"position limits [{ours.min:g}, {ours.max:g}] rad are narrower than the URDF's "
            f"[{low:g}, {high:g}] ({ours.source})",
        )


def _velocity(joint: Joint, described: UrdfJoint) -> Iterator[Finding]:
    ours, theirs = joint.limits.velocity, described.velocity
    if theirs is None or not 0 < theirs < PLACEHOLDER_SPEED or not isfinite(theirs):
        if theirs is not None:
            yield Finding(
                False,
                joint.name,
                f"the URDF's velocity limit of {theirs:g} rad/s looks like a placeholder; the file says "
                f"{ours.max:g} ({ours.source})",
            )
    elif ours.max > theirs * (1 + SPEED_TOLERANCE):
        yield Finding(
            True,
            joint.name,
            f"velocity limit {ours.max:g} rad/s is above the URDF's {theirs:g}: lower it",
        )
    elif ours.max < theirs * (1 - SPEED_TOLERANCE):
        yield Finding(
            False,
            joint.name,
            f"velocity limit {ours.max:g} rad/s is below the URDF's {theirs:g} ({ours.source})",
        )


def _mount(joint: Joint, mount: Mount, urdf: Urdf) -> Iterator[Finding]:
    """The child frame in the parent, at zero and turned: its origin and axis, fixed joints folded."""
    for key, link in (("mount.parent", mount.parent), ("mount.child", mount.child)):
        if link not in urdf.links:
            yield _no_link(f"{key} of joint '{joint.name}'", link, urdf)
            return
    moving = urdf.moving_between(mount.parent, mount.child)
    if moving != [joint.name]:
        described = urdf.joints[joint.name]
        yield Finding(
            True,
            joint.name,
            f"between '{mount.parent}' and '{mount.child}' the URDF has {', '.join(moving) or 'no joint'}; "
            f"this joint goes from '{described.parent}' to '{described.child}': correct the mount",
        )
        return
    theirs, ours = urdf.pose(mount.parent, mount.child), transform_of(mount.origin)
    if _differ(ours, theirs):
        yield Finding(
            True, joint.name, f"mount.origin is {_place(ours)}; the URDF says {_place(theirs)}: correct it"
        )
    at_probe = urdf.pose(mount.parent, mount.child, {joint.name: PROBE})
    turn = theirs[:3, :3].T @ at_probe[:3, :3]
    if _angle(rotation_about(mount.axis, PROBE).T @ turn) > ANGLE_TOLERANCE:
        axis = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
        axis /= np.linalg.norm(axis)
        yield Finding(
            True,
            joint.name,
            f"mount.axis is {shown(mount.axis)}; the URDF says {shown(axis)}: correct it, and see that the "
            "signs in 'drive' still hold",
        )


def _leg(robot: Robot, leg: Leg, urdf: Urdf) -> Iterator[Finding]:
    """A motor's axis, as a line in the frame that the platform stands in."""
    base = robot.chain_frames[-1]
    joint = urdf.joints[leg.joint]
    if base not in urdf.links:
        return
    if urdf.moving_between(base, joint.parent):
        yield Finding(True, leg.joint, f"in the URDF it is not fixed to '{base}': correct the mounts")
        return
    theirs = urdf.pose(base, joint.parent) @ joint.origin
    ours = transform_of(leg.motor)
    axis = theirs[:3, :3] @ joint.axis
    offset = np.cross(axis, ours[:3, 3] - theirs[:3, 3])
    if _between(axis, ours[:3, 2]) > ANGLE_TOLERANCE or np.linalg.norm(offset) > LENGTH_TOLERANCE:
        yield Finding(
            True,
            leg.joint,
            f"the motor's axis runs along {shown(ours[:3, 2])} through {shown(ours[:3, 3])} m; in the URDF "
            f"along {shown(axis)} through {shown(theirs[:3, 3])} m: correct the leg's 'motor'",
        )


def _camera(camera: HeadCamera, urdf: Urdf) -> Iterator[Finding]:
    if camera.parent not in urdf.links:
        yield _no_link("camera.parent", camera.parent, urdf)
    elif camera.frame not in urdf.links:
        yield Finding(
            False,
            camera.frame,
            "the camera's frame is not in the URDF; see that its driver publishes that frame_id and where "
            f"({camera.source})",
        )
    elif moving := urdf.moving_between(camera.parent, camera.frame):
        yield Finding(
            True,
            camera.frame,
            f"in the URDF {', '.join(moving)} moves it against '{camera.parent}': correct camera.parent",
        )
    else:
        theirs, ours = urdf.pose(camera.parent, camera.frame), transform_of(camera.origin)
        if _differ(ours, theirs):
            yield Finding(
                True,
                camera.frame,
                f"camera.origin is {_place(ours)}; the URDF says {_place(theirs)}: correct it",
            )


def _left_and_right(robot: Robot, urdf: Urdf) -> Iterator[Finding]:
    """What a URDF tells of the base's attitude: whether links named left lie to the left of their twins."""
    if robot.frames.base not in urdf.links:
        return
    direction = np.zeros(3)
    for left in urdf.links:
        right = _right_twin(left)
        if right is not None and right in urdf.links:
            places = [urdf.pose(robot.frames.base, link)[:3, 3] for link in (left, right)]
            direction += places[0] - places[1]
    direction = rotation_of_rpy(*robot.frames.base_rpy).T @ direction
    length = float(np.linalg.norm(direction))
    if length > LENGTH_TOLERANCE and direction[1] < SIDEWAYS * length:
        yield Finding(
            True,
            "frames.base_rpy",
            f"links named left lie towards {shown(direction / length)} of the body frame from those named "
            f"right, not towards +y: base_rpy must turn '{robot.frames.base}' to x forward, y left, z up",
        )


def _right_twin(link: str) -> str | None:
    for left, right in (("left", "right"), ("Left", "Right"), ("LEFT", "RIGHT")):
        if left in link:
            return link.replace(left, right)
    for left, right in (("l_", "r_"), ("L_", "R_"), ("L", "R")):
        if link.startswith(left):
            return right + link.removeprefix(left)
    if link.endswith(("_l", "_L")):
        return link[:-1] + ("r" if link.endswith("l") else "R")
    return None


def _no_link(key: str, link: str, urdf: Urdf) -> Finding:
    return Finding(True, link, f"{key} is no link of the URDF '{urdf.name}': correct the name")


def _differ(ours: FloatArray, theirs: FloatArray) -> bool:
    apart = float(np.linalg.norm(ours[:3, 3] - theirs[:3, 3]))
    return apart > LENGTH_TOLERANCE or _angle(ours[:3, :3].T @ theirs[:3, :3]) > ANGLE_TOLERANCE


def _angle(rotation: FloatArray) -> float:
    """Angle [rad] of a rotation [3, 3], exact near zero too."""
    sine = np.array(
        [rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]]
    )
    return float(np.arctan2(np.linalg.norm(sine), np.trace(rotation) - 1.0))


def _between(one: FloatArray, other: FloatArray) -> float:
    return float(np.arctan2(np.linalg.norm(np.cross(one, other)), one @ other))


def _place(frame: FloatArray) -> str:
    return f"xyz {shown(frame[:3, 3])} rpy {shown(rpy_of_rotation(frame[:3, :3]))}"
