"""The five standard landmarks that crops are aligned to, from a file of the user's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from listener_head.errors import UserError
from listener_head.face.deep3d.published import DECIMETRE, five_of_68
from listener_head.face.model import load_face_model

Array = NDArray[np.float64]

EYE_DISTANCE = (0.5, 0.8)  # dm between the centres of an adult's eyes; another figure tells of other units
_REMEDY = "give Deep3DFaceReconstruction's similarity_Lm3D_all.mat or your BFM_model_front.mat"


def load_standard_landmarks(path: Path) -> Array:
    """Right eye, left eye, nose tip, right and left corner of the mouth [5, 3] of the standard face,
    decimetres.

    From ``similarity_Lm3D_all.mat`` (``lm``, 68 x 3), which the published network was trained with, or else
    from the mean face and the 68 keypoints of a ``BFM_model_front.mat``. x to the image's right, y up, z
    towards the camera. Raises UserError for a file that is missing, of another kind, or of a face in other
    units or axes.
    """
    five = five_of_68(_landmarks68(path))
    _check(path, five)
    return five


def _landmarks68(path: Path) -> Array:
    content = _read(path)
    if "keypoints" in content:
        return load_face_model(path).landmark_points().astype(np.float64) / DECIMETRE
    if "lm" not in content:
        raise UserError(f"landmark file '{path}' has neither 'lm' nor 'keypoints'; {_REMEDY}")
    points = np.asarray(content["lm"])
    if points.shape != (68, 3) or points.dtype.kind not in "fiu" or not np.isfinite(points).all():
        raise UserError(
            f"'lm' of landmark file '{path}' has shape {points.shape} and type {points.dtype}; "
            f"68 x 3 finite numbers are needed: {_REMEDY}"
        )
    return points.astype(np.float64)


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise UserError(f"landmark file '{path}' does not exist; {_REMEDY}")
    try:
        return loadmat(path, variable_names=["lm", "keypoints"], appendmat=False)
    # scipy's reader lets whatever a damaged file makes of it escape.
    except Exception as error:
        why = " ".join(str(error).split())
        raise UserError(f"landmark file '{path}' cannot be read as MATLAB 5 ({why}); {_REMEDY}") from None


def _check(path: Path, five: Array) -> None:
    right_eye, left_eye, nose, *mouth = five
    distance = left_eye[0] - right_eye[0]
    low, high = EYE_DISTANCE
    if not low < distance < high:
        raise UserError(
            f"landmark file '{path}' has the eyes {distance:.3g} apart along x; {low} to {high} "
            f"decimetres are needed: {_REMEDY}"
        )
    eyes_y, eyes_z = (right_eye + left_eye)[1:] / 2
    mouth_y = np.mean(mouth, axis=0)[1]
    if not (mouth_y < nose[1] < eyes_y and nose[2] > eyes_z):
        raise UserError(
            f"landmark file '{path}' has no face with y up and z out of it: eyes at y {eyes_y:.3g}, "
            f"z {eyes_z:.3g}, nose at y {nose[1]:.3g}, z {nose[2]:.3g}, mouth at y {mouth_y:.3g}; {_REMEDY}"
        )
