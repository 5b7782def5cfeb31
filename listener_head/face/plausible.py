"""Whether a tracker's points can be a face at all, and where in the image it is."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, isfinite, sqrt

import numpy as np

from listener_head.errors import UserError
from listener_head.face.tracker import LANDMARK_COUNT, Landmarks

SMALLEST_FACE = 16.0  # px
FLATTEST_FACE = 0.1  # short over long side of the cloud of points
JUMP = 0.5  # of the face's size, or as much in size: another face


@dataclass(frozen=True)
class Place:
    """Centre of the points and the longer side of their bounding box, in pixels of one image size."""

    x: float
    y: float
    size: float
    image_size: tuple[int, int]

    def jumped_to(self, other: Place) -> bool:
        """Whether a face cannot have moved there."""
        if self.image_size != other.image_size:
            return True
        reach = JUMP * self.size
        return hypot(other.x - self.x, other.y - self.y) > reach or abs(other.size - self.size) > reach


def place_of(landmarks: Landmarks) -> Place:
    """Where finite landmarks are."""
    points = np.ascontiguousarray(landmarks.points.T)  # rows are much faster than columns here
    (left, top), (right, bottom) = points.min(1).tolist(), points.max(1).tolist()
    size = max(right - left, bottom - top)
    return Place((left + right) / 2, (top + bottom) / 2, size, landmarks.image_size)


def implausible(landmarks: Landmarks) -> str:
    """Why these points cannot be a face, or an empty string.

    Raises UserError when ``points`` is not [478, 2] or ``image_size`` not positive.
    """
    points = np.asarray(landmarks.points)
    if points.shape != (LANDMARK_COUNT, 2):
        raise UserError(f"landmarks have shape {points.shape}; give ({LANDMARK_COUNT}, 2)")
    width, height = landmarks.image_size
    if min(width, height) <= 0:
        raise UserError(f"image_size is {landmarks.image_size}; give (width, height) in pixels")
    if not np.isfinite(points).all():
        return "landmarks are not finite"
    with np.errstate(over="ignore", invalid="ignore"):
        points = np.ascontiguousarray(points.T, np.float64)  # rows are much faster than columns here
        x, y = points.mean(1).tolist()
        if not (0 <= x <= width and 0 <= y <= height):
            return "the face is outside the image"
        offsets = points - ((x,), (y,))
        (xx, xy), (_, yy) = (offsets @ offsets.T / LANDMARK_COUNT).tolist()
    if not isfinite(xx + yy + xy):
        return "the landmarks do not fit a face"
    half, difference = (xx + yy) / 2, hypot((xx - yy) / 2, xy)  # of the covariance's eigenvalues
    short, long = sqrt(max(half - difference, 0.0)), sqrt(half + difference)
    if not 4.0 * long > SMALLEST_FACE:
        return "the face is too small"
    if short < FLATTEST_FACE * long:
        return "the landmarks lie on a line"
    return ""
