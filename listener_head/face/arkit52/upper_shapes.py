"""Expression shapes of eyes, brows, cheeks and nose: movement of the skin [n, 3] in mm.

Only the subject's left is authored; ``shapes`` mirrors it. The names and what they mean are Apple's
(ARKit, ARFaceAnchor.BlendShapeLocation).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from listener_head.face.arkit52 import contours
from listener_head.face.arkit52.fields import Array, bump, smoothstep
from listener_head.face.arkit52.skin import LID_COLUMNS, Skin

LOOK_UP, LOOK_DOWN, LOOK_ASIDE = np.radians([22.0, 25.0, 28.0])


def pull(skin: Skin, centre: ArrayLike, width: ArrayLike, move: ArrayLike) -> Array:
    """Movement by ``move`` [3] at the frontal point ``centre`` [2], fading over ``width`` [2]."""
    x, y, z = skin.vertices.T
    (cx, cy), (sx, sy) = np.asarray(centre, float), np.asarray(width, float)
    weight = bump(x - cx, sx) * bump(y - cy, sy) * smoothstep(0.0, 30.0, z)
    return weight[:, None] * np.asarray(move, float)


def _lid_weights(skin: Skin) -> tuple[Array, Array, Array]:
    """How far each vertex goes with the left upper and lower lid, and the lids' opening there [mm].

    The 1.5 mm beside a margin move as one piece (lashes do not stretch); the skin unrolls from the
    crease above.
    """
    x, y, z = skin.vertices.T
    upper, lower = contours.upper_lid(x), contours.lower_lid(x)
    opening = np.where(x > 0, upper - lower, 0.0)
    half = contours.EYE_HALF_WIDTH
    beside = smoothstep(half + 5.0, half - 1.0, np.abs(x - contours.EYE_CENTRE[0])) * (z > 40) * (x > 0)
    is_upper = y >= 0.5 * (upper + lower)
    is_upper[skin.lid_loops[:, :LID_COLUMNS]] = True
    is_upper[skin.lid_loops[:, LID_COLUMNS:]] = False
    up = np.where(is_upper, smoothstep(11.0, 1.5, y - upper), 0.0) * beside
    low = np.where(is_upper, 0.0, smoothstep(12.0, 1.5, lower - y)) * beside
    return up, low, opening


def _clear_of_ball(start: Array, end: Array) -> Array:
    """z [n] that the end points need for the straight way there to stay outside the left eyeball.

    Where the way begins closer to the ball than the wanted 1 mm it may do so, but not come closer.
    """

    def ball(points: Array) -> Array:
        dx, dy = points[:, 0] - contours.EYE_CENTRE[0], points[:, 1] - contours.EYE_CENTRE[1]
        depth = contours.EYE_RADIUS**2 - dx**2 - dy**2
        return np.where(depth > 0, contours.EYE_CENTRE[2] + np.sqrt(np.maximum(depth, 0.0)), -np.inf)

    clearance = np.clip(start[:, 2] - ball(start), 0.0, 1.0)
    z = end[:, 2]
    for share in np.linspace(0.1, 1.0, 10):
        needed = ball(start + share * (end - start)) + clearance + share * (1.0 - clearance)
        z = np.maximum(z, start[:, 2] + (needed - start[:, 2]) / share)
    return z


def lids(skin: Skin, drop: float, rise: float, lift: float = 0.0) -> Array:
    """The left lids' movement: the upper one down and the lower one up, in shares of the opening.

    ``lift`` [mm] moves both forward.
    """
    up, low, opening = _lid_weights(skin)
    weight = np.maximum(up, low)
    moved = skin.vertices.copy()
    moved[:, 1] += opening * (low * rise - up * drop)
    dx, dy = moved[:, 0] - contours.EYE_CENTRE[0], moved[:, 1] - contours.EYE_CENTRE[1]
    dx0, dy0 = skin.vertices[:, 0] - contours.EYE_CENTRE[0], skin.vertices[:, 1] - contours.EYE_CENTRE[1]
    slide = contours.lid_depth(dx, dy) - contours.lid_depth(dx0, dy0)
    moved[:, 2] += (slide + lift) * weight
    moved[:, 2] = np.where(weight > 0, _clear_of_ball(skin.vertices, moved), moved[:, 2])
    return moved - skin.vertices


def _above_lids(skin: Skin, start: float = 2.5, end: float = 10.0) -> Array:
    """0 on the lids, 1 from ``end`` mm above the upper margin [n, 1]: brows must not drag the lids along."""
    x, y, _ = skin.vertices.T
    return smoothstep(start, end, y - contours.upper_lid(x))[:, None]


def _brow_shapes(skin: Skin) -> dict[str, Array]:
    down = pull(skin, (17, 36), (10, 10), (-3.6, -6.4, 2.0))
    down += pull(skin, (36, 39), (14, 9), (-1.0, -5.6, 2.2))
    down += pull(skin, (4.5, 33), (3.0, 7), (0.0, -1.0, 1.2))
    inner_up = pull(skin, (14, 38), (9, 13), (0.8, 8.5, 0.0)) + pull(skin, (27, 40), (9, 10), (0.0, 2.5, 0.0))
    outer_up = pull(skin, (42, 40), (15, 11), (0.5, 8.0, 0.0)) + pull(skin, (43, 32), (9, 4), (0.0, 1.5, 0.0))
    free = _above_lids(skin)
    # A brow that comes down needs more room than one that rises, and has none to spare beside the nose:
    # there the skin slides along.
    beside_nose = smoothstep(17.0, 9.0, np.abs(skin.vertices[:, 0]))[:, None]
    down *= np.maximum(_above_lids(skin, 1.0, 13.5), 0.9 * beside_nose)
    down += lids(skin, 0.10, 0.0, lift=0.9)
    return {"browDownLeft": down, "browInnerUp": inner_up * free, "browOuterUpLeft": outer_up * free}


def _eye_shapes(skin: Skin) -> dict[str, Array]:
    squint = lids(skin, 0.14, 0.34)
    squint += pull(skin, (33, 7), (15, 6), (0.0, 2.2, 1.2))
    # The cornea lifts the lids wherever it goes.
    return {
        "eyeBlinkLeft": lids(skin, 0.93, 0.09, lift=0.4) + pull(skin, (31, 35), (14, 6), (0.0, -0.8, 0.0)),
        "eyeLookDownLeft": lids(skin, 0.36, -0.10, lift=1.2),
        "eyeLookUpLeft": lids(skin, -0.17, 0.08, lift=0.5),
        "eyeLookInLeft": lids(skin, 0.02, 0.0, lift=0.5),
        "eyeLookOutLeft": lids(skin, 0.02, 0.0, lift=0.5),
        "eyeSquintLeft": squint,
        "eyeWideLeft": lids(skin, -0.30, -0.10) + pull(skin, (32, 36), (15, 6), (0.0, 1.2, 0.0)),
    }


def _cheek_and_nose_shapes(skin: Skin) -> dict[str, Array]:
    cheek = pull(skin, (37, -5), (14, 11), (0.5, 6.6, 5.0)) + lids(skin, 0.0, 0.17)
    cheek += pull(skin, (30, 8), (11, 2.5), (0.0, 0.6, -1.4))  # the fold below the lid
    sneer = pull(skin, (14, -19), (5.5, 9), (1.6, 6.4, 0.8)) + pull(skin, (10, 4), (6, 8), (-0.8, 3.0, 2.2))
    sneer += pull(skin, (15, -36), (9, 7), (0.8, 3.4, 0.6)) + pull(skin, (13, 31), (8, 7), (-1.2, -2.8, 0.8))
    sneer += pull(skin, (22, -22), (3.5, 9), (0.4, 1.0, -2.0))  # the fold beside the nostril
    puff = pull(skin, (45, -42), (13, 15), (6.5, -0.5, 8.0)) + pull(skin, (12, -37), (8, 4), (0.0, 0.0, 1.6))
    return {"cheekSquintLeft": cheek, "noseSneerLeft": sneer, "cheekPuff": puff}


def upper_shapes(skin: Skin) -> dict[str, Array]:
    """Left and symmetric shapes of the upper face; symmetric ones (no Left) need their reflection added."""
    return _eye_shapes(skin) | _brow_shapes(skin) | _cheek_and_nose_shapes(skin)
