"""Facial action units (FACS) of ARKit expression weights.

Codes: Ekman, Friesen, Hager: Facial Action Coding System (2002), as in hri_msgs/FacialActionUnits.
A shape belongs to the unit whose muscles move the face as Apple describes the shape (compare Melinda Ozel,
"ARKit to FACS cheat sheet"). Units that ARKit does not tell (such as 11, 13, 23, 27) have confidence 0.
"""

from __future__ import annotations

from math import pi

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import ARKIT_NAMES
from listener_head.robot.frames import head_angles

FloatArray = NDArray[np.float32]

CODES = 99  # units are numbered 0 to 98
FULL_HEAD_ANGLE = pi / 4  # head rotation [rad] that counts as full intensity

# Unit -> shapes whose mean shows it. FACS scores the whole face: the two sides count half each.
_MEANS: dict[int, tuple[str, ...]] = {
    1: ("browInnerUp",),  # inner brow raiser
    2: ("browOuterUpLeft", "browOuterUpRight"),  # outer brow raiser
    4: ("browDownLeft", "browDownRight"),  # brow lowerer
    5: ("eyeWideLeft", "eyeWideRight"),  # upper lid raiser
    6: ("cheekSquintLeft", "cheekSquintRight"),  # cheek raiser
    7: ("eyeSquintLeft", "eyeSquintRight"),  # lid tightener
    8: ("mouthClose",),  # lips toward each other
    9: ("noseSneerLeft", "noseSneerRight"),  # nose wrinkler
    10: ("mouthUpperUpLeft", "mouthUpperUpRight"),  # upper lip raiser
    12: ("mouthSmileLeft", "mouthSmileRight"),  # lip corner puller
    14: ("mouthDimpleLeft", "mouthDimpleRight"),  # dimpler
    15: ("mouthFrownLeft", "mouthFrownRight"),  # lip corner depressor
    16: ("mouthLowerDownLeft", "mouthLowerDownRight"),  # lower lip depressor
    17: ("mouthShrugLower",),  # chin raiser
    18: ("mouthPucker",),  # lip pucker
    19: ("tongueOut",),  # tongue show
    20: ("mouthStretchLeft", "mouthStretchRight"),  # lip stretcher
    22: ("mouthFunnel",),  # lip funneler
    24: ("mouthPressLeft", "mouthPressRight"),  # lip pressor
    26: ("jawOpen",),  # jaw drop
    28: ("mouthRollLower", "mouthRollUpper"),  # lip suck
    29: ("jawForward",),  # jaw thrust
    34: ("cheekPuff",),  # cheek puff
    43: ("eyeBlinkLeft", "eyeBlinkRight"),  # eyes closed
    63: ("eyeLookUpLeft", "eyeLookUpRight"),  # eyes up
    64: ("eyeLookDownLeft", "eyeLookDownRight"),  # eyes down
}
# Unit -> two shapes that show it only together: what both do.
_BOTH: dict[int, tuple[str, str]] = {
    45: ("eyeBlinkLeft", "eyeBlinkRight"),  # blink
    61: ("eyeLookOutLeft", "eyeLookInRight"),  # eyes turn left
    62: ("eyeLookInLeft", "eyeLookOutRight"),  # eyes turn right
    65: ("eyeLookOutLeft", "eyeLookOutRight"),  # walleye
    66: ("eyeLookInLeft", "eyeLookInRight"),  # cross-eye
}
_NEUTRAL, _LIPS_PART, _JAW_SIDEWAYS, _WINK = 0, 25, 30, 46
_HEAD = slice(51, 57)  # turn left, right, up, down, tilt left, right
_FACE = slice(1, 51)  # what a neutral face does not show

_INDEX = {name: i for i, name in enumerate(ARKIT_NAMES)}
_TABLE = np.zeros((CODES, len(ARKIT_NAMES)), np.float32)
for _unit, _names in _MEANS.items():
    for _name in _names:
        _TABLE[_unit, _INDEX[_name]] = 1 / len(_names)
_PAIRS = np.array([[_INDEX[name] for name in names] for names in _BOTH.values()])
KNOWN: NDArray[np.bool_] = np.zeros(CODES, np.bool_)
KNOWN[[*_MEANS, *_BOTH, _NEUTRAL, _LIPS_PART, _JAW_SIDEWAYS, _WINK, *range(_HEAD.start, _HEAD.stop)]] = True


def action_units(weights: FloatArray, rotation: FloatArray) -> FloatArray:
    """Intensities [99] float32, 0 to 1, for ARKit weights [52] (0 to 1) and a head rotation [3] in rad.

    ``rotation`` is that of `Coefficients`. Units not in ``KNOWN`` are 0.
    """
    units: FloatArray = _TABLE @ weights
    units[list(_BOTH)] = weights[_PAIRS].min(axis=1)
    opening = weights[_INDEX["jawOpen"]] - weights[_INDEX["mouthClose"]]
    units[_LIPS_PART] = max(opening, units[10], units[16])
    units[_JAW_SIDEWAYS] = max(weights[_INDEX["jawLeft"]], weights[_INDEX["jawRight"]])
    units[_WINK] = abs(weights[_INDEX["eyeBlinkLeft"]] - weights[_INDEX["eyeBlinkRight"]])
    pitch, yaw, roll = head_angles(*(float(angle) for angle in rotation))
    units[_HEAD] = np.array([yaw, -yaw, -pitch, pitch, -roll, roll]) / FULL_HEAD_ANGLE
    units = units.clip(0.0, 1.0)
    units[_NEUTRAL] = 1.0 - units[_FACE].max()
    return units
