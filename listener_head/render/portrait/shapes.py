"""How each of FaceMesh's points moves with the 52 expression shapes, and how deep it lies.

The face model's skin is laid under the photograph: a thin-plate spline takes the photograph's landmarks to
those of the model, and every point takes depth and movement of the skin that it comes to lie on. Lips and
lids, where the skin ends, take those of the model's own landmarks there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator, RBFInterpolator

from listener_head.face.correspondence import IRISES, Correspondence, load_correspondence
from listener_head.face.geometry import OPTICAL_FROM_MODEL, rotation_matrix, to_optical, vertex_normals
from listener_head.face.model import PARTS, FaceModel
from listener_head.render.portrait.photograph import FOCAL_PER_SIDE, Photograph
from listener_head.render.portrait.topology import LOWER_LIDS, LOWER_LIPS, POINTS, UPPER_LIDS, UPPER_LIPS

Array = NDArray[np.float64]

FACING = 0.15  # least z of the normals of skin that counts: what turns away more lies behind
FOREMOST_Z = 0.0  # m; the back of the head lies behind


@dataclass(frozen=True)
class FaceShapes:
    """FaceMesh's points before the portrait's camera (optical frame, metres).

    ``points`` [468, 3] project onto the photograph's landmarks; ``moves`` [E, 468, 3] per unit of weight.
    """

    points: Array
    moves: Array


def face_shapes(photograph: Photograph, model: FaceModel) -> FaceShapes:
    """Depth and movement of the photographed face."""
    fit, correspondence = photograph.fit, load_correspondence(model)
    seen = photograph.points[:POINTS]
    still = model.mesh(fit.identity).astype(np.float64)
    posed = model.mesh(fit.identity, fit.expression).astype(np.float64)
    skin = _front(model, still)
    on_model = _to_model(photograph, still, correspondence)(seen)
    values = np.concatenate([posed[None], model.expression_basis])[:, skin]  # [1 + E, n, 3]
    columns = values.transpose(1, 0, 2).reshape(len(skin), -1)
    found = LinearNDInterpolator(still[skin, :2], columns)(on_model)
    nearest = NearestNDInterpolator(still[skin, :2], columns)(on_model)
    found = np.where(np.isnan(found), nearest, found)
    lying = found.reshape(POINTS, 1 + len(model.expression_basis), 3).transpose(1, 0, 2)
    _set_edges(lying, posed, model, correspondence)
    depth = to_optical(lying[0], fit.rotation, fit.translation)[:, 2]
    turn = rotation_matrix(fit.rotation) @ OPTICAL_FROM_MODEL
    return FaceShapes(before_camera(seen, depth, photograph.centre), lying[1:] @ turn.T)


def before_camera(places: Array, depth: Array, centre: Array) -> Array:
    """Points [N, 3] m of the optical frame that the camera sees at ``places`` [N, 2] in this depth [N] m."""
    return np.column_stack([(places - centre) / FOCAL_PER_SIDE, np.ones(len(places))]) * depth[:, None]


def _front(model: FaceModel, vertices: Array) -> NDArray[np.intp]:
    """The skin that a camera before the face sees."""
    normals = vertex_normals(vertices, model.triangles)
    skin = model.part == PARTS.index("skin")
    return np.flatnonzero(skin & (normals[:, 2] > FACING) & (vertices[:, 2] > FOREMOST_Z))


def _to_model(photograph: Photograph, still: Array, correspondence: Correspondence) -> RBFInterpolator:
    """From places in the photograph to x and y [m] on the model's still face."""
    used = ~np.isin(correspondence.landmark, IRISES)
    landmark, vertex = correspondence.landmark[used], correspondence.vertex[used]
    targets = still[vertex, :2] + correspondence.offset[used, :2]
    return RBFInterpolator(photograph.points[landmark], targets, kernel="thin_plate_spline", smoothing=1e-4)


def _set_edges(lying: Array, posed: Array, model: FaceModel, correspondence: Correspondence) -> None:
    """Give the contours of lips and lids the place and movement of the model's own, in ``lying``."""
    vertex_of = dict(zip(correspondence.landmark.tolist(), correspondence.vertex.tolist(), strict=True))
    borders = (UPPER_LIPS[0], LOWER_LIPS[0], UPPER_LIPS[3], LOWER_LIPS[3])
    for contour in (*UPPER_LIDS, *LOWER_LIDS, *borders):
        known = [point in vertex_of for point in contour]
        vertices = [vertex_of[point] for point in contour if point in vertex_of]
        values = np.concatenate([posed[None, vertices], model.expression_basis[:, vertices]])
        order = np.arange(len(contour))
        for at, point in enumerate(contour):
            before = np.interp(at, order[known], np.arange(len(vertices)))
            low, share = int(before), before - int(before)
            high = min(low + 1, len(vertices) - 1)
            lying[:, point] = (1.0 - share) * values[:, low] + share * values[:, high]
    for lips in (UPPER_LIPS, LOWER_LIPS):
        outer, inner = lying[:, lips[0]], lying[:, lips[3]]
        for ring in (1, 2):
            lying[:, lips[ring]] = outer + (inner - outer) * (ring / 3.0)
