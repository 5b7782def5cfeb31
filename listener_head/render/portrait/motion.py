"""What coefficients ask of the photographed face: the change against the listener's reference motion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import Coefficients, Layout
from listener_head.errors import UserError
from listener_head.face.geometry import rotation_matrix
from listener_head.face.pose import rotation_of

Array = NDArray[np.float64]

# A photograph holds no more: beyond, one would see what it does not show.
LARGEST_TURN = np.radians(32.0)
LARGEST_SHIFT = 0.06  # m
NEARER, FURTHER = 0.75, 1.35  # distance over the reference's

# A face that smiles already smiles on by less; no shape goes far beyond full.
LEAST_GAIN, FULLEST = 0.55, 1.25


@dataclass(frozen=True)
class Change:
    """``weights`` [E] to add to the photograph's expression; the head's turn [3, 3] about its origin, its
    ``shift`` [3] m and its distance over the photographed one, in the camera's optical frame.
    """

    weights: Array
    turn: Array
    shift: Array
    distance: float


class Motion:
    """Takes coefficients to changes against ``reference`` [layout.size], which shows the photograph.

    ``photographed`` [E] is the expression in it.
    """

    def __init__(self, layout: Layout, reference: Array, photographed: Array) -> None:
        self._layout, self._photographed = layout, photographed
        self._expression = reference[layout.expression]
        self._back = rotation_matrix(reference[layout.rotation]).T
        self._translation = reference[layout.translation]
        at = layout.expression_names.index
        self._jaw, self._close = at("jawOpen"), at("mouthClose")
        self._lids = [(at("eyeBlink" + side), at("eyeSquint" + side)) for side in ("Left", "Right")]
        self._shut = [blink for blink, _ in self._lids]

    def change(self, coefficients: Coefficients) -> Change:
        """Of a frame; UserError for another face model and what is not valid, finite or of its size."""
        self._check(coefficients)
        turn = rotation_matrix(coefficients.rotation) @ self._back
        translation = coefficients.translation.astype(np.float64)
        distance = float(np.clip(translation[2] / self._translation[2], NEARER, FURTHER))
        shift = np.clip(translation - self._translation, -LARGEST_SHIFT, LARGEST_SHIFT)
        shift[2] = 0.0
        return Change(self._weights(coefficients.expression), _held(turn), shift, distance)

    def _weights(self, expression: NDArray[np.float32]) -> Array:
        difference = np.clip(expression, 0.0, 1.0) - self._expression
        held = self._photographed
        gain = np.where(difference > 0.0, np.maximum(1.0 - held, LEAST_GAIN), 1.0)
        # Shut is shut, however far the lids were down at rest.
        gain[self._shut] = 1.0 / np.maximum(1.0 - self._expression[self._shut], 0.3)
        weights: Array = np.clip(gain * difference, -1.0, np.maximum(FULLEST - held, 0.0))
        weights[self._shut] = np.minimum(gain * difference, 1.0)[self._shut]
        # Lips close no further than the jaw is open, nor lids further than shut.
        weights[self._close] = min(weights[self._close], max(weights[self._jaw] + held[self._jaw], 0.0))
        for blink, squint in self._lids:
            weights[squint] = min(weights[squint], 1.0 - max(weights[blink], 0.0))
        return weights

    def _check(self, coefficients: Coefficients) -> None:
        layout, model = self._layout, coefficients.face_model
        if model != layout.face_model:
            raise UserError(
                f"coefficients are of face model '{model}'; the portrait moves with {layout.face_model}"
            )
        if not coefficients.valid:
            raise UserError(f"coefficients are not valid ({coefficients.reason}); render the last valid ones")
        sizes = {"rotation": 3, "translation": 3, "expression": len(layout.expression_names)}
        for name, size in sizes.items():
            values = getattr(coefficients, name)
            if values.shape != (size,):
                raise UserError(f"{name} of the coefficients has shape {values.shape}; it needs ({size},)")
            if not np.isfinite(values).all():
                raise UserError(f"{name} of the coefficients is not finite; send finite numbers")


def _held(turn: Array) -> Array:
    """The turn, or as much of it as a photograph can show."""
    cosine = float(np.clip(0.5 * (np.trace(turn) - 1.0), -1.0, 1.0))
    angle = float(np.arccos(cosine))
    if angle <= LARGEST_TURN:
        return turn
    axis = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
    length = float(np.linalg.norm(axis))
    if length < 1e-6:  # upside down: no way is the shorter one
        return np.eye(3)
    return rotation_of(axis * (LARGEST_TURN / length))
