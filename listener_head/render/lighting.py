"""Light as nine coefficients of spherical harmonics per colour, and the key light's view for its shadow.

Deep3DFaceReconstruction shades a surface of unit normal (x, y, z) (x right, y up, z to the viewer) by
``sum_k gamma_k Y_k`` for each colour, a constant 0.8 added to the first coefficient, and multiplies the
sRGB texture by it. There ``Y = (a0 c0, -a1 c1 y, a1 c1 z, -a1 c1 x, a2 c2 xy, -a2 c2 yz,
a2 c2 (3z^2 - 1)/(2 sqrt 3), -a2 c2 xz, a2 c2 (x^2 - y^2)/2)``, ``a = (pi, 2 pi/sqrt 3, 2 pi/sqrt 8)`` and
``c = (1/sqrt(4 pi), sqrt 3/sqrt(4 pi), 3 sqrt 5/sqrt(12 pi))``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from listener_head.render.theme import Lights

FloatArray = NDArray[np.float64]

PAPER_SIZE = 27  # coefficients: nine for red, nine for green, nine for blue
_AMBIENT = 0.8
_A = np.pi * np.array([1.0, 2.0 / np.sqrt(3.0), 2.0 / np.sqrt(8.0)])
_C = np.array([1.0, np.sqrt(3.0), 3.0 * np.sqrt(5.0 / 3.0)]) / np.sqrt(4.0 * np.pi)
# Factors from the nine coefficients to those of the terms 1, y, z, x, xy, yz, 3z^2 - 1, xz, x^2 - y^2.
_TERMS = np.repeat(_A * _C, (1, 3, 5)) * [1, -1, 1, -1, 1, -1, 0.5 / np.sqrt(3.0), -1, 0.5]

# The shadow's map is a square about the head, as far before it as behind it [m].
MAP_REACH, MAP_DEPTH = 0.20, 0.40


def paper_terms(lighting: ArrayLike) -> FloatArray:
    """Polynomial terms [9, 3] of the paper's lighting [27]."""
    gamma = np.asarray(lighting, np.float64).reshape(3, 9).T.copy()
    gamma[0] += _AMBIENT
    terms: FloatArray = gamma * _TERMS[:, None]
    return terms


def theme_terms(lights: Lights) -> FloatArray:
    """Polynomial terms [9, 3] of all of a theme's light but key and rim.

    A lamp's clamped cosine is 1/4 + c/2 + 5/32 (3c^2 - 1) up to the second band.
    """
    sky, ground, fill = (np.array(value) for value in (lights.sky, lights.ground, lights.fill.colour))
    terms = np.zeros((9, 3))
    terms[0] = 0.5 * (sky + ground)
    terms[1] = 0.5 * (sky - ground)
    x, y, z = lights.fill.towards
    # 3 c^2 - 1 with c = n . d, in the terms' own polynomials.
    square = np.array([6 * x * y, 6 * y * z, 1.5 * z * z - 0.5, 6 * x * z, 1.5 * (x * x - y * y)])
    cosine = np.concatenate([[0.25], 0.5 * np.array([y, z, x]), 5.0 / 32.0 * square])
    return terms + cosine[:, None] * fill


def shade(terms: FloatArray, normals: FloatArray) -> FloatArray:
    """Light [N, 3] that falls on surfaces with these unit normals [N, 3]."""
    x, y, z = np.asarray(normals, np.float64).T
    one = np.ones_like(x)
    polynomials = np.stack([one, y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y], axis=1)
    light: FloatArray = polynomials @ terms
    return light


def shadow_view(towards: ArrayLike, centre: ArrayLike) -> FloatArray:
    """Matrix [4, 4] from camera space to the shadow map (0 to 1 in x, y and depth) of a far light."""
    back = np.asarray(towards, np.float64)
    side = np.cross([0.0, 1.0, 0.0] if abs(back[1]) < 0.95 else [0.0, 0.0, 1.0], back)
    side /= np.linalg.norm(side)
    # Mirrored, as the pictures are: the same triangles face the light as face the viewer.
    axes = np.stack([-side, np.cross(back, side), -back])
    scale = 0.5 / np.array([MAP_REACH, MAP_REACH, MAP_DEPTH])
    view = np.eye(4)
    view[:3, :3] = axes * scale[:, None]
    view[:3, 3] = 0.5 - view[:3, :3] @ np.asarray(centre, np.float64)
    return view
