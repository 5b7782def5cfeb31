"""The listener's expression, turn of the head and identity from a picture of a face."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from listener_head.coefficients import Coefficients
from listener_head.errors import UserError
from listener_head.face import FaceFitter, FaceTracker, load_face_model
from listener_head.face.geometry import rotation_angles, rotation_matrix

FACE_MODEL = "arkit52"
LARGEST_SIDE = 1920  # px; a larger picture is made smaller: no more is seen in it
SMALLEST_FACE = 32  # px; from smaller ones expressions are guesses
LEAST_CONFIDENCE = 0.3  # of the fit (`FaceFitter`): a profile or a hand before the face has less

_FIX = "give a picture of one face, seen from the front"


def fit_portrait(path: Path) -> Coefficients:
    """Coefficients (arkit52) of the one face in a picture.

    A single fit: to fit the same picture again and again would take its expression for the face at rest. The
    camera is not known, so the rotation is the one about the line of sight: as the face looks, wherever in
    the picture it is. Translation is right up to the focal length (the fitter's assumption) and of no use.

    UserError in one line when the file is no picture, or shows no face, several, or one too small or too much
    hidden or turned away.
    """
    image = _read(path)
    tracker = FaceTracker()
    try:
        landmarks = tracker.track(image)
        faces, reason = tracker.faces, tracker.reason
    finally:
        tracker.close()
    if len(faces) > 1:
        raise UserError(f"reference '{path}' shows {len(faces)} faces; crop the picture to one of them")
    if landmarks is None:
        raise UserError(f"reference '{path}': {reason}; {_FIX}")
    side = float(np.ptp(landmarks.points, axis=0).max())
    if side < SMALLEST_FACE:
        small = f"is {side:.0f} pixels in size, {SMALLEST_FACE} are needed"
        raise UserError(f"the face in reference '{path}' {small}; give a larger picture")
    fit = FaceFitter(load_face_model(FACE_MODEL)).fit(landmarks)
    if not fit.valid:
        raise UserError(f"reference '{path}': {fit.reason}; {_FIX}")
    if fit.confidence < LEAST_CONFIDENCE:
        seen = f"is seen with confidence {fit.confidence:.2f} of 1, {LEAST_CONFIDENCE} is needed"
        raise UserError(f"the face in reference '{path}' {seen}; {_FIX}")
    fit.rotation = _about_line_of_sight(fit)
    return fit


def _read(path: Path) -> NDArray[np.uint8]:
    """The picture uint8 [H, W, 3] in BGR, upright as its EXIF data say."""
    try:
        with Image.open(path) as picture:
            picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except Exception as problem:  # of a damaged file Pillow may make anything
        reason = getattr(problem, "strerror", None) or "no picture, or a damaged one"
        raise UserError(f"reference '{path}' cannot be read ({reason}); {_FIX}") from None
    return np.ascontiguousarray(np.asarray(upright)[..., ::-1])


def _about_line_of_sight(fit: Coefficients) -> NDArray[np.float32]:
    """The rotation [3] that a camera would see which looks straight at the head."""
    x, y, z = (fit.translation / np.linalg.norm(fit.translation)).tolist()
    # The smallest turn that takes the direction (x, y, z) to (0, 0, 1), by Rodrigues' formula.
    axis = np.array([[0, 0, -x], [0, 0, -y], [x, y, 0]])
    turn = np.eye(3) + axis + axis @ axis / (1 + z)
    return rotation_angles(turn @ rotation_matrix(fit.rotation)).astype(np.float32)
