"""Where the network's crop lies in an image, and cutting it out.

Scale and place come from a scaled orthographic fit (POS) of five points to the standard ones. Then the
image is resized to whole pixels and a square of whole pixels is cut from it, with the published code's
roundings: the network was trained on such crops.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from listener_head.face.deep3d.published import CROP_SIZE, RESCALE, five_of_68
from listener_head.face.ibug import FACEMESH_POINTS
from listener_head.face.tracker import Landmarks

Array = NDArray[np.float64]

_IBUG_POINTS = np.array(FACEMESH_POINTS)

LARGEST_SCALE = 8.0  # pixels of the crop per pixel of the image: the face is then about 16 pixels high
# Rows of a scaled rotation are equally long; those of points that are no face are not.
LARGEST_SQUEEZE = 5.0


@dataclass(frozen=True)
class Crop:
    """Place of the square crop in an image of ``image_size`` (width, height).

    ``scale`` is pixels of the crop per pixel of the image before rounding, ``x`` and ``y`` [px] the place
    of the standard landmarks' origin in the image, y up from the centre of the bottom row: the last three
    of the published ``transform_params``.
    """

    image_size: tuple[int, int]
    scale: float
    x: float
    y: float

    @property
    def transform_params(self) -> Array:
        """Width, height, scale, x, y [5], as published."""
        return np.array([*self.image_size, self.scale, self.x, self.y])

    @cached_property
    def resized(self) -> tuple[int, int]:
        """Width and height of the image after resizing."""
        width, height = self.image_size
        return int(width * self.scale), int(height * self.scale)

    @cached_property
    def corner(self) -> tuple[int, int]:
        """Column and row of the resized image at which the crop begins; negative outside."""
        (width, height), (wide, high) = self.image_size, self.resized
        left = wide / 2 - CROP_SIZE / 2 + (self.x - width / 2) * self.scale
        top = high / 2 - CROP_SIZE / 2 + (height / 2 - self.y) * self.scale
        return int(left), int(top)

    @cached_property
    def pitch(self) -> Array:
        """Pixels of the image per pixel of the crop [2], across and down."""
        return np.array(self.image_size) / self.resized

    def to_image(self, pixels: ArrayLike) -> Array:
        """Points [..., 2] of the crop (first pixel's centre at 0) in the image (at 0.5)."""
        place: Array = (np.asarray(pixels, np.float64) + self.corner + 0.5) * self.pitch
        return place

    def from_image(self, points: ArrayLike) -> Array:
        """The inverse of ``to_image``."""
        place: Array = np.asarray(points, np.float64) / self.pitch - 0.5
        return place - self.corner

    def cut(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The crop [224, 224, 3] of an image [H, W, 3], black where the image does not reach.

        Pillow's antialiased bicubic filter, as published, but only over the crop: the same values up to the
        rounding of the filter's weights.
        """
        (left, top), (wide, high), (across, down) = self.corner, self.resized, self.pitch
        x0, x1 = max(left, 0), min(left + CROP_SIZE, wide)
        y0, y1 = max(top, 0), min(top + CROP_SIZE, high)
        crop = np.zeros((CROP_SIZE, CROP_SIZE, 3), np.uint8)
        if x0 < x1 and y0 < y1:
            width, height = self.image_size
            box = (x0 * across, y0 * down, min(x1 * across, width), min(y1 * down, height))
            part = Image.fromarray(image).resize((x1 - x0, y1 - y0), Image.Resampling.BICUBIC, box)
            crop[y0 - top : y1 - top, x0 - left : x1 - left] = part
        return crop


def five_points(landmarks: Landmarks) -> Array:
    """Right eye's centre, left eye's, nose tip, right and left corner of the mouth [5, 2], published pixels.

    There the centre of the first pixel is at 0 and y goes up from the bottom row. An eye's centre is the
    middle of its corners, as with the published 68 landmarks, so that a blink does not move it.
    """
    points = np.asarray(landmarks.points, np.float64)
    five = five_of_68(points[_IBUG_POINTS]) - 0.5
    five[:, 1] = landmarks.image_size[1] - 1 - five[:, 1]
    return five


def align(points: ArrayLike, standard: ArrayLike, image_size: tuple[int, int]) -> Crop | str:
    """The crop for five finite points [5, 2] (see ``five_points``), or why there is none.

    ``standard`` [5, 3] are the same points of the standard face in decimetres. Numbers are rounded to
    float32, in which the coefficients carry them, before anything depends on them.
    """
    five = np.asarray(points, np.float64)
    system = np.column_stack([np.asarray(standard, np.float64), np.ones(5)])
    rows, *_ = np.linalg.lstsq(system, five, rcond=None)  # [4, 2]: two rows of s R, then the translation
    lengths = np.linalg.norm(rows[:3], axis=0)
    if not lengths.max() < LARGEST_SQUEEZE * lengths.min():
        return "the landmarks are not those of a face"
    scale, x, y = (float(np.float32(value)) for value in (RESCALE / lengths.mean(), *rows[3]))
    crop = Crop(image_size, scale, x, y)
    if scale > LARGEST_SCALE:
        return "the face is too small"
    if min(crop.resized) < 1:
        return "the face is larger than the image"
    return crop
