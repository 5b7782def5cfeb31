"""Which points of FaceMesh are which points of a face model.

That of arkit52 is made by showing the rendered model to the tracker:
``python -m listener_head.face.make_correspondence``, again whenever the model or its looks change.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from listener_head.errors import UserError
from listener_head.face.model import FaceModel

CORRESPONDENCE_PATH = Path(__file__).parents[1] / "assets" / "arkit52_mediapipe.npz"

# FaceMesh points by what they lie on (its topology is fixed); Right and Left are the person's own.
EYES = (
    (33, 163, 144, 145, 153, 154, 133, 161, 160, 159, 158, 157),
    (263, 390, 373, 374, 380, 381, 362, 388, 387, 386, 385, 384),
)
LIPS = (
    (61, 146, 91, 84, 17, 314, 321, 375, 291, 185, 40, 37, 0, 267, 270, 409),
    (78, 88, 178, 87, 14, 317, 402, 318, 308, 80, 81, 82, 13, 312, 311, 310),
)
_BROWS = ((70, 63, 105, 66, 107, 53, 65), (300, 293, 334, 296, 336, 283, 295))
_NOSE = (1, 2, 4, 6, 168, 195, 98, 327, 64, 294, 129, 358)
_CHEEKS = (50, 280, 205, 425, 187, 411, 101, 330)
_CHIN = (152, 148, 377, 176, 400, 199)
_FOREHEAD = (10, 9, 8, 151, 67, 297)
_SIDES = (127, 356, 234, 454, 132, 361, 58, 288)
IRISES = (468, 473)
USED = (*EYES[0], *EYES[1], *LIPS[0], *LIPS[1], *_BROWS[0], *_BROWS[1], *_NOSE, *_CHEEKS, *_CHIN,
        *_FOREHEAD, *_SIDES, *IRISES)  # fmt: skip

# Upper and lower points of one opening: FaceMesh shows jaw and blink here or nowhere.
LID_GAPS = (
    (159, 145), (158, 153), (160, 144), (157, 154), (161, 163),
    (386, 374), (385, 380), (387, 373), (384, 381), (388, 390),
)  # fmt: skip
LIP_GAPS = ((13, 14), (82, 87), (312, 317), (81, 178), (311, 402))


@dataclass(frozen=True)
class Correspondence:
    """L landmarks on a model's surface and G gaps between them.

    A landmark is at ``mesh[vertex] + offset + expression @ expression_error + w @ error_modes`` with
    w ~ N(0, 1), seen with standard deviation ``sigma``: the tracker errs smoothly, many points
    together, and a fit that knows how does not take it for a nod.
    """

    landmark: NDArray[np.int32]  # [L] index in FaceMesh's 478
    vertex: NDArray[np.int32]  # [L]
    offset: NDArray[np.float32]  # [L, 3] m, model frame
    normal: NDArray[np.float32]  # [L, 3] unit, model frame
    expression_error: NDArray[np.float32]  # [E, L, 3] m, what the tracker makes of a shape beyond the vertex
    error_modes: NDArray[np.float32]  # [K, L, 3] m, model frame
    sigma: NDArray[np.float32]  # [L] m, what remains
    gaps: NDArray[np.int32]  # [G, 2] positions in ``landmark``, upper and lower
    gap_sigma: NDArray[np.float32]  # [G] m
    mesh_checksum: NDArray[np.uint32]  # of the model that it was made for

    def gaps_of(self, points: tuple[int, ...]) -> NDArray[np.intp]:
        """The gaps [2, n] whose upper point is one of these of FaceMesh: upper and lower positions."""
        return self.gaps[np.isin(self.landmark[self.gaps[:, 0]], points)].T.astype(np.intp)


def landmark_shapes(
    model: FaceModel, correspondence: Correspondence
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Mean [L, 3], identity [I, L, 3] and expression [E, L, 3] of the landmarks, as the tracker sees them."""
    vertex = correspondence.vertex
    mean = model.mean[vertex].astype(np.float64) + correspondence.offset
    identity = model.identity_basis[:, vertex].astype(np.float64)
    expression = model.expression_basis[:, vertex].astype(np.float64) + correspondence.expression_error
    return mean, identity, expression


def mesh_checksum(model: FaceModel) -> NDArray[np.uint32]:
    """Checksum of the mean mesh: landmarks are given by its vertices."""
    return np.array(zlib.crc32(np.ascontiguousarray(model.mean).tobytes()), np.uint32)


def save_correspondence(correspondence: Correspondence, path: Path) -> None:
    """Write the asset that ``load_correspondence`` reads."""
    np.savez_compressed(path, **vars(correspondence))


def load_correspondence(model: FaceModel) -> Correspondence:
    """The correspondence that ships for arkit52; UserError when it is not for this mesh or unreadable."""
    remedy = "make it again with: python -m listener_head.face.make_correspondence"
    try:
        with np.load(CORRESPONDENCE_PATH) as archive:
            correspondence = Correspondence(**{name: archive[name] for name in archive.files})
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{CORRESPONDENCE_PATH} cannot be read ({error}); {remedy}") from error
    if correspondence.mesh_checksum != mesh_checksum(model):
        raise UserError(f"{CORRESPONDENCE_PATH} is not for the mesh that {model.name} has now; {remedy}")
    return correspondence
