"""Where the eyelids and the lips run, in frontal coordinates [mm]; every other module asks here."""

from __future__ import annotations

import numpy as np

from listener_head.face.arkit52.fields import Array, bump

# Left eye. Pupils are 63 mm apart (adult mean); the eyeball is 14.5 mm instead of 12.2 mm in
# radius: slightly large eyes read better in a small picture. Its front lies 8 mm behind the brow.
EYE_CENTRE = np.array([31.5, 20.0, 70.5])
EYE_RADIUS = 14.5
EYE_HALF_WIDTH = 15.2  # palpebral fissure 30 mm
LID_CLEARANCE = 1.3  # lid thickness over the eyeball

# Mouth: 52 mm wide, stomion 48 mm below the origin.
MOUTH_Y = -48.0
MOUTH_HALF_WIDTH = 26.0


def _lid(x: Array, height: float, power: float, skew: float) -> Array:
    t = np.clip((np.abs(x) - EYE_CENTRE[0]) / EYE_HALF_WIDTH, -1.0, 1.0)
    # The outer corner sits 1.6 mm above the inner one.
    return EYE_CENTRE[1] - 0.4 + 0.8 * t + height * (1.0 - np.abs(t) ** power) * (1.0 + skew * t)


def upper_lid(x: Array) -> Array:
    """Height of the upper lid's margin; it covers the top of the iris and peaks towards the nose."""
    return _lid(x, 6.7, 2.3, -0.08)


def lower_lid(x: Array) -> Array:
    """Height of the lower lid's margin; deepest towards the temple."""
    return _lid(x, -5.5, 2.3, 0.15)


def lid_depth(dx: Array, dy: Array) -> Array:
    """z of the lids over the eyeball at an offset from its centre; runs out flat beside the ball."""
    radius = EYE_RADIUS + LID_CLEARANCE
    inside = radius**2 - 0.86 * np.asarray(dx) ** 2 - np.asarray(dy) ** 2
    return EYE_CENTRE[2] + np.sqrt(np.maximum(inside, 36.0))


def mouth_line(x: Array) -> Array:
    """Height of the line where the closed lips meet: a soft bow, corners slightly up."""
    t = np.clip(np.abs(x) / MOUTH_HALF_WIDTH, 0.0, 1.3)
    return MOUTH_Y - 0.4 + 2.5 * t**2.5 - 0.45 * bump(x, 5.0) + 0.5 * bump(np.abs(x) - 9.0, 5.0)


def upper_lip(x: Array) -> Array:
    """Height of the upper lip's border with the skin: Cupid's bow at +-5 mm."""
    t = np.clip(np.abs(x) / MOUTH_HALF_WIDTH, 0.0, 1.0)
    return mouth_line(x) + 7.4 * (1.0 - t**1.9) ** 0.72 - 1.1 * bump(x, 3.0)


def lower_lip(x: Array) -> Array:
    """Height of the lower lip's border with the skin: an even arc, without the bow of the line above."""
    t = np.clip(np.abs(x) / MOUTH_HALF_WIDTH, 0.0, 1.0)
    return mouth_line(x) + 0.45 * bump(x, 5.0) - 9.0 * (1.0 - t**2.3) ** 0.66
