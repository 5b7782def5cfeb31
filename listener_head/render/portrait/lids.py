"""The lids: movements that shut this person's eyes just, skin that comes to cover them, lashes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from listener_head.render.portrait.shapes import FaceShapes
from listener_head.render.portrait.topology import LOWER_LIDS, OUTER_CORNERS, POINTS, UPPER_LIDS

Array = NDArray[np.float64]

SIDES = ("Right", "Left")  # the person's own, as they come from the image's left
LID_SHAPES = ("eyeBlink", "eyeSquint", "eyeWide", "eyeLookDown", "eyeLookUp")
LID_RATIO = (0.4, 2.5)  # of this person's lids over the model's
LASH_ROWS = (-0.065, 0.0, 0.045)  # widths of the eye from the upper lid's margin down
LASHES_BEFORE = -0.0015  # m
# How far the skin beside the outer corners belongs to the lids: lashes stand out there.
CORNER_COVER = (1.0, 0.9, 0.9, 0.5, 0.5)


def fitted_lids(shapes: FaceShapes, names: tuple[str, ...]) -> Array:
    """The movements with those of the lids as large as closes this person's eyes, just."""
    moves, points = shapes.moves.copy(), shapes.points
    for side, upper, lower in zip(SIDES, UPPER_LIDS, LOWER_LIDS, strict=True):
        blink = names.index("eyeBlink" + side)
        left, right = points[upper[0]], points[upper[-1]]
        down = downwards(left, right)
        top, bottom = list(upper[1:-1]), list(lower[1:-1])
        opening = (points[bottom] - points[top]) @ down
        closing = (moves[blink][top] - moves[blink][bottom]) @ down
        ratio = np.clip(opening / np.maximum(closing, 1e-4), *LID_RATIO)
        along = (right - left) / np.linalg.norm(right - left)
        across = np.interp((points - left) @ along, (points[top] - left) @ along, ratio)
        for shape in LID_SHAPES:
            moves[names.index(shape + side)] *= across[:, None]
        # What is left of the gap the upper lid alone closes, and the skin above it by its share.
        closing = (moves[blink][top] - moves[blink][bottom]) @ down
        moves[blink][top] += (opening - closing)[:, None] * down
    return moves


def lid_cover() -> Array:
    """How far FaceMesh's points [468, 2] belong to the skin that covers the right and left shut eye, 0..1."""
    cover = np.zeros((POINTS, 2))
    for side in (0, 1):
        cover[list(UPPER_LIDS[side]), side] = 1.0
        cover[list(OUTER_CORNERS[side]), side] = CORNER_COVER
    return cover


class Lashes:
    """A strip along either upper lid, of three rows of vertices: above, on and below the margin.

    ``rest`` [6 n, 3] m for the margins ``lines`` of n vertices before the camera, ``followed`` [6 n] the
    vertices that they move with, ``cover`` [6 n, 2] how dark they are with the right and left eye shut,
    ``triangles`` [m, 3] with numbers from ``first`` on.
    """

    def __init__(self, face: Array, lines: list[NDArray[np.intp]], first: int) -> None:
        count = len(lines[0])
        self.rest = np.concatenate([_strip(face[line]) for line in lines])
        self.followed = np.concatenate([np.tile(line, len(LASH_ROWS)) for line in lines])
        columns = np.sin(np.pi * np.linspace(0.0, 1.0, count)) ** 0.6
        strip = np.concatenate([0.0 * columns, columns, 0.0 * columns])
        self.cover = np.kron(np.eye(2), strip[:, None])
        self.triangles = _strip_triangles(count, first)


def _strip(line: Array) -> Array:
    """Three rows along the lid's margin [3 n, 3], above, on and below it, just before the skin."""
    width = np.linalg.norm(line[-1] - line[0])
    down = downwards(line[0], line[-1])
    rows = [line + width * step * down + [0, 0, LASHES_BEFORE] for step in LASH_ROWS]
    return np.concatenate(rows)


def _strip_triangles(columns: int, first: int) -> NDArray[np.int32]:
    """Of the two strips whose vertices start at ``first``."""
    cell = np.array([[0, 1, columns], [1, columns + 1, columns]])
    strip = np.concatenate([cell + row * columns + i for row in (0, 1) for i in range(columns - 1)])
    return np.concatenate([strip + first, strip + first + 3 * columns]).astype(np.int32)


def downwards(left: Array, right: Array) -> Array:
    """Unit vector in the picture's plane, downwards and across the line from left to right."""
    along = right - left
    down = np.array([-along[1], along[0], 0.0])
    return down / np.linalg.norm(down)
