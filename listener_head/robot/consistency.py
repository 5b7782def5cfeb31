"""Contradictions between the parts of a robot file: names that are nowhere, mounts that make no chain."""

from __future__ import annotations

from collections.abc import Iterator

from listener_head.robot.description import HEAD_ANGLES, Robot
from listener_head.yaml_file import Location


def contradictions(robot: Robot) -> Iterator[tuple[Location, str]]:
    """Keys and list numbers of what contradicts the rest of the file, and one line that says why."""
    yield from _commands(robot)
    yield from _drives(robot)
    yield from _legs(robot)
    # A wrong mount breaks the way to the head: what follows from it is not told as well.
    yield from list(_mounts(robot)) or [*_head(robot), *_camera(robot)]


def _commands(robot: Robot) -> Iterator[tuple[Location, str]]:
    names = robot.joint_names
    for i, command in enumerate(robot.commands):
        joints = command.joints or []
        for k, joint in enumerate(joints):
            at = ("commands", i, "joints", k)
            if joint not in names:
                yield (
                    at,
                    f"the command takes '{joint}', not one of the joints {', '.join(names)}; correct it",
                )
            elif joint in joints[:k]:
                yield at, f"the command takes joint '{joint}' twice; remove one"
    for i, name in enumerate(names):
        if not any(command.joints is None or name in command.joints for command in robot.commands):
            yield ("joints", i), "no command takes it; add it to the 'joints' of one, or remove it"


def _drives(robot: Robot) -> Iterator[tuple[Location, str]]:
    legs = _leg_joints(robot)
    # What a platform stands on may keep still: the platform moves the head.
    carriers = robot.chain if legs else ()
    for i, joint in enumerate(robot.joints):
        at = ("joints", i, "drive")
        if joint.name in legs and joint.drive:
            yield at, "it is a leg of the platform, which moves it; remove its 'drive'"
        elif not joint.drive and joint.name not in legs and i not in carriers:
            angles = ", ".join(HEAD_ANGLES)
            yield at, f"nothing drives it; give it a 'drive' ({angles} or ARKit expressions) or remove it"


def _legs(robot: Robot) -> Iterator[tuple[Location, str]]:
    legs = _leg_joints(robot)
    for k, name in enumerate(legs):
        at = ("platform", "legs", k, "joint")
        if name not in robot.joint_names:
            yield at, f"platform leg '{name}' is not among the joints; add it there or correct the name"
        elif name in legs[:k]:
            yield at, f"platform leg '{name}' is there twice; give each leg its own joint"
    for i, joint in enumerate(robot.joints):
        if joint.name in legs and joint.mount is not None:
            yield (
                ("joints", i, "mount"),
                "it is a leg of the platform, which tells its place; remove 'mount'",
            )


def _mounts(robot: Robot) -> Iterator[tuple[Location, str]]:
    chain, frames, legs = robot.chain, robot.chain_frames, _leg_joints(robot)
    for i, joint in enumerate(robot.joints):
        if joint.name in legs or not any(angle in joint.drive for angle in HEAD_ANGLES):
            continue
        if joint.mount is None:
            yield ("joints", i), "it turns the head but has no 'mount'; add parent, child, origin and axis"
        elif i not in chain:
            yield (
                ("joints", i, "mount", "parent"),
                f"mount.parent '{joint.mount.parent}' is not on the way from frames.base to frames.head "
                f"({' > '.join(frames)}); correct it, or put the joints in that order",
            )
    for i, frame in zip(chain, frames[1:], strict=True):
        if frames.count(frame) > 1:
            yield ("joints", i, "mount", "child"), f"mount.child '{frame}' comes before it too; correct it"


def _head(robot: Robot) -> Iterator[tuple[Location, str]]:
    head, end = robot.frames.head, robot.chain_frames[-1]
    if robot.platform is None and end != head:
        yield (
            ("frames", "head"),
            f"frames.head is '{head}' but the joints end at '{end}'; correct one of them",
        )
    if robot.platform is not None and end == head:
        yield ("frames", "head"), f"frames.head '{head}' is what the platform stands on; name what it carries"


def _camera(robot: Robot) -> Iterator[tuple[Location, str]]:
    if robot.camera is None:
        return
    frames = list(dict.fromkeys([*robot.chain_frames, robot.frames.head]))
    if robot.camera.parent not in frames:
        yield (
            ("camera", "parent"),
            f"camera.parent '{robot.camera.parent}' is not on the way to the head; "
            f"choose one of {', '.join(frames)}",
        )


def _leg_joints(robot: Robot) -> list[str]:
    return [] if robot.platform is None else [leg.joint for leg in robot.platform.legs]
