"""Camera intrinsics with lens distortion: pixels to the directions in which a pinhole would see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from listener_head.errors import UserError

Array = NDArray[np.float64]

# Distortion models of sensor_msgs/CameraInfo and how many numbers OpenCV takes for each.
COUNTS = {"plumb_bob": (4, 5), "rational_polynomial": (8, 12, 14), "equidistant": (4,)}
ASPECT_TOLERANCE = 0.01
UNDISTORT_UNTIL = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 30, 1e-6)
LEAST_FOCAL_PX, MOST_PX = 1e-3, 1e6  # of intrinsics: beyond, rays would not be finite
UNDISTORT_TOLERANCE_PX = 0.5  # beyond, the iteration has not converged: the lens has no such ray


@dataclass(frozen=True)
class Camera:
    """Intrinsics in pixels and distortion, as in sensor_msgs/CameraInfo.

    ``distortion`` holds the coefficients of ``distortion_model`` in OpenCV's order, or none.
    ``image_size`` (width, height) is that of the pictures the numbers are for; None: of whichever come.
    Raises UserError for numbers that are no camera and for an unknown distortion model.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    distortion: tuple[float, ...] = ()
    distortion_model: str = "plumb_bob"
    image_size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        numbers = np.array((self.fx, self.fy, self.cx, self.cy))
        if not np.abs(numbers).max() <= MOST_PX:
            raise UserError(
                f"camera intrinsics (fx, fy, cx, cy) are {numbers.tolist()}; give finite pixels, at most "
                f"{MOST_PX:.0f}"
            )
        if not min(self.fx, self.fy) >= LEAST_FOCAL_PX:
            raise UserError(
                f"camera has focal length {self.fx} x {self.fy}; give pixels, {LEAST_FOCAL_PX} or more"
            )
        if self.image_size is not None and min(self.image_size) <= 0:
            raise UserError(f"camera is for pictures of {self.image_size}; give (width, height) in pixels")
        if not self.distortion:
            return
        if self.distortion_model not in COUNTS:
            names = ", ".join(COUNTS)
            raise UserError(
                f"camera has distortion model '{self.distortion_model}'; known are {names}, "
                "or rectify the pictures (image_proc) and leave d empty"
            )
        if not np.isfinite(self.distortion).all():
            raise UserError(f"camera distortion is {list(self.distortion)}; give finite numbers")
        if len(self.distortion) not in COUNTS[self.distortion_model]:
            raise UserError(
                f"camera has {len(self.distortion)} distortion coefficients; {self.distortion_model} has "
                + " or ".join(str(count) for count in COUNTS[self.distortion_model])
            )

    @classmethod
    def from_info(
        cls, width: int, height: int, k: Sequence[float], d: Sequence[float], distortion_model: str
    ) -> Camera | None:
        """The camera of a sensor_msgs/CameraInfo's numbers; None where it says that it is not calibrated.

        That is when ``k[0]`` is zero. Raises UserError as ``Camera`` does, and when ``k`` has not 9 numbers.
        """
        matrix = np.asarray(k, np.float64).ravel()
        if matrix.size != 9:
            raise UserError(f"camera matrix k has {matrix.size} numbers; give 9, row by row")
        if matrix[0] == 0.0:
            return None
        distortion = tuple(float(value) for value in d)
        fx, fy, cx, cy = (float(matrix[index]) for index in (0, 4, 2, 5))
        if not any(distortion):
            distortion, distortion_model = (), "plumb_bob"
        return cls(fx, fy, cx, cy, distortion, distortion_model, (int(width), int(height)))

    @classmethod
    def assumed(cls, image_size: tuple[int, int]) -> Camera:
        """What is taken where nothing is known: focal length = longer side (53 degrees), centred."""
        width, height = image_size
        focal = float(max(width, height))
        return cls(focal, focal, width / 2, height / 2)

    def scaled_to(self, image_size: tuple[int, int]) -> Camera:
        """The same camera for pictures scaled to another size; UserError when their aspect differs.

        A picture of another aspect has been cropped, and nothing says where.
        """
        if self.image_size is None or self.image_size == image_size:
            return self
        (width, height), (own_width, own_height) = image_size, self.image_size
        across, down = width / own_width, height / own_height
        if abs(across / down - 1.0) > ASPECT_TOLERANCE:
            raise UserError(
                f"camera_info is for pictures of {own_width} x {own_height} but they are {width} x {height}, "
                "of another aspect; publish the camera_info that goes with the picture"
            )
        return Camera(
            self.fx * across,
            self.fy * down,
            self.cx * across,
            self.cy * down,
            self.distortion,
            self.distortion_model,
            image_size,
        )

    def normalise(self, points: Array) -> Array:
        """Pixels [L, 2] to undistorted image coordinates at depth 1; NaN where the lens has no such ray."""
        if not self.distortion:
            return (points - (self.cx, self.cy)) / (self.fx, self.fy)
        pixels, coefficients = points.reshape(-1, 1, 2).astype(np.float64), np.array(self.distortion)
        if self.distortion_model == "equidistant":
            seen = cv2.fisheye.undistortPoints(pixels, self._matrix, coefficients)
        else:
            seen = cv2.undistortPointsIter(
                pixels, self._matrix, coefficients, np.eye(3), np.eye(3), UNDISTORT_UNTIL
            )
        rays = np.asarray(seen, np.float64).reshape(-1, 2)
        found = np.abs(self.pixels(rays) - points).max(axis=1) < UNDISTORT_TOLERANCE_PX  # false for NaN too
        return np.where(found[:, None], rays, np.nan)

    def pixels(self, rays: Array) -> Array:
        """The inverse of ``normalise``: directions (x, y) at depth 1 [L, 2] to the pixels that see them."""
        if not self.distortion:
            return rays * (self.fx, self.fy) + (self.cx, self.cy)
        coefficients = np.array(self.distortion)
        if self.distortion_model == "equidistant":
            points = cv2.fisheye.distortPoints(rays.reshape(-1, 1, 2), self._matrix, coefficients)
        else:
            ahead, zero = np.column_stack([rays, np.ones(len(rays))]), np.zeros(3)
            points = cv2.projectPoints(ahead, zero, zero, self._matrix, coefficients)[0]
        return np.asarray(points, np.float64).reshape(-1, 2)

    @property
    def _matrix(self) -> Array:
        return np.array([[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])
