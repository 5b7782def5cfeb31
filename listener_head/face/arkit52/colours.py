"""The skin's colours as a texture of the left half of the face, seen from the front.

u = |x| / 110 mm and v = (y + 180) / 310 mm: both halves share it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from listener_head.face.arkit52 import contours
from listener_head.face.arkit52.fields import Array, blend, bump, smoothstep

SKIN = (0.885, 0.695, 0.600)
WIDTH_MM, BOTTOM_MM, HEIGHT_MM = 110.0, -180.0, 310.0
PIXELS = (360, 1000)  # u, v: 3.3 per mm


@dataclass(frozen=True)
class Tones:
    """What the texture is painted with, sRGB 0 to 1.

    ``flush`` from 0 to 1 is how red the blood makes cheeks, nose, chin and the skin's folds. ``seams`` draws
    the joints of a robot's face plates.
    """

    skin: tuple[float, float, float] = SKIN
    flush: float = 1.0
    lips: tuple[float, float, float] = (0.775, 0.435, 0.405)
    brows: tuple[float, float, float] = (0.247, 0.158, 0.110)
    seams: bool = False

    def of_skin(self, colour: ArrayLike) -> Array:
        """Shades [..., 3] that the shipped skin has somewhere, as this skin has them."""
        ratio = np.asarray(colour, float) / SKIN
        grey = ratio.mean(axis=-1, keepdims=True)
        return self.skin * (grey + self.flush * (ratio - grey))


def brow_centre(x: Array) -> Array:
    """Height of the brow's middle line at |x|: rises to three quarters of its length, then falls."""
    ax = np.abs(x)
    return 38.0 + 4.0 * smoothstep(8.0, 40.0, ax) - 7.5 * smoothstep(36.0, 60.0, ax)


def texcoords(vertices: Array) -> Array:
    """u, v [n, 2] of skin vertices [n, 3]."""
    return np.stack([np.abs(vertices[:, 0]) / WIDTH_MM, (vertices[:, 1] - BOTTOM_MM) / HEIGHT_MM], axis=1)


def _complexion(x: Array, y: Array, tones: Tones) -> Array:
    colours = np.tile(SKIN, (len(x), 1))
    colours = blend(colours, (0.90, 0.53, 0.46), 0.42 * bump(x - 42, 14) * bump(y + 18, 13))  # cheeks
    colours = blend(colours, (0.87, 0.52, 0.45), 0.38 * bump(x, 13) * bump(y + 19, 10))  # nose
    colours = blend(colours, (0.88, 0.58, 0.50), 0.20 * bump(x, 18) * bump(y + 84, 10))  # chin
    colours = blend(colours, (0.93, 0.74, 0.63), 0.45 * bump(x, 32) * bump(y - 66, 20))  # forehead
    colours = blend(colours, (0.70, 0.46, 0.41), 0.34 * bump(x - 30, 13) * bump(y - 29, 4.5))  # upper lids
    colours = blend(colours, (0.76, 0.52, 0.48), 0.28 * bump(x - 29, 11) * bump(y - 9, 4.0))
    colours = blend(colours, (0.30, 0.14, 0.12), 0.75 * bump(x - 6.4, 2.1) * bump(y + 28.0, 1.1))  # nostrils
    return tones.of_skin(colours)


def _lips(colours: Array, x: Array, y: Array, tones: Tones) -> Array:
    inside = np.minimum(contours.upper_lip(x) - y, y - contours.lower_lip(x))
    # The red runs out before the corners: there it is all shade.
    width = smoothstep(contours.MOUTH_HALF_WIDTH + 0.5, contours.MOUTH_HALF_WIDTH - 7.0, x)
    upper = smoothstep(-0.5, 0.5, y - contours.mouth_line(x))
    red = smoothstep(-0.9, 0.9, inside) * width
    colours = blend(colours, tones.lips, 0.92 * red * (1 - upper))
    colours = blend(colours, np.multiply(tones.lips, (0.923, 0.862, 0.877)), 0.92 * red * upper)
    seam = bump(y - contours.mouth_line(x), 0.55) * smoothstep(26.5, 23.0, x)
    colours = blend(colours, np.multiply(tones.lips, (0.542, 0.391, 0.395)), 0.75 * seam)
    corner = bump(x - contours.MOUTH_HALF_WIDTH - 0.5, 2.4) * bump(y - contours.mouth_line(x), 1.7)
    return blend(colours, tones.of_skin((0.60, 0.36, 0.31)), 0.45 * corner)


def _brows(colours: Array, x: Array, y: Array, tones: Tones) -> Array:
    along = np.clip((x - 9.5) / (55.0 - 9.5), 0.0, 1.0)
    half = 3.8 * (1.0 - along) ** 0.55 * smoothstep(-0.05, 0.16, along) + 0.5
    offset = (y - brow_centre(x)) / half
    ends = smoothstep(8.5, 14.5, x) * smoothstep(56.0, 49.0, x)
    # Hairs lean outwards, more so along the brow.
    strands = np.sin(2.6 * x - (1.5 - 1.1 * along) * (y - brow_centre(x)) * 1.6) * np.sin(1.1 * x + 0.7 * y)
    density = smoothstep(1.25, 0.35, np.abs(offset)) * ends * (0.93 + 0.07 * strands)
    return blend(colours, tones.brows, 0.93 * density)


def _eyes(colours: Array, x: Array, y: Array, tones: Tones) -> Array:
    cx, half = contours.EYE_CENTRE[0], contours.EYE_HALF_WIDTH
    upper, lower = contours.upper_lid(x), contours.lower_lid(x)
    t = (x - cx) / half
    near = smoothstep(1.16, 0.98, np.abs(t))
    lash = smoothstep(1.7 + 0.5 * t, 0.5, np.abs(y - upper - 0.3)) * near
    colours = blend(colours, (0.17, 0.10, 0.08), 0.9 * lash * smoothstep(-1.05, -0.6, t))
    colours = blend(
        colours,
        tones.of_skin((0.58, 0.35, 0.31)),
        0.55 * smoothstep(1.6, 0.2, np.abs(y - lower + 0.2)) * near,
    )
    crease = bump(y - upper - 5.0 - 0.6 * t, 0.8) * smoothstep(1.15, 0.7, np.abs(t))
    return blend(colours, tones.of_skin((0.56, 0.34, 0.29)), 0.55 * crease)


def _seams(colours: Array, x: Array, y: Array) -> Array:
    """The joints of plates: around the face, and down from the corners of the mouth."""
    around = np.hypot(x / 61.0, (y + 4.0) / 88.0) - 1.0
    jaw_x = 31.0 + 0.06 * (contours.MOUTH_Y - y)
    below = smoothstep(contours.MOUTH_Y - 2.0, contours.MOUTH_Y - 6.0, y) * smoothstep(0.02, -0.02, around)
    for offset in (around * 70.0, np.where(below > 0, x - jaw_x, 99.0)):
        colours = blend(colours, (1.0, 1.0, 1.0), 0.5 * bump(offset - 1.1, 0.5))
        colours = blend(colours, (0.10, 0.11, 0.13), 0.85 * bump(offset, 0.6))
    return colours


def skin_colours(x: Array, y: Array, tones: Tones) -> Array:
    """sRGB [n, 3] at frontal coordinates of the left half."""
    colours = _complexion(x, y, tones)
    if tones.seams:
        colours = _seams(colours, x, y)
    colours = _lips(colours, x, y, tones)
    colours = _eyes(colours, x, y, tones)
    return np.clip(_brows(colours, x, y, tones), 0.0, 1.0)


def texture(tones: Tones = Tones()) -> NDArray[np.uint8]:
    """Texture [1000, 360, 3] uint8 sRGB."""
    u = (np.arange(PIXELS[0]) + 0.5) / PIXELS[0] * WIDTH_MM
    v = (np.arange(PIXELS[1]) + 0.5) / PIXELS[1] * HEIGHT_MM + BOTTOM_MM
    x, y = np.meshgrid(u, v)
    image = skin_colours(x.ravel(), y.ravel(), tones).reshape(*x.shape, 3)
    return np.round(image * 255).astype(np.uint8)
