"""The morphable face model: a mesh that identity and expression coefficients deform linearly.

``arkit52``, the model that ships, is made by ``python -m listener_head.face.arkit52``; the Basel Face
Model 2009 is read from the user's own file (``listener_head.face.bfm2009``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from listener_head.coefficients import Layout, layout_of
from listener_head.errors import UserError

FloatArray = NDArray[np.float32]

ARKIT52_PATH = Path(__file__).parents[1] / "assets" / "arkit52.npz"

# What a vertex belongs to; FaceModel.part holds positions in this tuple.
PARTS = ("skin", "hair", "eye", "lash", "mouth", "teeth", "tongue", "ear", "cloth")


@dataclass(frozen=True)
class FaceModel:
    """A linear face model of N vertices in metres; x to the subject's left, y up, z out of the face.

    The origin is the point that the head's translation places and its rotation turns about: between the
    ears for arkit52, the mean of all vertices for bfm2009. Expression weights run from 0 to 1 for arkit52,
    and are standard deviations of either sign for bfm2009.
    """

    name: str
    layout: Layout
    identity_names: tuple[str, ...]
    mean: FloatArray  # [N, 3] m
    identity_basis: FloatArray  # [I, N, 3] m per standard deviation
    expression_basis: FloatArray  # [E, N, 3] m per unit of weight
    triangles: NDArray[np.int32]  # [M, 3], counter-clockwise seen from outside
    landmarks: NDArray[np.int32]  # [68] vertices in iBUG order
    part: NDArray[np.uint8]  # [N] position in PARTS
    head_weight: FloatArray  # [N] 1 moves with the head, 0 stays with the shoulders, between on the neck
    colours: FloatArray  # [N, 3] sRGB 0..1, of vertices without texture
    colour_basis: FloatArray  # [T, N, 3] sRGB 0..1 per standard deviation; T = 0 where colours are fixed
    texture: NDArray[np.uint8]  # [H, W, 3] sRGB of the skin; row 0 is v = 0
    texcoords: FloatArray  # [N, 2] u, v in the texture; negative where ``colours`` counts
    occlusion: FloatArray  # [N] 0..1, the share of ambient light that reaches the vertex

    @property
    def expression_names(self) -> tuple[str, ...]:
        """Names of the expression shapes, in the order of ``expression_basis``."""
        return self.layout.expression_names

    def mesh(self, identity: ArrayLike = (), expression: ArrayLike = ()) -> FloatArray:
        """Vertices [N, 3] in metres for identity [I] and expression [E]; an empty one means zeros."""
        vertices = self.mean.reshape(-1).copy()
        for values, basis, what in (
            (identity, self.identity_basis, "identity"),
            (expression, self.expression_basis, "expression"),
        ):
            weights = self._weights(values, len(basis), what)
            if weights.any():
                vertices += weights @ basis.reshape(len(basis), -1)
        return vertices.reshape(-1, 3)

    def landmark_points(self, identity: ArrayLike = (), expression: ArrayLike = ()) -> FloatArray:
        """The 68 landmarks [68, 3] in metres, as ``mesh(...)[landmarks]`` but without the other vertices."""
        identity = self._weights(identity, len(self.identity_basis), "identity")
        expression = self._weights(expression, len(self.expression_basis), "expression")
        points = self.mean[self.landmarks].astype(np.float32)
        points += np.tensordot(identity, self.identity_basis[:, self.landmarks], 1)
        points += np.tensordot(expression, self.expression_basis[:, self.landmarks], 1)
        return points

    def _weights(self, values: ArrayLike, size: int, what: str) -> FloatArray:
        weights = np.asarray(values, np.float32)
        if weights.size == 0:
            return np.zeros(size, np.float32)
        if weights.shape != (size,):
            raise UserError(f"{what} has shape {weights.shape}; face model {self.name} needs ({size},)")
        return weights


def load_face_model(name: str | Path = "arkit52") -> FaceModel:
    """``arkit52``, or the Basel Face Model 2009 of a ``BFM_model_front.mat`` given by its path.

    Each is read once per process; its arrays are read-only. Raises UserError for a model that does not
    exist and for a damaged file.
    """
    return _load(str(name))


@cache
def _load(name: str) -> FaceModel:
    if name == "arkit52":
        return _load_arkit52()
    path = Path(name).expanduser()
    if path.suffix.lower() == ".mat":
        from listener_head.face.bfm2009 import load_bfm2009  # it builds on this module

        return load_bfm2009(path)
    raise UserError(
        f"face model '{name}' is not supported; use 'arkit52' or the path of your BFM_model_front.mat"
    )


def _load_arkit52() -> FaceModel:
    try:
        with np.load(ARKIT52_PATH) as archive:
            arrays = {key: archive[key] for key in archive.files}
        return from_arrays(arrays)
    except (OSError, KeyError, ValueError) as error:
        raise UserError(
            f"face model file {ARKIT52_PATH} cannot be read ({error}); "
            "make it again with: python -m listener_head.face.arkit52"
        ) from error


def from_arrays(arrays: dict[str, NDArray]) -> FaceModel:
    """The arkit52 model of the arrays in its file; KeyError where one is missing.

    Expression shapes move few vertices each, so the file holds only those: ``expression_rows``
    (shape x N + vertex) and ``expression_deltas``.
    """
    layout = layout_of("arkit52")
    mean = arrays["mean"]
    expression = np.zeros((len(layout.expression_names) * len(mean), 3), np.float32)
    expression[arrays["expression_rows"]] = arrays["expression_deltas"]
    fields = dict(
        mean=mean,
        identity_basis=arrays["identity_basis"],
        expression_basis=expression.reshape(-1, len(mean), 3),
        triangles=arrays["triangles"],
        landmarks=arrays["landmarks"],
        part=arrays["part"],
        head_weight=arrays["head_weight"],
        colours=arrays["colours"],
        colour_basis=np.zeros((0, len(mean), 3), np.float32),
        texture=arrays["texture"],
        texcoords=arrays["texcoords"],
        occlusion=arrays["occlusion"],
    )
    for array in fields.values():
        array.flags.writeable = False
    names = tuple(str(name) for name in arrays["identity_names"])
    return FaceModel(name="arkit52", layout=layout, identity_names=names, **fields)
