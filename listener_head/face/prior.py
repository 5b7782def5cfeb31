"""What is expected of expression weights before a face is seen: the regularisation of the fit."""

from __future__ import annotations

import numpy as np

from listener_head.face.gauss_newton import Array

# Expected size of a weight by the longest prefix of its name that is here: small for what
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


def spread(names: tuple[str, ...]) -> Array:
    """Expected size of each shape's weight [E]."""
    sizes = np.full(len(names), DEFAULT_SPREAD)
    for prefix in sorted(SPREAD, key=len):
        for index, name in enumerate(names):
            if name.startswith(prefix):
                sizes[index] = SPREAD[prefix]
    return sizes


def expression_information(names: tuple[str, ...]) -> Array:
    """Information matrix [E, E]: weights are near zero, and left goes with right."""
    information = np.diag(spread(names) ** -2)
    for left, name in enumerate(names):
        if not name.endswith("Left") or name.startswith(SIDEWAYS):
            continue
        difference = np.zeros(len(names))
        difference[left], difference[names.index(_twin(name))] = 1.0, -1.0
        twin_spread = GAZE_TWIN_SPREAD if name.startswith("eyeLook") else TWIN_SPREAD
        information += twin_spread**-2 * np.outer(difference, difference)
    return information


def _twin(name: str) -> str:
    """The shape of the right side that goes with one of the left: with a look in, one out."""
    stem = name.removesuffix("Left")
    if stem.startswith("eyeLook"):
        stem = {"eyeLookIn": "eyeLookOut", "eyeLookOut": "eyeLookIn"}.get(stem, stem)
    return stem + "Right"
