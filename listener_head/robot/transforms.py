"""Rotations and transforms of a robot's frames, float64, with the conventions of URDF and REP 103."""

from __future__ import annotations

from collections.abc import Sequence
from math import asin, atan2, cos, sin

import numpy as np
from numpy.typing import NDArray

from listener_head.robot.description import Origin

FloatArray = NDArray[np.float64]


def rotation_of_rpy(roll: float, pitch: float, yaw: float) -> FloatArray:
    """Rotation [3, 3] of fixed-axis roll, pitch, yaw [rad]: Rz(yaw) @ Ry(pitch) @ Rx(roll), as in URDF."""
    cr, sr, cp, sp, cy, sy = cos(roll), sin(roll), cos(pitch), sin(pitch), cos(yaw), sin(yaw)
    return np.array(
        [
            [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
            [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
            [-sp, cp * sr, cp * cr],
        ]
    )


def rotation_about(axis: Sequence[float] | FloatArray, angle: float) -> FloatArray:
    """Rotation [3, 3] by an angle [rad] about an axis [3] of length 1 (Rodrigues' formula)."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + sin(angle) * cross + (1.0 - cos(angle)) * cross @ cross


def rpy_of_rotation(rotation: FloatArray) -> tuple[float, float, float]:
    """Fixed-axis roll, pitch, yaw [rad] of a rotation [3, 3]; yaw is 0 where pitch is +-90 degrees."""
    pitch = asin(max(-1.0, min(1.0, -rotation[2, 0])))
    if abs(rotation[2, 0]) > 1.0 - 1e-12:
        return atan2(-rotation[1, 2], rotation[1, 1]), pitch, 0.0
    return atan2(rotation[2, 1], rotation[2, 2]), pitch, atan2(rotation[1, 0], rotation[0, 0])


def transform(xyz: Sequence[float] | FloatArray, rotation: FloatArray) -> FloatArray:
    """Transform [4, 4] of a frame at ``xyz`` [m] of its parent, turned by ``rotation`` [3, 3]."""
    result = np.eye(4)
    result[:3, :3] = rotation
    result[:3, 3] = xyz
    return result


def transform_of(origin: Origin) -> FloatArray:
    """Transform [4, 4] of a frame in its parent: it takes points of the frame to the parent."""
    return transform(origin.xyz, rotation_of_rpy(*origin.rpy))


def inverse(frame: FloatArray) -> FloatArray:
    """Inverse [4, 4] of a transform."""
    turned_back = frame[:3, :3].T
    return transform(-turned_back @ frame[:3, 3], turned_back)
