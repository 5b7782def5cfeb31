"""Where a face model is: a rigid pose, its small steps and a first guess of it."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, sin, sqrt

import numpy as np
from numpy.typing import NDArray

from listener_head.face.geometry import OPTICAL_FROM_MODEL

Array = NDArray[np.float64]

NEAREST = 0.05  # m, no face is closer to a camera
LARGEST_TURN = 0.5  # rad in one step: a linearised rotation is no good beyond


@dataclass
class Pose:
    """Where the model is: a model point X is at ``rotation @ OPTICAL_FROM_MODEL @ X + translation``."""

    rotation: Array
    translation: Array

    @property
    def to_optical(self) -> Array:
        """Matrix [3, 3] from the model's axes to those of the camera's optical frame."""
        return self.rotation @ OPTICAL_FROM_MODEL

    def moved(self, step: Array) -> Pose:
        """The pose after a step [6]: rotation vector [rad] from the left, translation [m]."""
        turn = step[:3]
        angle = sqrt(turn @ turn)
        if angle > LARGEST_TURN:
            turn = turn * (LARGEST_TURN / angle)
        translation = self.translation + step[3:6]
        translation[2] = max(translation[2], NEAREST)
        return Pose(rotation_of(turn) @ self.rotation, translation)


def rotation_of(turn: Array) -> Array:
    """Matrix of a rotation vector (Rodrigues); scipy's takes ten times as long for one."""
    x, y, z = turn.tolist()
    angle = sqrt(x * x + y * y + z * z)
    if angle > 1e-6:
        sine, versine = sin(angle) / angle, (1.0 - cos(angle)) / (angle * angle)
    else:
        sine, versine = 1.0, 0.5
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    rotation = versine * (cross @ cross) + sine * cross
    rotation.flat[::4] += 1.0
    return rotation


def weak_perspective_pose(points: Array, seen: Array) -> Pose:
    """Pose from scratch (POS, DeMenthon and Davis 1995): model points [L, 3], normalised image [L, 2]."""
    centre, target = points.mean(0), seen.mean(0)
    axes = np.linalg.lstsq((points - centre) @ OPTICAL_FROM_MODEL.T, seen - target, rcond=None)[0].T
    left, scales, right = np.linalg.svd(axes, full_matrices=False)
    rows = left @ right
    rotation = np.vstack([rows, np.cross(rows[0], rows[1])])
    depth = max(1.0 / max(float(scales.mean()), 1e-6), NEAREST)
    centre_seen = depth * np.array([target[0], target[1], 1.0])
    return Pose(rotation, centre_seen - rotation @ OPTICAL_FROM_MODEL @ centre)
