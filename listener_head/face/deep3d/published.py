"""What Deep3DFaceReconstruction has fixed: its 257 numbers, its crop and its camera.

Source: Deng et al., "Accurate 3D Face Reconstruction with Weakly-Supervised Learning: From Single Image to
Image Set", CVPRW 2019, and the conventions of its published PyTorch code, whose frame is: x to the right of
the image, y up, the camera at z = 10 looking along -z, decimetres.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FACE_MODEL = "bfm2009"

# What the network gives, in this order: (name, size). Rotation is pitch, yaw, roll [rad].
HEADS: tuple[tuple[str, int], ...] = (
    ("identity", 80),
    ("expression", 64),
    ("texture", 80),
    ("rotation", 3),
    ("lighting", 27),
    ("translation", 3),
)


def _slices() -> dict[str, slice]:
    ends = [sum(size for _, size in HEADS[: index + 1]) for index in range(len(HEADS))]
    return {name: slice(end - size, end) for (name, size), end in zip(HEADS, ends, strict=True)}


SLICES: dict[str, slice] = _slices()
COUNT = sum(size for _, size in HEADS)

CROP_SIZE = 224  # px, square
RESCALE = 102.0  # px of the crop per unit (decimetre) of the standard landmarks

# Pinhole camera of the crop: column = FOCAL x / z + CENTRE[0], row = FOCAL y / z + CENTRE[1] for y down,
# with the centre of the first pixel at 0. The published row is 223 - (FOCAL y / z + 112) for y up.
FOCAL = 1015.0  # px
CENTRE = (112.0, 111.0)  # px
CAMERA_DISTANCE = 10.0  # dm
DECIMETRE = 0.1  # m

# Of the 68 iBUG landmarks: right eye's outer and inner corner, left eye's inner and outer corner, nose tip,
# right and left corner of the mouth. Right and left are the person's own.
EYE_CORNERS = ((36, 39), (42, 45))
NOSE_AND_MOUTH = (30, 48, 54)


def five_of_68(points: ArrayLike) -> NDArray[np.float64]:
    """Right eye, left eye, nose tip, right and left corner of the mouth [5, D] of landmarks [68, D]."""
    points = np.asarray(points, np.float64)
    eyes = [points[list(corners)].mean(axis=0) for corners in EYE_CORNERS]
    return np.array([*eyes, *points[list(NOSE_AND_MOUTH)]])
