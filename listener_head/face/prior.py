"""What is expected of expression weights before a face is seen: the regularisation of the fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from listener_head.face.pose import Array

# Expected size of an arkit52 weight by the longest prefix of its name that is here: small for what
# landmarks barely show, or what would explain a commoner shape away.
DEFAULT_SPREAD = 0.2
SPREAD = {
    "eyeBlink": 0.6, "eyeSquint": 0.15, "eyeWide": 0.25, "eyeLook": 0.4,
    "jawOpen": 0.5, "jawForward": 0.1, "jaw": 0.15,
    "mouthSmile": 0.6, "mouthFrown": 0.3, "mouthPucker": 0.4, "mouthFunnel": 0.3, "mouthClose": 0.1,
    "browInnerUp": 0.5, "browOuterUp": 0.4, "browDown": 0.4, "cheekPuff": 0.1, "tongueOut": 0.01,
}  # fmt: skip
TWIN_SPREAD = 0.3  # expected difference between the left and the right one of a pair
GAZE_TWIN_SPREAD = 0.1  # eyes go together
SIDEWAYS = ("jaw", "mouthLeft")  # their Left and Right exclude each other
STEP_SPREAD = 0.25  # expected change of a weight from frame to frame

REST_SPREAD = 0.1  # of a resting face's differences, as a share of the same shape's size in expression
CLOSED_AT_REST = ("jawOpen", "mouthClose", "mouthLowerDown", "mouthUpperUp")  # people may start in mid-word
CLOSED_REST_SPREAD = 0.02
LID_SHAPES = ("eyeBlink", "eyeSquint", "eyeWide")

# Of models with principal components, whose weights are standard deviations.
UNIT_STEP_SPREAD = 0.6
LARGEST_UNIT_WEIGHT = 4.0


@dataclass(frozen=True)
class ExpressionPrior:
    """What is known of a model's E expression weights: they are about N(0, information^-1) within bounds.

    ``rest_shapes`` [R] are the shapes in which a resting face may differ from the model's, by about
    ``rest_spread`` [R]; ``lid_shapes`` those that open and close the right and the left eye, whose
    size goes with how far a person's eyes are open.
    """

    information: Array  # [E, E]
    step_spread: float  # expected change of a weight from frame to frame
    lower: float
    upper: float
    rest_shapes: NDArray[np.intp]
    rest_spread: Array
    lid_shapes: tuple[NDArray[np.intp], NDArray[np.intp]]


def arkit_prior(names: tuple[str, ...]) -> ExpressionPrior:
    """That of the named shapes with weights 0 to 1."""
    rest = REST_SPREAD * spread(names)
    rest[[name.startswith(CLOSED_AT_REST) for name in names]] = CLOSED_REST_SPREAD
    right, left = (
        np.flatnonzero([name.startswith(LID_SHAPES) and name.endswith(side) for name in names])
        for side in ("Right", "Left")
    )
    return ExpressionPrior(
        expression_information(names), STEP_SPREAD, 0.0, 1.0, np.arange(len(names)), rest, (right, left)
    )


def unit_prior(count: int) -> ExpressionPrior:
    """That of principal components in standard deviations; identity modes tell a resting face."""
    none = np.zeros(0, np.intp)
    limit = LARGEST_UNIT_WEIGHT
    return ExpressionPrior(np.eye(count), UNIT_STEP_SPREAD, -limit, limit, none, np.zeros(0), (none, none))


def spread(names: tuple[str, ...]) -> Array:
    """Expected size of each arkit52 shape's weight [E]."""
    sizes = np.full(len(names), DEFAULT_SPREAD)
    for prefix in sorted(SPREAD, key=len):
        for index, name in enumerate(names):
            if name.startswith(prefix):
                sizes[index] = SPREAD[prefix]
    return sizes


def expression_information(names: tuple[str, ...]) -> Array:
    """Information matrix [E, E] of arkit52: weights are near zero, and left goes with right."""
    information = np.diag(spread(names) ** -2)
    for left, name in enumerate(names):
        if not name.endswith("Left") or name.startswith(SIDEWAYS):
            continue
        difference = np.zeros(len(names))
        difference[left], difference[names.index(twin_of(name))] = 1.0, -1.0
        twin_spread = GAZE_TWIN_SPREAD if name.startswith("eyeLook") else TWIN_SPREAD
        information += twin_spread**-2 * np.outer(difference, difference)
    return information


def twin_of(name: str) -> str:
    """The right side's shape, if there is one, that goes with one of the left: with a look in, one out."""
    stem = name.removesuffix("Left")
    if stem.startswith("eyeLook"):
        stem = {"eyeLookIn": "eyeLookOut", "eyeLookOut": "eyeLookIn"}.get(stem, stem)
    return stem + "Right"
