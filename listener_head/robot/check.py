"""Checks a robot file: against itself (do its joints turn the head the right way) and against a URDF."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from listener_head.robot.description import HEAD_ANGLES, Robot
from listener_head.robot.findings import Finding, shown
from listener_head.robot.kinematics import HeadKinematics
from listener_head.robot.response import TURN, turned
from listener_head.robot.urdf_check import against
from listener_head.robot.urdf_reader import Urdf

# Directions within 60 degrees of what they should be are right.
ROUGHLY = 0.5
# The head must follow with this part of what is asked at least, and turn no more than this part otherwise.
LEAST_SHARE, MOST_ASIDE = 0.5, 0.5

DIRECTIONS = {
    "pitch": "a nod (positive pitch) must move the nose down",
    "yaw": "positive yaw must turn the head to its left",
    "roll": "positive roll must tip the crown to the head's right",
}


def check(robot: Robot, urdf: Urdf | None = None) -> list[Finding]:
    """All findings; the checks with a URDF as well when one is given. An empty list: nothing to say."""
    findings = list(_directions(robot))
    findings += _forward_camera(robot)
    if urdf is not None:
        findings += against(robot, urdf)
    return findings


def _directions(robot: Robot) -> Iterator[Finding]:
    """Whether the listener's pitch, yaw and roll turn the head the right way, and about far enough."""
    for signal in robot.head_angles:
        share = turned(robot, signal) / TURN
        along = share[HEAD_ANGLES.index(signal)]
        aside = np.abs(np.delete(share, HEAD_ANGLES.index(signal))).max()
        if along < LEAST_SHARE or aside > MOST_ASIDE:
            answer = ", ".join(
                f"{name} {TURN * part:+.3f}" for name, part in zip(HEAD_ANGLES, share, strict=True)
            )
            yield Finding(
                True,
                signal,
                f"{DIRECTIONS[signal]}; for {signal} {TURN:+.3f} rad the head turns by {answer}: correct the "
                "gains in 'drive', the axes or frames.base_rpy",
            )


def _forward_camera(robot: Robot) -> Iterator[Finding]:
    if robot.camera is None:
        return
    view = HeadKinematics(robot).camera(robot.neutral)[:3, :3] @ (0.0, 0.0, 1.0)
    if view[0] < ROUGHLY:
        yield Finding(
            True,
            robot.camera.frame,
            f"the camera looks along {shown(view)} of the body frame at rest, not forward (+x): correct "
            "camera.origin (an optical frame: x right, y down, z forward) or frames.base_rpy",
        )
