"""The Basel Face Model 2009 as Deep3DFaceReconstruction cuts and scales it: ``BFM_model_front.mat``.

Users make that file from the Basel Face Model's own under its licence; it does not ship. A MATLAB 5
file of 3 N rows (x, y, z of vertex 0, of vertex 1, ...; N = 35709 in the original), of which are read:

==============  ===========  =============================================================
``meanshape``   1 x 3 N      decimetres; x to the image's right, y up, z towards the camera
``idBase``      3 N x 80     decimetres per standard deviation
``exBase``      3 N x 64     decimetres per standard deviation
``meantex``     1 x 3 N      sRGB, 0 to 255
``texBase``     3 N x 80     sRGB, 0 to 255, per standard deviation
``tri``         M x 3        vertices of triangles, from one
``keypoints``   1 x 68       vertices of the landmarks in iBUG order, from one
==============  ===========  =============================================================
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from listener_head.coefficients import layout_of
from listener_head.errors import UserError
from listener_head.face.model import PARTS, FaceModel

FloatArray = NDArray[np.float32]

DECIMETRE = np.float32(0.1)
IDENTITIES, TEXTURES, LANDMARKS = 80, 80, 68
# Between the outer corners of an adult's eyes; another figure tells of other units or axes [m].
EYE_CORNERS = (0.05, 0.15)


def load_bfm2009(path: Path) -> FaceModel:
    """The model in a ``BFM_model_front.mat``, in metres, its origin at the mean of its vertices.

    Raises UserError for a file that is missing, of another format or damaged; the text names the key,
    what was found and what it should be.
    """
    mean = _points(path, "meanshape") * DECIMETRE
    mean -= mean.mean(axis=0, dtype=np.float64).astype(np.float32)
    n, layout = len(mean), layout_of("bfm2009")
    landmarks = _vertices(path, "keypoints", n)
    if landmarks.size != LANDMARKS:
        raise _wrong_shape(path, "keypoints", landmarks.shape, f"(1, {LANDMARKS})")
    landmarks = landmarks.ravel()
    _check_scale(path, mean[landmarks])
    fields = dict(
        mean=mean,
        identity_basis=_basis(path, "idBase", n, IDENTITIES) * DECIMETRE,
        expression_basis=_basis(path, "exBase", n, len(layout.expression_names)) * DECIMETRE,
        triangles=_triangles(path, mean),
        landmarks=landmarks,
        part=np.full(n, PARTS.index("skin"), np.uint8),
        head_weight=np.ones(n, np.float32),
        colours=np.clip(_points(path, "meantex", n) / np.float32(255), 0, 1),
        colour_basis=_basis(path, "texBase", n, TEXTURES) / np.float32(255),
        texture=np.full((1, 1, 3), 255, np.uint8),
        texcoords=np.full((n, 2), -1, np.float32),
        occlusion=np.ones(n, np.float32),
    )
    for array in fields.values():
        array.flags.writeable = False
    names = tuple(f"id_{i:02d}" for i in range(IDENTITIES))
    return FaceModel(name="bfm2009", layout=layout, identity_names=names, **fields)


def _read(path: Path, key: str) -> NDArray:
    """One variable of the file, alone: all together they would fill 200 MB as doubles."""
    remedy = "give the BFM_model_front.mat that Deep3DFaceReconstruction makes"
    if not path.exists():
        raise UserError(f"face model file {path} does not exist; {remedy}")
    try:
        content = loadmat(path, variable_names=[key], appendmat=False)
    except NotImplementedError as error:
        raise UserError(
            f"face model file {path} is of MATLAB 7.3 (HDF5); save it again as MATLAB 5: save(..., '-v7')"
        ) from error
    # scipy's reader lets whatever a damaged file makes of it escape.
    except Exception as error:
        why = " ".join(str(error).split())
        raise UserError(f"face model file {path} cannot be read as MATLAB 5 ({why}); {remedy}") from error
    if key not in content:
        raise UserError(f"face model file {path} has no '{key}'; {remedy}")
    return np.asarray(content[key])


def _numbers(path: Path, key: str, values: NDArray) -> FloatArray:
    if values.dtype.kind not in "fiu":
        raise UserError(
            f"'{key}' of face model file {path} holds {values.dtype}, not real numbers; make it again"
        )
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    if not np.isfinite(values).all():
        raise UserError(f"'{key}' of face model file {path} holds numbers that are not finite; make it again")
    return values


def _points(path: Path, key: str, count: int | None = None) -> FloatArray:
    """A row of ``count`` (None: any number of) times three numbers, as [count, 3]."""
    values = _read(path, key)
    needed = "(1, 3 N)" if count is None else f"(1, {3 * count})"
    is_row = 0 < values.size == max(values.shape)
    if not is_row or values.size % 3 or (count is not None and values.size != 3 * count):
        raise _wrong_shape(path, key, values.shape, needed)
    return _numbers(path, key, values).reshape(-1, 3)


def _basis(path: Path, key: str, count: int, modes: int) -> FloatArray:
    """Modes [modes, count, 3] of a matrix [3 count, modes]."""
    values = _read(path, key)
    if values.shape != (3 * count, modes):
        raise _wrong_shape(path, key, values.shape, f"({3 * count}, {modes})")
    return np.ascontiguousarray(_numbers(path, key, values).T).reshape(modes, count, 3)


def _vertices(path: Path, key: str, count: int) -> NDArray[np.int32]:
    """An array of vertex numbers, from zero; the file counts from one."""
    values = _read(path, key)
    if values.dtype.kind not in "fiu" or not np.isfinite(values).all() or (values != np.round(values)).any():
        raise UserError(
            f"'{key}' of face model file {path} holds something else than whole numbers; make it again"
        )
    if values.size and (values.min() < 1 or values.max() > count):
        raise UserError(
            f"'{key}' of face model file {path} names vertices {values.min():.0f} to {values.max():.0f}; "
            f"meanshape has 1 to {count}"
        )
    return values.astype(np.int32) - np.int32(1)


def _triangles(path: Path, mean: FloatArray) -> NDArray[np.int32]:
    """Triangles [M, 3], counter-clockwise seen from the front whichever way the file has them."""
    triangles = _vertices(path, "tri", len(mean))
    if triangles.ndim != 2 or triangles.shape[1] != 3 or not len(triangles):
        raise _wrong_shape(path, "tri", triangles.shape, "(M, 3)")
    a, b, c = mean[triangles[:, 0]], mean[triangles[:, 1]], mean[triangles[:, 2]]
    front = np.cross(b - a, c - a)[:, 2].sum()
    return np.ascontiguousarray(triangles if front > 0 else triangles[:, ::-1])


def _check_scale(path: Path, landmarks: FloatArray) -> None:
    width = float(landmarks[45, 0] - landmarks[36, 0])
    low, high = EYE_CORNERS
    if not low < width < high:
        raise UserError(
            f"'meanshape' of face model file {path} has the outer corners of the eyes (keypoints 37 and 46) "
            f"{width:.3g} m apart along x; {low} to {high} m are needed: check that it is in decimetres"
        )


def _wrong_shape(path: Path, key: str, found: tuple[int, ...], needed: str) -> UserError:
    return UserError(f"'{key}' of face model file {path} has shape {found}; it needs {needed}")
