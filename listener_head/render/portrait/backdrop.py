"""The person cut out of the photograph, and what may be behind."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, label

from listener_head.face.networks import quiet_stderr
from listener_head.render.portrait.photograph import Photograph
from listener_head.render.portrait.topology import OVAL

Array = NDArray[np.float64]
Picture = NDArray[np.uint8]

PERSON = 0.4  # of the segmentation's probability
# Shares of the side: so far around the person all that was photographed comes along, and fades out.
WHOLE, FADED = 0.007, 0.020
SMOOTHED = 0.005  # share of the side: the segmentation's outline is of steps
FILLED_SIDE = 160  # px, in which the background is carried on behind the person


def person_in(photograph: Photograph) -> NDArray[np.bool_]:
    """Which pixels [S, S] show the person, by MediaPipe's selfie segmentation; the face always does."""
    with quiet_stderr():
        from mediapipe.python.solutions.selfie_segmentation import SelfieSegmentation

        with SelfieSegmentation(model_selection=0) as segmentation:
            likely = segmentation.process(photograph.pixels).segmentation_mask
    side = len(photograph.pixels)
    face = np.zeros((side, side), np.uint8)
    cv2.fillPoly(face, [np.round(photograph.points[list(OVAL)] * side).astype(np.int32)], [1])
    likely = cv2.GaussianBlur(likely, (0, 0), SMOOTHED * side)
    parts, _ = label((likely > PERSON) | (face > 0))
    row, column = np.clip(photograph.centre[::-1] * side, 0, side - 1).astype(int)
    return np.asarray(parts == parts[row, column])


def cut_out(photograph: Photograph, person: NDArray[np.bool_]) -> tuple[Picture, Picture]:
    """The photograph with opacity [S, S, 4], and the background [S, S, 3] carried on behind the person.

    One over the other they are the photograph.
    """
    side = len(photograph.pixels)
    away = np.asarray(distance_transform_edt(~person), np.float64) / side
    opacity = np.clip((FADED - away) / (FADED - WHOLE), 0.0, 1.0)
    opacity = opacity * opacity * (3.0 - 2.0 * opacity)
    filled = _filled(photograph.pixels, away < 1.5 * WHOLE)
    behind = np.where((away < WHOLE)[..., None], filled, photograph.pixels)
    return np.dstack([photograph.pixels, np.round(255 * opacity).astype(np.uint8)]), behind


def _filled(pixels: Picture, hidden: NDArray[np.bool_]) -> Picture:
    """The picture with what is hidden filled from around, smoothly."""
    side = len(pixels)
    small = cv2.resize(pixels, (FILLED_SIDE, FILLED_SIDE), interpolation=cv2.INTER_AREA)
    mask = cv2.resize(hidden.astype(np.float32), (FILLED_SIDE, FILLED_SIDE), interpolation=cv2.INTER_AREA) > 0
    painted = cv2.inpaint(small.astype(np.uint8), mask.astype(np.uint8), 3, cv2.INPAINT_TELEA)
    return np.asarray(cv2.resize(painted, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)
