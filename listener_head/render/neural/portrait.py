"""A portrait cut to the picture that the network was trained on.

Its training pictures are square crops around one face (VoxCeleb, prepared as for the First Order Motion
Model; ViCo's are alike), resized by a bicubic filter. In the demonstration pictures of the published code
the face's landmarks span two thirds of the side in the median (0.56 to 0.75), their middle across the centre
and 0.53 of the side below the upper edge: so a portrait is cut. A square picture with such a face is taken
whole.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from listener_head.face.portrait import read_portrait
from listener_head.face.tracker import Landmarks

Picture = NDArray[np.uint8]

FACE_SHARE = 2 / 3  # of the crop's side
FACE_MIDDLE = 0.53  # of the crop's side, from above
WHOLE = (0.5, 0.8)  # share of the face in a square picture that is such a crop already
SMALLEST_FACE = 48  # px; of a smaller one nothing is left to see


def crop_portrait(portrait: str | Path | Picture, size: int) -> Picture:
    """The crop uint8 [size, size, 3] RGB of a picture file or of uint8 [H, W, 3] RGB.

    Beyond the picture's edge the edge is repeated. Raises UserError when it is no picture and when it shows
    no face, several, or one too small.
    """
    found = read_portrait(portrait, SMALLEST_FACE)
    square = cut_square(found.pixels, found.landmarks)
    return np.asarray(Image.fromarray(square).resize((size, size), Image.Resampling.BICUBIC))


def cut_square(picture: Picture, landmarks: Landmarks) -> Picture:
    """The square around the face, as large as it is in the picture."""
    height, width = picture.shape[:2]
    low, high = landmarks.points.min(axis=0), landmarks.points.max(axis=0)
    face = float((high - low).max())
    if height == width and WHOLE[0] <= face / width <= WHOLE[1]:
        return picture
    side = round(face / FACE_SHARE)
    x, y = (low + high) / 2
    left, top = round(float(x) - side / 2), round(float(y) - FACE_MIDDLE * side)
    outside = max(-left, -top, left + side - width, top + side - height, 0)
    padded = np.pad(picture, ((outside, outside), (outside, outside), (0, 0)), mode="edge")
    top, left = top + outside, left + outside
    return np.ascontiguousarray(padded[top : top + side, left : left + side])
