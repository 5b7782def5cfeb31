"""Small building blocks: smooth functions, and the pieces of mesh that make up the head.

Everything in this package is authored in millimetres in the model frame (x to the subject's left,
y up, z out of the face, origin between the ears); ``build`` converts to metres at the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]


def smoothstep(edge0: ArrayLike, edge1: ArrayLike, x: ArrayLike) -> Array:
    """0 at edge0, 1 at edge1 (which may be the smaller one), flat at both ends."""
    start, end = np.asarray(edge0, float), np.asarray(edge1, float)
    t = np.clip((np.asarray(x, float) - start) / (end - start), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def bump(x: ArrayLike, width: ArrayLike) -> Array:
    """Gaussian of height 1 and standard deviation ``width``."""
    return np.exp(-0.5 * (np.asarray(x, float) / width) ** 2)


def blend(colours: Array, colour: ArrayLike, weight: ArrayLike) -> Array:
    """Colours [n, 3] mixed towards one colour by weights [n]."""
    w = np.clip(weight, 0.0, 1.0)[..., None]
    return colours * (1.0 - w) + np.asarray(colour, float) * w


def rotate_x(points: Array, angle: float, centre: ArrayLike) -> Array:
    """Points [n, 3] turned about an axis along x through ``centre``; positive looks down."""
    c, s = np.cos(angle), np.sin(angle)
    origin = np.asarray(centre, float)
    return (points - origin) @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]]).T + origin


def rotate_y(points: Array, angle: float, centre: ArrayLike) -> Array:
    """Points [n, 3] turned about an axis along y through ``centre``; positive turns z towards x."""
    c, s = np.cos(angle), np.sin(angle)
    origin = np.asarray(centre, float)
    return (points - origin) @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]).T + origin


def mirrored(points: Array) -> Array:
    """Points [n, 3] reflected from the subject's left to the right."""
    return points * np.array([-1.0, 1.0, 1.0])


def grid_triangles(rows: int, columns: int, wrap: bool = False) -> Index:
    """Triangles [m, 3] of a grid of vertices numbered row by row; ``wrap`` closes the columns."""
    i = np.arange(rows * columns).reshape(rows, columns)
    if wrap:
        i = np.concatenate([i, i[:, :1]], axis=1)
    a, b, c, d = i[:-1, :-1], i[1:, :-1], i[1:, 1:], i[:-1, 1:]
    corners = np.stack([a, b, c, a, c, d], axis=-1)
    return corners.reshape(-1, 3)


def inside(polygon: Array, points: Array) -> NDArray[np.bool_]:
    """Which points [n, 2] lie inside a closed polygon [k, 2] (even-odd rule)."""
    x, y = points[:, 0], points[:, 1]
    result = np.zeros(len(points), bool)
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        crosses = (y0 > y) != (y1 > y)
        if crosses.any():
            result ^= crosses & (x < (x1 - x0) * (y - y0) / (y1 - y0 if y1 != y0 else 1.0) + x0)
    return result


@dataclass
class Part:
    """One connected piece of the head.

    ``mirror`` is the vertex at the mirrored place. ``source`` is the skin vertex whose expression
    movement this vertex shares, by ``follow`` (0 to 1); ``jaw`` is how far it hangs on the jaw.
    """

    kind: str
    vertices: Array
    triangles: Index
    colours: Array
    mirror: Index
    source: Index = field(default_factory=lambda: np.zeros(0, np.int64))
    follow: Array = field(default_factory=lambda: np.zeros(0))
    jaw: Array = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        n = len(self.vertices)
        if not len(self.source):
            self.source, self.follow = np.zeros(n, np.int64), np.zeros(n)
        if not len(self.jaw):
            self.jaw = np.zeros(n)


def with_mirror(left: Part) -> Part:
    """A part together with its reflection; for parts that lie wholly on one side."""
    n = len(left.vertices)
    return Part(
        left.kind,
        np.concatenate([left.vertices, mirrored(left.vertices)]),
        np.concatenate([left.triangles, left.triangles[:, ::-1] + n]),
        np.concatenate([left.colours, left.colours]),
        np.concatenate([np.arange(n) + n, np.arange(n)]),
    )
