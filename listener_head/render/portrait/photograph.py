"""One photograph of the listener: read, searched for the face, cropped to head and shoulders, fitted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import Coefficients
from listener_head.face import FaceFitter, load_face_model
from listener_head.face.camera import Camera
from listener_head.face.portrait import check_fit, read_portrait
from listener_head.face.tracker import Landmarks
from listener_head.render.portrait.topology import LOWER_LIPS, UPPER_LIPS

Array = NDArray[np.float64]

SMALLEST_FACE = 48  # px; smaller ones show no lids

# The crop: its side over the height of the face, and where in it the middle of the face comes.
SIDE_PER_FACE = 2.5
FACE_CENTRE = (0.5, 0.46)
# Portraits are taken from further away than a webcam's: at this focal length per side about 1.3 m.
FOCAL_PER_SIDE = 3.0
SEALED = 0.09  # of the mouth's width; lips that are nowhere further apart are closed
FITTED_SIDE = 1000  # px, of the picture that the fitter is told of

_FOREHEAD, _CHIN = 10, 152


@dataclass(frozen=True)
class Photograph:
    """The square that is shown, with the face in it. Lengths are shares of its side, from the upper left.

    ``pixels`` uint8 [S, S, 3] RGB; ``points`` [478, 2] FaceMesh's landmarks; ``centre`` [2] where the line of
    sight goes through, in the middle of the face; ``fit`` holds identity, expression and pose (arkit52)
    before a camera that looks there with focal length ``FOCAL_PER_SIDE``.
    """

    pixels: NDArray[np.uint8]
    points: Array
    centre: Array
    fit: Coefficients


def take_photograph(portrait: str | Path | NDArray[np.uint8], side: int) -> Photograph:
    """The photograph with pixels [side, side, 3].

    ``portrait`` is a picture's file, or uint8 [H, W, 3] RGB. Raises UserError in one line when it is no
    picture, or shows no face, several, or one too small or too much hidden or turned away.
    """
    found = read_portrait(portrait, SMALLEST_FACE)
    picture, points = found.pixels, found.landmarks.points.astype(np.float64)
    left, top, length = square_about(points, picture.shape[1], picture.shape[0])
    pixels = crop(picture, left, top, length, side)
    points = _sealed((points - (left, top)) / length)
    middle = 0.5 * (points[_FOREHEAD] + points[_CHIN])
    return Photograph(pixels, points, middle, _fit(points, middle, found.name))


def square_about(points: Array, width: int, height: int) -> tuple[int, int, int]:
    """Left, top and side of the crop [px]: as much of head and shoulders as the picture has."""
    tall = float(np.linalg.norm(points[_CHIN] - points[_FOREHEAD]))
    length = min(round(SIDE_PER_FACE * tall), width, height)
    x, y = 0.5 * (points[_FOREHEAD] + points[_CHIN])
    left = min(max(round(x - FACE_CENTRE[0] * length), 0), width - length)
    top = min(max(round(y - FACE_CENTRE[1] * length), 0), height - length)
    return left, top, length


def _sealed(points: Array) -> Array:
    """The points with lips that all but touch brought together, so that nothing shows between them."""
    upper, lower = list(UPPER_LIPS[3]), list(LOWER_LIPS[3])
    gap = np.linalg.norm(points[lower] - points[upper], axis=1)
    if gap.max() > SEALED * np.linalg.norm(points[upper[-1]] - points[upper[0]]):
        return points
    points = points.copy()
    points[upper] = points[lower] = 0.5 * (points[upper] + points[lower])
    return points


def crop(picture: NDArray[np.uint8], left: int, top: int, length: int, side: int) -> NDArray[np.uint8]:
    """A square of a picture [H, W, 3] as `square_about` gives it, scaled to [side, side, 3]."""
    part = picture[top : top + length, left : left + length]
    how = cv2.INTER_AREA if length > side else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(part, (side, side), interpolation=how), np.uint8)


def _fit(points: Array, centre: Array, name: str) -> Coefficients:
    focal = FOCAL_PER_SIDE * FITTED_SIDE
    x, y = (FITTED_SIDE * centre).tolist()
    landmarks = Landmarks((FITTED_SIDE * points).astype(np.float32), (FITTED_SIDE, FITTED_SIDE))
    fit = FaceFitter(load_face_model("arkit52"), Camera(focal, focal, x, y)).fit(landmarks)
    check_fit(fit, name)
    return fit
