"""Shoulders in a plain knitted jumper with a round collar."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import PchipInterpolator

from listener_head.face.arkit52.fields import Part, blend, grid_triangles, smoothstep

COLOUR = (0.27, 0.40, 0.47)
COLLAR = np.array([0.24, 0.36, 0.43])

# From inside the collar over its roll and down over the shoulders:
# distance along, half width, front z, back z, y at the front, y at the side, y at the back.
_SECTIONS = np.array(
    [
        [-1.0, 54.0, 36.0, -74.0, -178.0, -168.0, -158.0],
        [0.0, 58.0, 41.0, -78.0, -152.0, -140.0, -128.0],
        [1.0, 60.5, 46.0, -83.0, -147.0, -134.0, -122.0],
        [2.0, 65.0, 51.0, -88.0, -148.5, -134.5, -123.0],
        [3.0, 67.5, 54.0, -91.0, -156.0, -139.5, -129.0],
        [3.6, 67.5, 54.5, -91.0, -159.5, -142.0, -132.0],
        [4.5, 78.0, 58.0, -93.0, -166.0, -147.0, -138.0],
        [6.0, 112.0, 67.0, -97.0, -186.0, -158.0, -155.0],
        [7.5, 160.0, 76.0, -98.0, -212.0, -172.0, -180.0],
        [8.6, 196.0, 82.0, -96.0, -240.0, -196.0, -215.0],
        [9.4, 212.0, 85.0, -92.0, -275.0, -240.0, -250.0],
        [10.0, 216.0, 86.0, -90.0, -310.0, -300.0, -300.0],
    ]
)


def clothes() -> Part:
    """The jumper; it stays where it is when the head moves."""
    rows, columns = 28, 72
    s = np.linspace(0.0, 1.0, rows) ** 1.25 * 11.0 - 1.0
    sections = PchipInterpolator(_SECTIONS[:, 0], _SECTIONS[:, 1:])(s)
    width, front, back, y_front, y_side, y_back = (
        np.broadcast_to(column[:, None], (rows, columns)) for column in sections.T
    )
    turn = np.broadcast_to(np.arange(columns) * 2 * np.pi / columns, (rows, columns))
    c = np.cos(turn)
    middle = -20.0
    x = width * np.sin(turn)
    z = middle + np.where(c >= 0, front - middle, middle - back) * c
    y = y_side + np.where(c >= 0, y_front - y_side, y_back - y_side) * np.abs(c) ** 1.6
    vertices = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    along = np.repeat(s, columns)
    ribs = 0.5 + 0.5 * np.cos(turn.ravel() * columns / 2)
    collar = smoothstep(3.6, 3.3, along)
    colours = blend(np.tile(COLOUR, (len(vertices), 1)), COLLAR * 0.8, collar * (0.35 + 0.45 * ribs))
    mirror = np.arange(rows * columns).reshape(rows, columns)[:, -np.arange(columns) % columns].ravel()
    return Part("cloth", vertices, grid_triangles(rows, columns, wrap=True), colours, mirror)
