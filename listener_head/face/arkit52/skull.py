"""The head's surface without openings: cross-sections from crown to collar, and the face's relief.

The surface is a generalised cylinder: ``theta`` goes around (0 the front midline, pi/2 the subject's
left, pi the back), ``v`` runs down the front profile from the crown in millimetres of arc.
Each cross-section is a superellipse in x and z whose height changes around the head, so that the
jaw line, which is low at the chin and high below the ear, is one section, and the skin goes on
under the jaw and down the neck without a seam.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator
from scipy.ndimage import gaussian_filter1d

from listener_head.face.arkit52.fields import Array, bump, smoothstep

# Adult means (both sexes) from the tragion, the notch before the ear canal, which is the origin:
# vertex 130 above, pupils 20 above, stomion 48 below, menton 93 below, glabella 97 before and
# opisthocranion 95 behind it; head breadth 150, bizygomatic 136, neck breadth 98.
# columns:   front y, z |  side y, half width, z |  back y, z
LEVELS = np.array(
    [
        [130.0, -6.0, 130.0, 0.0, -6.0, 130.0, -6.0],  # vertex
        [127.0, 28.0, 127.0, 30.0, -8.0, 127.0, -42.0],
        [115.5, 55.0, 115.5, 51.5, -9.0, 115.0, -70.0],
        [97.0, 74.5, 97.0, 65.0, -9.0, 94.0, -86.0],
        [70.0, 89.0, 70.0, 72.0, -9.0, 65.0, -94.0],  # forehead
        [40.0, 94.5, 40.0, 73.5, -8.0, 32.0, -95.0],  # glabella
        [22.0, 92.5, 20.0, 72.0, -6.0, 10.0, -93.0],  # sellion, pupils
        [-4.0, 92.0, 0.0, 69.5, -3.0, -8.0, -88.0],  # cheek bones
        [-27.0, 92.5, -20.0, 66.0, 0.0, -25.0, -80.0],  # subnasale
        [-48.0, 92.5, -38.0, 61.5, 3.0, -42.0, -72.0],  # stomion
        [-67.0, 91.0, -52.0, 56.0, 5.0, -56.0, -66.0],
        [-80.0, 89.5, -61.0, 52.5, 5.0, -66.0, -63.0],  # pogonion, angle of the jaw
        [-89.0, 84.5, -68.0, 50.5, 3.0, -73.0, -62.0],
        [-94.0, 73.0, -74.0, 48.5, 0.0, -79.0, -61.0],  # menton, lower border of the jaw
        [-97.5, 56.0, -83.0, 46.5, -5.0, -87.0, -60.0],
        [-103.5, 41.0, -95.0, 46.0, -10.0, -97.0, -61.0],  # cervical point
        [-126.0, 36.0, -117.0, 48.5, -15.0, -115.0, -65.0],
        [-150.0, 36.0, -142.0, 56.0, -18.0, -135.0, -72.0],  # base of the neck
        [-175.0, 46.0, -168.0, 72.0, -20.0, -158.0, -80.0],
    ]
)
V_LEVELS = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(LEVELS[:, :2], axis=0).T))])
V_END = float(V_LEVELS[-1])
ROUNDNESS = 0.90  # exponent 2/n of the superellipse; below 1 is fuller than an ellipse


def _profiles() -> CubicSpline:
    v = np.linspace(0.0, V_END, 800)
    columns = PchipInterpolator(V_LEVELS, LEVELS)(v)
    smooth = gaussian_filter1d(columns, sigma=5.0 / (v[1] - v[0]), axis=0, mode="nearest")
    # The crown keeps its point; smoothing sets in over the first centimetres.
    keep = smoothstep(0.0, 25.0, v)[:, None]
    return CubicSpline(v, smooth * keep + columns * (1.0 - keep))


PROFILE = _profiles()


def surface(theta: Array, v: Array) -> Array:
    """Points [n, 3] of the plain surface, without the face's relief."""
    yf, zf, ys, width, zs, yb, zb = PROFILE(v).T
    s, c = np.sin(theta), np.cos(theta)
    front = c >= 0
    around = np.abs(c) ** ROUNDNESS
    height = np.where(front, (yf - ys) * np.abs(c) ** 2.4, (yb - ys) * np.abs(c) ** 2)
    depth = np.where(front, (zf - zs) * around, (zb - zs) * around)
    x = np.maximum(width, 0.0) * np.sign(s) * np.abs(s) ** ROUNDNESS
    x = np.where(np.isclose(theta, np.pi) | (theta == 0), 0.0, x)
    return np.stack([x, ys + height, zs + depth], axis=-1)


def at_front(x: Array, y: Array) -> tuple[Array, Array]:
    """theta, v of the surface's front half at the frontal coordinates x, y [n] (bisection in v)."""
    low, high = np.full(len(x), 1.0), np.full(len(x), V_END)

    def theta_of(v: Array) -> Array:
        share = np.clip(np.abs(x) / np.maximum(PROFILE(v)[:, 3], 1e-6), 0.0, 1.0)
        return np.sign(x) * np.arcsin(share ** (1.0 / ROUNDNESS))

    for _ in range(50):
        middle = 0.5 * (low + high)
        above = surface(theta_of(middle), middle)[:, 1] > y
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    v = 0.5 * (low + high)
    return theta_of(v), v


def nose_relief(x: Array, y: Array) -> Array:
    """Height [n] in mm of the nose over the surface; pronasale 22 mm, subnasale at y = -30."""
    ax = np.abs(x)
    # The tip hangs a little lower than the wings: what seems lower towards the sides is moved up.
    yc = np.clip(y - 1.6 * smoothstep(4.0, 14.0, ax), -34, 42)
    ridge_y = np.array([-34, -31, -28.5, -25.5, -22, -17.5, -13, -6, 4, 14, 22, 30, 42])
    ridge = PchipInterpolator(ridge_y, [0, 1.0, 4.0, 11.0, 18.0, 22.5, 21.0, 16.0, 10.5, 5.8, 2.8, 1.2, 0])
    width = PchipInterpolator(ridge_y, [8, 8, 8, 8.4, 8.8, 8.8, 8.4, 7.6, 6.8, 6.6, 7.2, 9, 10])
    z = ridge(yc) * bump(ax, width(yc))
    z += 8.5 * bump(ax - 12.5, 4.3) * bump(y + 20.5, 5.0)  # wings
    z -= 1.2 * bump(ax - 8.8, 2.2) * bump(y + 14.0, 5.0)  # groove between tip and wing
    z -= 4.0 * bump(ax - 6.3, 2.3) * bump(y + 27.0, 1.9)  # nostrils
    z -= 1.6 * bump(ax - 18.0, 3.0) * bump(y + 20.0, 6.0)  # crease beside the wing
    return z


def face_relief(points: Array) -> Array:
    """Forward displacement [n] in mm of brow, sockets, cheeks, nose, mouth barrel and chin."""
    x, y = points[:, 0], points[:, 1]
    ax = np.abs(x)
    z = nose_relief(x, y)
    z += 3.0 * bump(y - 38.0, 7.0) * bump(ax - 24.0, 16.0)  # brow ridge
    z -= 7.5 * bump(ax - 30.0, 13.0) * bump(y - 21.0, 10.5)  # sockets
    z -= 2.6 * bump(ax - 15.5, 6.5) * bump(y - 18.0, 9.0)
    z += 4.5 * bump(ax - 42.0, 14.0) * bump(y + 8.0, 13.0)  # cheek bones
    z += 3.5 * bump(ax - 31.0, 12.0) * bump(y + 19.0, 12.0)  # apples of the cheeks
    z -= 1.5 * bump(ax - 47.0, 11.0) * bump(y + 48.0, 15.0)
    z += 5.5 * bump(x, 25.0) * bump(y + 48.0, 16.0)  # teeth push the mouth forward
    z -= 1.1 * bump(x, 2.2) * bump(y + 36.0, 4.5)  # philtrum and its ridges
    z += 0.6 * bump(ax - 5.0, 1.8) * bump(y + 36.5, 4.5)
    z -= 2.0 * bump(ax - 30.0, 4.0) * bump(y + 46.5, 5.0)  # pits at the corners of the mouth
    z -= 2.6 * bump(x, 17.0) * bump(y + 67.0, 5.5)  # mentolabial fold
    z += 6.0 * bump(x, 15.0) * bump(y + 81.0, 9.0)  # chin
    return z * smoothstep(0.0, 40.0, points[:, 2])
