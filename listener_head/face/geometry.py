"""Rotations, frames and the pinhole camera of the face models.

Model frame: x to the subject's left, y up, z out of the face. Optical frame (REP 103): x right,
y down, z forward. A head in the optical frame of its camera is
``rotation_matrix(rotation) @ OPTICAL_FROM_MODEL @ point + translation``.
Angles follow ``listener_head.coefficients``: pitch, yaw, roll about x, y, z, ``R = Rz @ Ry @ Rx``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

# A face that looks into the camera has its x to the image's right, its y up and its z backwards.
OPTICAL_FROM_MODEL: FloatArray = np.diag([1.0, -1.0, -1.0])


def rotation_matrix(rotation: ArrayLike) -> FloatArray:
    """Matrices [..., 3, 3] of pitch, yaw, roll [..., 3] in radians, R = Rz @ Ry @ Rx."""
    angles = np.asarray(rotation, np.float64)
    (sx, sy, sz), (cx, cy, cz) = np.moveaxis(np.sin(angles), -1, 0), np.moveaxis(np.cos(angles), -1, 0)
    rows = [
        [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
        [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
        [-sy, cy * sx, cy * cx],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def rotation_angles(matrix: ArrayLike) -> FloatArray:
    """Pitch, yaw, roll [..., 3] in radians of rotation matrices [..., 3, 3]; yaw in [-pi/2, pi/2].

    The inverse of ``rotation_matrix``. At a yaw of exactly +-pi/2 pitch and roll turn about the same
    axis; then all of it is returned as pitch.
    """
    m = np.asarray(matrix, np.float64)
    cos_yaw = np.hypot(m[..., 0, 0], m[..., 1, 0])
    regular = cos_yaw > 1e-9
    pitch = np.where(regular, np.arctan2(m[..., 2, 1], m[..., 2, 2]), np.arctan2(-m[..., 1, 2], m[..., 1, 1]))
    roll = np.where(regular, np.arctan2(m[..., 1, 0], m[..., 0, 0]), 0.0)
    return np.stack([pitch, np.arctan2(-m[..., 2, 0], cos_yaw), roll], axis=-1)


def to_optical(points: ArrayLike, rotation: ArrayLike, translation: ArrayLike) -> FloatArray:
    """Model points [N, 3] of a head with this rotation [3] and translation [3] m, in the optical frame."""
    pose = rotation_matrix(rotation) @ OPTICAL_FROM_MODEL
    turned: FloatArray = np.matmul(np.asarray(points, np.float64), pose.T)
    return turned + np.asarray(translation, np.float64)


def project(points: ArrayLike, focal: float, centre: ArrayLike) -> FloatArray:
    """Pixels [..., 2] of optical-frame points [..., 3] before the camera (z > 0); pinhole, square pixels.

    ``focal`` and ``centre`` (x, y) in pixels.
    """
    xyz = np.asarray(points, np.float64)
    pixels: FloatArray = focal * xyz[..., :2] / xyz[..., 2:]
    return pixels + np.asarray(centre, np.float64)


def vertex_normals(points: ArrayLike, triangles: NDArray[np.int32]) -> FloatArray:
    """Unit normals [N, 3] of a mesh of points [N, 3] and triangles [M, 3]; zero for a vertex without one."""
    vertices = np.asarray(points, np.float64)
    corners = vertices[triangles]
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros(vertices.shape)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], faces)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return normals / np.where(length > 0.0, length, 1.0)
