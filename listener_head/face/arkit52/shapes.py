"""The 52 ARKit shapes over the whole head: the skin's movement carried on to eyes, lids, lips and teeth."""

from __future__ import annotations

import numpy as np

from listener_head.coefficients import ARKIT_NAMES
from listener_head.face.arkit52 import eyes
from listener_head.face.arkit52.fields import Array, Part, mirrored
from listener_head.face.arkit52.mouth import JAW_FORWARD, JAW_LEFT, jaw_opening, tongue_out
from listener_head.face.arkit52.mouth_shapes import jaw_weights, mouth_shapes
from listener_head.face.arkit52.skin import Skin
from listener_head.face.arkit52.upper_shapes import LOOK_ASIDE, LOOK_DOWN, LOOK_UP, upper_shapes

_JAW_MOVES = {"jawForward": JAW_FORWARD, "jawLeft": JAW_LEFT, "jawRight": mirrored(JAW_LEFT)}
# Which way the left eye turns: pitch (down) and yaw (to the subject's left).
_GAZE = {
    "eyeLookDownLeft": (LOOK_DOWN, 0.0),
    "eyeLookUpLeft": (-LOOK_UP, 0.0),
    "eyeLookInLeft": (0.0, -LOOK_ASIDE),
    "eyeLookOutLeft": (0.0, LOOK_ASIDE),
}
# Symmetric shapes authored for the left half only.
_HALVES = ("browInnerUp", "cheekPuff")


def skin_shapes(skin: Skin) -> dict[str, Array]:
    """Movement [n, 3] in mm of the skin for each of the 52 shapes, in the order of ARKIT_NAMES."""
    authored = upper_shapes(skin) | mouth_shapes(skin, jaw_weights(skin))

    def reflected(shape: Array) -> Array:
        return mirrored(shape[skin.mirror])

    shapes = {}
    for name in ARKIT_NAMES:
        if "Right" in name:
            shapes[name] = reflected(authored[name.replace("Right", "Left")])
        elif "Left" in name:
            shapes[name] = authored[name]
        else:
            share = 1.0 if name in _HALVES else 0.5
            shapes[name] = share * (authored[name] + reflected(authored[name]))
    return shapes


def _gaze_shape(name: str, part: Part) -> Array:
    """Eyeball movement; the left eye's vertices are the first half of the part."""
    left = name.endswith("Left")
    pitch, yaw = _GAZE[name if left else name.replace("Right", "Left")]
    half = len(part.vertices) // 2
    shape = np.zeros_like(part.vertices)
    moved = eyes.gaze(part.vertices[:half], pitch, yaw)
    if left:
        shape[:half] = moved
    else:
        shape[half:] = mirrored(moved)
    return shape


def part_shape(name: str, part: Part, skin_shape: Array) -> Array:
    """Movement [n, 3] in mm of one part's vertices, given the skin's."""
    shape = skin_shape[part.source] * part.follow[:, None]
    if part.kind == "eye" and name.startswith("eyeLook"):
        shape = _gaze_shape(name, part)
    elif name == "jawOpen":
        shape = shape + jaw_opening(part.vertices) * part.jaw[:, None]
    elif name in _JAW_MOVES:
        shape = shape + part.jaw[:, None] * _JAW_MOVES[name]
    elif name == "tongueOut" and part.kind == "tongue":
        shape = tongue_out(part.vertices)
    return shape
