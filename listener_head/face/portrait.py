"""A picture of one person: read from a file or taken as an array, and searched for its only face."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from listener_head.coefficients import Coefficients
from listener_head.errors import UserError
from listener_head.face.tracker import FaceTracker, Landmarks

Picture = NDArray[np.uint8]

LARGEST_SIDE = 4096  # px; a larger picture is made smaller
LEAST_CONFIDENCE = 0.3  # of a fit: a profile or a hand before the face has less

_FIX = "give a picture of one face, seen from the front"


@dataclass(frozen=True)
class Portrait:
    """``pixels`` uint8 [H, W, 3] RGB, the ``landmarks`` of the face, and a ``name`` for complaints."""

    name: str
    pixels: Picture
    landmarks: Landmarks


def read_portrait(portrait: str | Path | Picture, smallest_face: int, what: str = "portrait") -> Portrait:
    """The portrait of a picture's file, upright as its EXIF data say, or of uint8 [H, W, 3] RGB.

    UserError in one line when it is no picture, or shows no face, several, or one whose larger side has less
    than ``smallest_face`` pixels. ``what`` is what it is for, in complaints.
    """
    if isinstance(portrait, str | Path):
        name = f"{what} '{portrait}'"
        pixels = _read(Path(portrait), name)
    else:
        name, pixels = what, _checked(portrait, what)
    landmarks = _only_face(pixels, name)
    size = float(np.ptp(landmarks.points, axis=0).max())
    if size < smallest_face:
        small = f"is {size:.0f} pixels in size, {smallest_face} are needed"
        raise UserError(f"the face in {name} {small}; give a larger picture")
    return Portrait(name, pixels, landmarks)


def check_fit(fit: Coefficients, name: str) -> None:
    """UserError when a portrait's face could not be fitted, or is too much hidden or turned away."""
    if not fit.valid:
        raise UserError(f"{name}: {fit.reason}; {_FIX}")
    if fit.confidence < LEAST_CONFIDENCE:
        seen = f"is seen with confidence {fit.confidence:.2f} of 1, {LEAST_CONFIDENCE} is needed"
        raise UserError(f"the face in {name} {seen}; {_FIX}")


def _read(path: Path, name: str) -> Picture:
    try:
        with Image.open(path) as picture:
            picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
            return np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))
    except Exception as problem:  # of a damaged file Pillow may make anything
        reason = getattr(problem, "strerror", None) or "no picture, or a damaged one"
        raise UserError(f"{name} cannot be read ({reason}); {_FIX}") from None


def _checked(picture: object, name: str) -> Picture:
    if not isinstance(picture, np.ndarray):
        raise UserError(f"{name} is {type(picture).__name__}; give a file or an array uint8 [H, W, 3] RGB")
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape:
        kind = f"{picture.dtype} of shape {picture.shape}"
        raise UserError(f"{name} is {kind}; give an array uint8 [H, W, 3] RGB")
    return picture


def _only_face(picture: Picture, name: str) -> Landmarks:
    tracker = FaceTracker()
    try:
        landmarks = tracker.track(np.ascontiguousarray(picture[..., ::-1]))
        count, reason = len(tracker.faces), tracker.reason
    finally:
        tracker.close()
    if count > 1:
        raise UserError(f"{name} shows {count} faces; crop the picture to one of them")
    if landmarks is None:
        raise UserError(f"{name}: {reason}; {_FIX}")
    return landmarks
