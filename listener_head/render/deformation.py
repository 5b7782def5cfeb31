"""Positions and normals of the mesh for identity and expression, quickly.

Only the vertices that some expression moves are computed anew for each picture; the others change
with the identity alone.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from listener_head.errors import UserError
from listener_head.face.model import FaceModel

FloatArray = NDArray[np.float32]

LARGEST_MODE = 5.0  # standard deviations of a face


class Deformation:
    """Deforms one face model. Vertices come in ``order``, those that move with expressions first."""

    def __init__(self, model: FaceModel) -> None:
        self._model = model
        moving = np.abs(model.expression_basis).max(axis=(0, 2)) > 0
        self.order = np.concatenate([np.flatnonzero(moving), np.flatnonzero(~moving)])
        rank = np.empty_like(self.order)
        rank[self.order] = np.arange(len(self.order))
        self.triangles = rank[model.triangles].astype(np.int32)
        self.moving = int(moving.sum())
        basis = model.expression_basis[:, self.order[: self.moving]]
        self._basis = np.ascontiguousarray(basis.reshape(len(basis), -1))
        touching = self.triangles[(self.triangles < self.moving).any(axis=1)]
        self._corners = np.ascontiguousarray(touching.T)
        self._gather = _corner_matrix(touching, len(self.order))[: self.moving].tocsr()
        self._gather_all = _corner_matrix(self.triangles, len(self.order))
        self._identity: bytes | None = None
        self._rest: FloatArray = np.zeros((len(self.order), 3), np.float32)
        self._out: FloatArray = np.zeros((len(self.order), 6), np.float32)

    def apply(self, identity: FloatArray, expression: FloatArray) -> FloatArray:
        """Positions [m] and unit normals [N, 6] in ``order``; the array is reused by the next call.

        ``identity`` [I] or empty; ``expression`` [E]: weights of shapes, held to 0..1, or standard deviations
        as those of the identity, held to +-5. UserError for other shapes.
        """
        self._set_identity(identity)
        lowest, highest = (0.0, 1.0) if self._model.name == "arkit52" else (-LARGEST_MODE, LARGEST_MODE)
        weights = np.clip(np.asarray(expression, np.float32), lowest, highest)
        if weights.shape != (len(self._basis),):
            needed = (len(self._basis),)
            raise UserError(f"expression has shape {weights.shape}; the face model needs {needed}")
        if self._model.name == "arkit52":
            self._keep_plausible(weights)
        points = self._rest.copy()
        points[: self.moving] += (weights @ self._basis).reshape(-1, 3)
        self._out[: self.moving, :3] = points[: self.moving]
        self._out[: self.moving, 3:] = _unit(self._gather @ _face_normals(points, self._corners))
        return self._out

    def _keep_plausible(self, weights: FloatArray) -> None:
        """Hold shapes back that would turn the mesh inside out together with others, or without them."""
        at = self._model.expression_names.index
        # Lips can close no further than the jaw is open, nor lids further than shut.
        weights[at("mouthClose")] = min(weights[at("mouthClose")], weights[at("jawOpen")])
        for side in ("Left", "Right"):
            squint, blink = at("eyeSquint" + side), at("eyeBlink" + side)
            weights[squint] = min(weights[squint], 1.0 - weights[blink])

    def _set_identity(self, identity: FloatArray) -> None:
        identity = np.clip(np.asarray(identity, np.float32), -LARGEST_MODE, LARGEST_MODE)
        key = identity.tobytes()
        if key == self._identity:
            return
        self._rest = self._model.mesh(identity)[self.order]
        self._out[:, :3] = self._rest
        self._out[:, 3:] = _unit(self._gather_all @ _face_normals(self._rest, self.triangles.T))
        self._identity = key


def _corner_matrix(triangles: NDArray[np.int32], vertices: int) -> sparse.csr_matrix:
    """Sums triangles' values [M, ...] to vertices [N, ...]."""
    columns = np.repeat(np.arange(len(triangles)), 3)
    ones = np.ones(len(columns), np.float32)
    return sparse.csr_matrix((ones, (triangles.ravel(), columns)), shape=(vertices, len(triangles)))


def _face_normals(points: FloatArray, corners: NDArray[np.int32]) -> FloatArray:
    """Normals [M, 3] of triangles given as corners [3, M], twice their area long."""
    a, b, c = points[corners[0]], points[corners[1]], points[corners[2]]
    b -= a
    c -= a
    normals = np.empty_like(a)
    normals[:, 0] = b[:, 1] * c[:, 2] - b[:, 2] * c[:, 1]
    normals[:, 1] = b[:, 2] * c[:, 0] - b[:, 0] * c[:, 2]
    normals[:, 2] = b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0]
    return normals


def _unit(vectors: FloatArray) -> FloatArray:
    length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    return vectors / np.maximum(length, 1e-12)[:, None]
