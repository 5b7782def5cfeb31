"""The listener's expression, turn of the head and identity from a picture of a face."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import Coefficients
from listener_head.face import FaceFitter, load_face_model
from listener_head.face.geometry import rotation_angles, rotation_matrix
from listener_head.face.portrait import check_fit, read_portrait

FACE_MODEL = "arkit52"
SMALLEST_FACE = 32  # px; from smaller ones expressions are guesses


def fit_portrait(path: Path) -> Coefficients:
    """Coefficients (arkit52) of the one face in a picture.

    A single fit: to fit the same picture again and again would take its expression for the face at rest. The
    camera is not known, so the rotation is the one about the line of sight: as the face looks, wherever in
    the picture it is. Translation is right up to the focal length (the fitter's assumption) and of no use.

    UserError in one line when the file is no picture, or shows no face, several, or one too small or too much
    hidden or turned away.
    """
    portrait = read_portrait(path, SMALLEST_FACE, "reference")
    fit = FaceFitter(load_face_model(FACE_MODEL)).fit(portrait.landmarks)
    check_fit(fit, portrait.name)
    fit.rotation = _about_line_of_sight(fit)
    return fit


def _about_line_of_sight(fit: Coefficients) -> NDArray[np.float32]:
    """The rotation [3] that a camera would see which looks straight at the head."""
    x, y, z = (fit.translation / np.linalg.norm(fit.translation)).tolist()
    # The smallest turn that takes the direction (x, y, z) to (0, 0, 1), by Rodrigues' formula.
    axis = np.array([[0, 0, -x], [0, 0, -y], [x, y, 0]])
    turn = np.eye(3) + axis + axis @ axis / (1 + z)
    return rotation_angles(turn @ rotation_matrix(fit.rotation)).astype(np.float32)
