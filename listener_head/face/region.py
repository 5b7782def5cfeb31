"""The turned square of an image in which a face is looked at, and its crop for the landmark network."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

CROP = 192  # px, width and height of the crop: what MediaPipe's face landmark network takes
SPREAD = 1.5  # side of the square over the longer side of the face's box, which the network was made for
SMALLEST_SIDE = 12.0  # px, of the square

# A region larger than the crop by this factor is made smaller before: between four pixels lies too much then.
_LARGEST_SCALE = 4.0

# Outer corners of the person's right and left eye among FaceMesh's points.
_RIGHT_EYE, _LEFT_EYE = 33, 263


@dataclass(frozen=True)
class Region:
    """A square with its centre (x, y) and ``side`` in pixels; ``angle`` turns it clockwise [rad]."""

    x: float
    y: float
    side: float
    angle: float

    @classmethod
    def of_box(cls, x: float, y: float, size: float, angle: float) -> Region:
        """Around a face of the given centre and longer side, whose eyes lie on a line of ``angle``."""
        return cls(x, y, SPREAD * size, angle)

    @classmethod
    def of_points(cls, points: NDArray[np.float32]) -> Region:
        """Around the landmarks [478, 2] of a face in pixels."""
        (left, top), (right, bottom) = points.min(0).tolist(), points.max(0).tolist()
        eyes = points[_LEFT_EYE] - points[_RIGHT_EYE]
        angle = float(np.arctan2(eyes[1], eyes[0]))
        return cls.of_box((left + right) / 2, (top + bottom) / 2, max(right - left, bottom - top), angle)

    def lies_in(self, width: int, height: int) -> bool:
        """Whether the centre is in the image and the size is one that a face in it can have."""
        in_image = 0.0 <= self.x <= width and 0.0 <= self.y <= height
        return in_image and SMALLEST_SIDE <= self.side <= 4.0 * max(width, height)

    def crop(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """Its pixels uint8 [192, 192, 3], and the matrix [2, 3] from the crop's pixels to the image's.

        The centre of the first pixel is at 0.5 in both. Beyond the border the image's edge is repeated.
        """
        scale = self.side / CROP
        cosine, sine = scale * np.cos(self.angle), scale * np.sin(self.angle)
        to_image = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0]])
        to_image[:, 2] = (self.x, self.y) - to_image[:, :2].sum(axis=1) * (CROP / 2)
        stride = int(scale / _LARGEST_SCALE)
        source, to_source = self._shrunk(image, to_image, stride) if stride > 0 else (image, to_image)
        indices = to_source.copy()  # OpenCV counts from the centre of the first pixel
        indices[:, 2] += 0.5 * to_source[:, :2].sum(axis=1) - 0.5
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        crop = cv2.warpAffine(source, indices, (CROP, CROP), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return crop.astype(np.uint8, copy=False), to_image

    def _shrunk(
        self, image: NDArray[np.uint8], to_image: NDArray[np.float64], stride: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """The part around the region, every ``stride``-th pixel and of those the mean of each two by two.

        And the matrix from the crop into it. All pixels of a huge image would take tens of milliseconds.
        """
        reach = self.side / np.sqrt(2.0)  # half of the diagonal
        height, width = image.shape[:2]
        left, top = max(0, int(self.x - reach)), max(0, int(self.y - reach))
        right, bottom = min(width, int(self.x + reach) + 1), min(height, int(self.y + reach) + 1)
        size = (max(1, (right - left) // (2 * stride)), max(1, (bottom - top) // (2 * stride)))
        part = image[top : top + 2 * stride * size[1], left : left + 2 * stride * size[0]]
        small = cv2.resize(part[::stride, ::stride], size, interpolation=cv2.INTER_AREA)
        to_part = to_image - [[0.0, 0.0, left], [0.0, 0.0, top]]
        ratio = np.array([[size[0] / part.shape[1]], [size[1] / part.shape[0]]])
        return small.astype(np.uint8, copy=False), to_part * ratio
