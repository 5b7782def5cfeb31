"""The mesh over the photograph, and where its vertices come to lie."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from listener_head.face.model import FaceModel
from listener_head.render.portrait.lids import Lashes, downwards, fitted_lids, lid_cover
from listener_head.render.portrait.motion import Change
from listener_head.render.portrait.photograph import FOCAL_PER_SIDE, Photograph
from listener_head.render.portrait.shapes import FaceShapes, before_camera
from listener_head.render.portrait.surroundings import surroundings
from listener_head.render.portrait.topology import (
    LOWER_LIDS,
    LOWER_LIPS,
    OVAL,
    POINTS,
    UPPER_LIDS,
    UPPER_LIPS,
    Index,
    Subdivision,
    face_triangles,
)

Array = NDArray[np.float64]
LIP_SHARE = (0.0, 0.35, 0.7, 1.0)  # of a correction at the inner contour that the rings outside take


class Warp:
    """All vertices before the portrait's camera: the face's, refined, those around it, two strips of lashes.

    ``rest`` [V, 3] m, ``texcoords`` [V, 2] where they lie in the photograph, ``triangles`` [T, 3] of the
    skin, ``lashes`` [L, 3] of the strips; ``lids`` [V, 2] 0..1, how far a vertex belongs to the skin of the
    right and left upper lid. ``eyes`` (right, left) and ``mouth`` are the openings in it, ``origin`` [3] m
    is the head's.
    """

    def __init__(
        self, photograph: Photograph, person: NDArray[np.bool_], shapes: FaceShapes, model: FaceModel
    ) -> None:
        fine = Subdivision(face_triangles(), POINTS)
        self.origin = photograph.fit.translation.astype(np.float64)
        self._moves = fitted_lids(shapes, model.expression_names)
        self._coarse = shapes.points
        face = fine.matrix @ shapes.points
        oval = fine.between(OVAL, closed=True)
        around = surroundings(
            photograph, person, _seen(face[oval], photograph), self.origin[2] - face[oval, 2]
        )
        outside = before_camera(around.places, self.origin[2] - around.height, photograph.centre)
        lines = [fine.between(lid) for lid in UPPER_LIDS]
        lashes = Lashes(face, lines, len(face) + len(outside))
        self.rest = np.concatenate([face, outside, lashes.rest])
        self.texcoords = _seen(self.rest, photograph)
        self.lashes = lashes.triangles
        numbers = np.concatenate([oval, len(face) + np.arange(len(outside))])
        self.triangles = np.concatenate([fine.triangles, numbers[around.triangles]]).astype(np.int32)
        self._follows = np.ones((len(self.rest), 1))
        self._follows[len(face) : len(face) + len(outside), 0] = around.follows
        carried = sparse.csr_matrix(around.of_oval) @ fine.matrix[oval]
        self._spread = sparse.vstack([fine.matrix, carried, fine.matrix[lashes.followed]]).tocsr()
        cover = np.clip(fine.matrix @ lid_cover(), 0.0, 1.0)
        self.lids = np.concatenate([cover, np.zeros((len(outside), 2)), lashes.cover])
        self._lids = [_Pair(*lids, self._coarse) for lids in zip(UPPER_LIDS, LOWER_LIDS, strict=True)]
        self._lips = _Pair(UPPER_LIPS[3], LOWER_LIPS[3], self._coarse)
        upper_lips, lower_lips = fine.between(UPPER_LIPS[3]), fine.between(LOWER_LIPS[3])
        self.eyes = [
            Opening(line, fine.between(lower), self.texcoords)
            for line, lower in zip(lines, LOWER_LIDS, strict=True)
        ]
        self.mouth = Opening(upper_lips, lower_lips, self.texcoords)

    def place(self, change: Change) -> NDArray[np.float32]:
        """The vertices [V, 3] m after a change."""
        moved = np.tensordot(change.weights, self._moves, 1)
        self._keep_apart(moved)
        skin = self.rest + self._spread @ moved
        placed = self.rigid(skin, change)
        return (skin + self._follows * (placed - skin)).astype(np.float32)

    def rigid(self, points: Array, change: Change) -> Array:
        """Points [N, 3] m fixed to the head, after a change."""
        return (points - self.origin) @ change.turn.T + self.arrival(change)

    def arrival(self, change: Change) -> Array:
        """Where the head's origin [3] m is after a change."""
        return change.distance * self.origin + change.shift

    def _keep_apart(self, moved: Array) -> None:
        """Let lids and lips meet, not cross, in the movements [468, 3]."""
        for pair in self._lids:
            crossing = pair.crossing(self._coarse + moved)
            moved[pair.upper] -= crossing
        crossing = self._lips.crossing(self._coarse + moved)
        for share, upper, lower in zip(LIP_SHARE, UPPER_LIPS, LOWER_LIPS, strict=True):
            moved[list(upper)] -= 0.5 * share * crossing
            moved[list(lower)] += 0.5 * share * crossing


class Opening:
    """A hole in the skin between two lines of vertices, both from the image's left corner to its right one.

    ``contour`` [n, 2] in the photograph, the upper line and then the lower one back, and ``triangles``
    [m, 3] that fill it.
    """

    def __init__(self, upper: Index, lower: Index, texcoords: Array) -> None:
        self.contour = texcoords[np.concatenate([upper, lower[-2:0:-1]])]
        first = np.column_stack([upper[:-1], upper[1:], lower[:-1]])
        second = np.column_stack([lower[:-1], upper[1:], lower[1:]])
        self.triangles = np.concatenate([first, second]).astype(np.int32)


class _Pair:
    """Two contours that face each other, upper and lower."""

    def __init__(self, upper: tuple[int, ...], lower: tuple[int, ...], points: Array) -> None:
        self.upper, self.lower = list(upper), list(lower)
        self.down = downwards(points[upper[0]], points[upper[-1]])

    def crossing(self, points: Array) -> Array:
        """By how much [n, 3] the upper one lies below the lower one."""
        below = (points[self.upper] - points[self.lower]) @ self.down
        return np.maximum(below, 0.0)[:, None] * self.down


def _seen(points: Array, photograph: Photograph) -> Array:
    """Where in the picture [N, 2] points [N, 3] of the optical frame are seen."""
    return photograph.centre + FOCAL_PER_SIDE * points[:, :2] / points[:, 2:]
