"""Coefficients of a listener to the window of motion that the network sees."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import Coefficients
from listener_head.errors import UserError
from listener_head.face.deep3d.frames import published_pose
from listener_head.render.neural.published import FACE_MODEL, MOTION, PARTS, RADIUS, WINDOW

FloatArray = NDArray[np.float32]

LARGEST = 1e4  # no number of a face is beyond; far larger ones would overflow in the network


def published_motion(coefficients: Coefficients) -> FloatArray:
    """One frame of motion [73], in the order of `published.PARTS`, of a listener's coefficients.

    Rotation and translation go from the optical frame back to the published one
    (`listener_head.face.deep3d.frames`), expression and crop stay as they are. Raises UserError for
    coefficients of another face model, not valid, of the wrong size, not finite or of no face.
    """
    if coefficients.face_model != FACE_MODEL:
        raise UserError(
            f"coefficients are of face model '{coefficients.face_model}'; the neural renderer draws "
            f"{FACE_MODEL}: choose a listener of {FACE_MODEL} or another renderer"
        )
    if not coefficients.valid:
        raise UserError(f"coefficients are not valid ({coefficients.reason}); render the last valid ones")
    parts = {name: np.asarray(getattr(coefficients, name), np.float64) for name, _ in PARTS}
    for name, size in PARTS:
        _check(name, parts[name], size)
    if not parts["crop"][0] > 0:
        raise UserError(f"crop of the coefficients has scale {parts['crop'][0]:g}; give that of {FACE_MODEL}")
    parts["rotation"], parts["translation"] = published_pose(parts["rotation"], parts["translation"])
    return np.concatenate([parts[name] for name, _ in PARTS]).astype(np.float32)


def _check(name: str, values: NDArray[np.float64], size: int) -> None:
    if values.shape != (size,):
        raise UserError(f"{name} of the coefficients has shape {values.shape}; {FACE_MODEL} needs ({size},)")
    if not np.isfinite(values).all():
        raise UserError(f"{name} of the coefficients is not finite; send finite numbers")
    largest = float(np.abs(values).max())
    if largest > LARGEST:
        raise UserError(f"{name} of the coefficients reaches {largest:.3g}; no face is beyond {LARGEST:.0f}")


class MotionWindow:
    """The last frames of a stream as the network sees them, around the one that is drawn.

    Drawn is the frame that came ``look_ahead`` frames ago (0 to 13). What lies after the newest frame is
    that one repeated; what lies before the first is the first repeated. With ``look_ahead`` 13 a whole clip
    comes out as the published code draws it, 13 frames late. Raises UserError for another ``look_ahead``.
    """

    def __init__(self, look_ahead: int = 0) -> None:
        if not 0 <= look_ahead <= RADIUS:
            raise UserError(f"look_ahead {look_ahead} is out of range; choose 0 to {RADIUS} frames")
        # Places in the buffer, whose last row is the newest frame.
        self._order = WINDOW - 1 + np.minimum(np.arange(-RADIUS, RADIUS + 1) - look_ahead, 0)
        self._frames = np.zeros((WINDOW, MOTION), np.float32)
        self._empty = True

    def reset(self) -> None:
        """Begin anew: the next frame is the first."""
        self._empty = True

    def push(self, motion: FloatArray) -> FloatArray:
        """The window [73, 27] when this frame [73] has come."""
        if self._empty:
            self._frames[:], self._empty = motion, False
        self._frames[:-1] = self._frames[1:]
        self._frames[-1] = motion
        return np.ascontiguousarray(self._frames[self._order].T)
