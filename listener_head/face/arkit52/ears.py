"""The ears: a leaf with a rolled rim, a hollow and a lobe."""

from __future__ import annotations

import numpy as np

from listener_head.face.arkit52.fields import (
    Part,
    blend,
    bump,
    grid_triangles,
    rotate_y,
    smoothstep,
    with_mirror,
)

CENTRE = np.array([75.0, 3.0, -6.0])
HALF_HEIGHT, HALF_LENGTH = 30.0, 17.0  # 60 mm high, 34 mm long: adult means


def ears() -> Part:
    """Both ears; rigid on the head."""
    rows, columns = 11, 26
    turns = np.arange(columns) * 2 * np.pi / columns
    rho, turn = np.meshgrid(np.linspace(0.0, 1.0, rows), turns, indexing="ij")
    up, back = np.sin(turn), np.cos(turn)
    # Wider above, the lobe narrower; the ear leans back by 12 degrees.
    length = HALF_LENGTH * (1.0 + 0.16 * up - 0.10 * (up < -0.5) * (-up - 0.5))
    y, z = rho * HALF_HEIGHT * up, -rho * length * back
    lobe = smoothstep(-0.55, -0.85, rho * up)
    x = 5.0 * bump(rho - 0.86, 0.085) * (1 - 0.8 * lobe) * smoothstep(0.75, -0.2, -back * (np.abs(up) < 0.7))
    x += 3.0 * bump(rho - 0.55, 0.12) * smoothstep(-0.3, 0.5, back) * (1 - lobe)
    x -= 5.0 * bump(rho, 0.30)
    x += 2.5 * lobe - 6.0 * smoothstep(0.93, 1.0, rho)
    x += 2.5 * bump(rho - 0.45, 0.10) * smoothstep(0.6, 1.0, -back)
    lean = np.radians(12.0)
    y, z = y * np.cos(lean) + z * np.sin(lean), z * np.cos(lean) - y * np.sin(lean)
    local = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    vertices = rotate_y(local, np.radians(-22.0), np.zeros(3)) + CENTRE  # the back edge stands off the head
    colours = np.tile([0.87, 0.63, 0.53], (len(vertices), 1))
    colours = blend(colours, [0.74, 0.44, 0.38], bump(rho.ravel() - 0.15, 0.22) * 0.7)
    colours = blend(colours, [0.86, 0.55, 0.47], bump(rho.ravel() - 0.9, 0.08) * 0.5)
    part = Part("ear", vertices, grid_triangles(rows, columns, wrap=True), colours, np.arange(len(vertices)))
    return with_mirror(part)
