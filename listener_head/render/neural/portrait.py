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
from PIL import Image, ImageOps

from listener_head.errors import UserError
from listener_head.face.tracker import FaceTracker, Landmarks

Picture = NDArray[np.uint8]

FACE_SHARE = 2 / 3  # of the crop's side
FACE_MIDDLE = 0.53  # of the crop's side, from above
WHOLE = (0.5, 0.8)  # share of the face in a square picture that is such a crop already
LARGEST_SIDE = 4096  # px; larger pictures are made smaller
SMALLEST_FACE = 48  # px; of a smaller one nothing is left to see

_FIX = "give a picture of one face, seen from the front"


def read_portrait(portrait: str | Path | Picture, size: int) -> Picture:
    """The crop uint8 [size, size, 3] RGB of a picture file or of uint8 [H, W, 3] RGB.

    Beyond the picture's edge the edge is repeated. Raises UserError when it is no picture and when it shows
    no face, several, or one too small.
    """
    if isinstance(portrait, np.ndarray):
        what, picture = "portrait", _checked(portrait)
    else:
        what = f"portrait '{portrait}'"
        picture = _read(Path(portrait), what)
    square = _square(picture, _face(picture, what), what)
    return np.asarray(Image.fromarray(square).resize((size, size), Image.Resampling.BICUBIC))


def _read(path: Path, what: str) -> Picture:
    """The picture upright, as its EXIF data say."""
    try:
        with Image.open(path) as file:
            file.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
            return np.asarray(ImageOps.exif_transpose(file).convert("RGB"))
    except Exception as problem:  # of a damaged file Pillow may make anything
        reason = getattr(problem, "strerror", None) or "no picture, or a damaged one"
        raise UserError(f"{what} cannot be read ({reason}); {_FIX}") from None


def _checked(picture: Picture) -> Picture:
    if picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape or picture.dtype != np.uint8:
        raise UserError(
            f"portrait is {picture.dtype} of shape {picture.shape}; give uint8 [height, width, 3] in RGB"
        )
    return picture


def _face(picture: Picture, what: str) -> Landmarks:
    tracker = FaceTracker()
    try:
        landmarks = tracker.track(np.ascontiguousarray(picture[..., ::-1]))
        count, reason = len(tracker.faces), tracker.reason
    finally:
        tracker.close()
    if count > 1:
        raise UserError(f"{what} shows {count} faces; crop the picture to one of them")
    if landmarks is None:
        raise UserError(f"{what}: {reason}; {_FIX}")
    return landmarks


def _square(picture: Picture, landmarks: Landmarks, what: str) -> Picture:
    """The square around the face, as large as it is in the picture."""
    height, width = picture.shape[:2]
    low, high = landmarks.points.min(axis=0), landmarks.points.max(axis=0)
    face = float((high - low).max())
    if face < SMALLEST_FACE:
        small = f"is {face:.0f} pixels in size, {SMALLEST_FACE} are needed"
        raise UserError(f"the face in {what} {small}; give a larger picture")
    if height == width and WHOLE[0] <= face / width <= WHOLE[1]:
        return picture
    side = round(face / FACE_SHARE)
    x, y = (low + high) / 2
    left, top = round(float(x) - side / 2), round(float(y) - FACE_MIDDLE * side)
    outside = max(-left, -top, left + side - width, top + side - height, 0)
    padded = np.pad(picture, ((outside, outside), (outside, outside), (0, 0)), mode="edge")
    top, left = top + outside, left + outside
    return np.ascontiguousarray(padded[top : top + side, left : left + side])
