"""The mesh between FaceMesh's 468 points: triangles, the contours of eyes, lips and face, subdivision.

MediaPipe publishes the mesh as edges (``FACEMESH_TESSELATION``); its holes are the two eyes and the mouth.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from listener_head.face.networks import quiet_stderr

Index = NDArray[np.intp]

POINTS = 468

# Upper and lower lid of the person's right and left eye, from the image's left corner to its right one.
UPPER_LIDS = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (362, 398, 384, 385, 386, 387, 388, 466, 263))
LOWER_LIDS = ((33, 7, 163, 144, 145, 153, 154, 155, 133), (362, 382, 381, 380, 374, 373, 390, 249, 263))
# Rings around the eyes, above: the crease of the lid and what lies over it; and below.
CREASES = ((130, 247, 30, 29, 27, 28, 56, 190, 243), (463, 414, 286, 258, 257, 259, 260, 467, 359))
BAGS = ((130, 25, 110, 24, 23, 22, 26, 112, 243), (463, 341, 256, 252, 253, 254, 339, 255, 359))
# Beside the outer corners, where lashes stand out.
OUTER_CORNERS = ((130, 247, 25, 226, 113), (359, 467, 255, 446, 342))
# The lips from the red's border inwards, each from the image's left corner to its right one.
UPPER_LIPS = (
    (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291),
    (76, 184, 74, 73, 72, 11, 302, 303, 304, 408, 306),
    (62, 183, 42, 41, 38, 12, 268, 271, 272, 407, 292),
    (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308),
)
LOWER_LIPS = (
    (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291),
    (76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306),
    (62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292),
    (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308),
)
OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip

# Three edges that enclose other triangles, beside the wings of the nose, are none.
_NOT_TRIANGLES = {(49, 64, 129), (279, 294, 358)}


@cache
def face_triangles() -> Index:
    """The 852 triangles [852, 3] of FaceMesh's points, in no particular orientation."""
    with quiet_stderr():
        from mediapipe.python.solutions.face_mesh_connections import FACEMESH_TESSELATION
    near: dict[int, set[int]] = defaultdict(set)
    for a, b in FACEMESH_TESSELATION:
        near[a].add(b)
        near[b].add(a)
    found = {tuple(sorted((a, b, c))) for a, b in FACEMESH_TESSELATION for c in near[a] & near[b]}
    return np.array(sorted(found - _NOT_TRIANGLES), np.intp)


class Subdivision:
    """Every edge of a mesh halved, every triangle quartered, once.

    ``matrix`` [M, N] sparse gives the finer mesh's values from those of the N points: the points stay, new
    ones in the inside follow the butterfly scheme (Dyn, Levin and Gregory 1990), on borders four points'
    cubic, so that contours are round. ``triangles`` [4 T, 3] and ``middle`` (a, b) -> point number.
    """

    def __init__(self, triangles: Index, points: int) -> None:
        wings: dict[tuple[int, int], list[int]] = defaultdict(list)
        for corners in triangles.tolist():
            for k in range(3):
                a, b, opposite = corners[k], corners[(k + 1) % 3], corners[(k + 2) % 3]
                wings[min(a, b), max(a, b)].append(opposite)
        self._wings = wings
        self.middle = {edge: points + i for i, edge in enumerate(wings)}
        self._beside: dict[int, list[int]] = defaultdict(list)
        for (a, b), opposite in wings.items():
            if len(opposite) == 1:
                self._beside[a].append(b)
                self._beside[b].append(a)
        rows = [{i: 1.0} for i in range(points)] + [self._weights(*edge) for edge in wings]
        self.matrix = sparse.csr_matrix(
            (
                [weight for row in rows for weight in row.values()],
                [column for row in rows for column in row],
                np.concatenate([[0], np.cumsum([len(row) for row in rows])]),
            ),
            shape=(len(rows), points),
        )
        self.triangles = np.array(
            [quarter for corners in triangles.tolist() for quarter in self._quarters(*corners)], np.intp
        )

    def between(self, contour: Index | tuple[int, ...], closed: bool = False) -> Index:
        """A line of points with those between them."""
        line = [int(point) for point in contour]
        following = line[1:] + line[:1] if closed else line[1:]
        refined = []
        for a, b in zip(line, following, strict=False):
            refined += [a, self.middle[min(a, b), max(a, b)]]
        return np.array(refined if closed else [*refined, line[-1]], np.intp)

    def _quarters(self, a: int, b: int, c: int) -> list[tuple[int, int, int]]:
        ab, bc, ca = (self.middle[min(p, q), max(p, q)] for p, q in ((a, b), (b, c), (c, a)))
        return [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]

    def _weights(self, a: int, b: int) -> dict[int, float]:
        """Of the points that make the middle of an edge."""
        weights: dict[int, float] = defaultdict(float)
        weights[a] = weights[b] = 0.5
        opposite = self._wings[a, b]
        if len(opposite) == 1:
            for near, far in ((a, b), (b, a)):
                (beyond,) = (point for point in self._beside[near] if point != far)
                weights[near] += 1 / 16
                weights[beyond] -= 1 / 16
            return weights
        for wing in opposite:
            weights[wing] += 1 / 8
            for end in (a, b):
                beyond_wing = [p for p in self._wings[min(end, wing), max(end, wing)] if p not in (a, b)]
                # On a border there is none: the wing's share is then left out.
                for point in beyond_wing:
                    weights[point] -= 1 / 16
                if not beyond_wing:
                    weights[wing] -= 1 / 16
        return weights
