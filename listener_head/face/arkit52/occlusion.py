"""Ambient occlusion: how much of the light from all around reaches each vertex of the still head."""

from __future__ import annotations

import numpy as np

from listener_head.face.arkit52.fields import Array, Index
from listener_head.face.geometry import vertex_normals

DIRECTIONS = 128
CELL_MM = 3.0
BIAS_MM = 4.0
SMOOTHINGS = 6


def _directions() -> Array:
    """Unit vectors [k, 3] evenly over the sphere (Fibonacci spiral)."""
    k = np.arange(DIRECTIONS) + 0.5
    up = 1.0 - 2.0 * k / DIRECTIONS
    turn = np.pi * (1.0 + 5.0**0.5) * k
    ring = np.sqrt(1.0 - up**2)
    return np.stack([ring * np.cos(turn), up, ring * np.sin(turn)], axis=1)


def _samples(vertices: Array, triangles: Index) -> Array:
    """Points spread over the triangles closely enough to fill the depth maps' cells."""
    weights = np.array([[i, j, 4 - i - j] for i in range(5) for j in range(5 - i)]) / 4.0
    return np.einsum("kc,mcd->mkd", weights, vertices[triangles]).reshape(-1, 3)


def occlusion(vertices: Array, triangles: Index) -> Array:
    """Share [n] from 0 to 1 of the cosine-weighted sky above each vertex that nothing covers.

    One depth map per direction: a vertex is lit when nothing lies more than 4 mm before it.
    """
    normals = vertex_normals(vertices, triangles.astype(np.int32))
    samples = _samples(vertices, triangles)
    lit, total = np.zeros(len(vertices)), np.zeros(len(vertices))
    for direction in _directions():
        side = np.cross(direction, [0.0, 0.0, 1.0] if abs(direction[2]) < 0.9 else [1.0, 0.0, 0.0])
        side /= np.linalg.norm(side)
        axes = np.stack([side, np.cross(direction, side)], axis=1)
        origin = (samples @ axes).min(axis=0)
        cells = ((samples @ axes - origin) / CELL_MM).astype(np.int64)
        width, height = cells.max(axis=0) + 1
        nearest = np.full(width * height, -np.inf)
        np.maximum.at(nearest, cells[:, 0] * height + cells[:, 1], samples @ direction)
        own = ((vertices @ axes - origin) / CELL_MM).astype(np.int64)
        open_sky = vertices @ direction > nearest[own[:, 0] * height + own[:, 1]] - BIAS_MM
        cosine = np.maximum(normals @ direction, 0.0)
        lit += cosine * open_sky
        total += cosine
    return _smoothed(lit / np.maximum(total, 1e-9), triangles)


def _smoothed(values: Array, triangles: Index) -> Array:
    """Values [n] averaged with their neighbours': the depth maps' cells must not show."""
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    neighbours = np.maximum(np.bincount(pairs.ravel(), minlength=len(values)), 1)
    for _ in range(SMOOTHINGS):
        total = np.bincount(pairs[:, 0], values[pairs[:, 1]], len(values))
        total += np.bincount(pairs[:, 1], values[pairs[:, 0]], len(values))
        values = 0.5 * values + 0.5 * total / neighbours
    return values
