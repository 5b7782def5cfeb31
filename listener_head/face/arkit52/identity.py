"""Identity modes: smooth changes of proportion over the whole head, one standard deviation each.

The deviations are those of adult anthropometry (both sexes together), halved where a mode moves each
side. Modes act on frontal coordinates, so that hair, ears, teeth and clothes go along; an eyeball
moves as one piece.
"""

from __future__ import annotations

import numpy as np

from listener_head.face.arkit52 import contours
from listener_head.face.arkit52.fields import Array, bump, smoothstep


def identity_modes(points: Array) -> dict[str, Array]:
    """Displacement [n, 3] in mm of points [n, 3] for one standard deviation of each mode."""
    x, y, z = points.T
    ax, sign = np.abs(x), np.tanh(x / 4.0)
    front = smoothstep(-10.0, 45.0, z)
    head = smoothstep(-150.0, -95.0, y)  # the body keeps its place
    zero = np.zeros_like(x)
    lower = smoothstep(-20.0, -85.0, y) * smoothstep(-150.0, -100.0, y)
    chin = smoothstep(-60.0, -88.0, y) * smoothstep(-140.0, -100.0, y)
    cheekbone = bump(ax - 58.0, 16.0) * bump(y + 2.0, 16.0) * smoothstep(-20.0, 30.0, z)
    forehead = smoothstep(30.0, 95.0, y)
    nose = bump(x, 13.0) * front
    nose_base = nose * bump(y + 22.0, 11.0)
    mouth = bump(ax / 30.0, 0.8) * bump(y - contours.MOUTH_Y, 15.0) * front
    eye = bump(ax - contours.EYE_CENTRE[0], 17.0) * bump(y - contours.EYE_CENTRE[1], 15.0) * front
    brow = bump(ax - 30.0, 22.0) * bump(y - 40.0, 9.0) * front
    brow *= smoothstep(2.0, 11.0, y - contours.upper_lid(x))  # the lids stay on the eyeball
    ex, ey = (ax - contours.EYE_CENTRE[0]) * np.sign(x), y - contours.EYE_CENTRE[1]
    widen = 0.16 * ey * bump(ey, 9.0) * eye
    line = y - contours.mouth_line(x)

    def move(dx: Array | float = 0.0, dy: Array | float = 0.0, dz: Array | float = 0.0) -> Array:
        return np.stack([zero + dx, zero + dy, zero + dz], axis=1)

    return {
        "face_width": move(dx=x * 0.042 * head),  # 6 mm of 140
        "face_depth": move(dz=z * 0.038 * head),
        "face_height": move(dy=(y - 20.0) * 0.048 * lower * 1.2),  # 5 mm from eyes to chin
        "forehead_height": move(dy=5.0 * forehead),
        "jaw_width": move(dx=3.6 * sign * lower * smoothstep(10, 35, ax) * smoothstep(-60, 10, z)),
        "chin_length": move(dy=-3.4 * bump(x, 26.0) * chin * front),
        "chin_forward": move(dz=3.2 * bump(x, 24.0) * bump(y + 82.0, 13.0) * front),
        "cheek_fullness": move(
            dx=3.0 * sign * bump(ax - 48.0, 14.0) * bump(y + 34.0, 22.0) * front,
            dz=3.2 * bump(ax - 40.0, 14.0) * bump(y + 34.0, 22.0) * front,
        ),
        "cheekbone_width": move(dx=2.6 * sign * cheekbone),
        "nose_length": move(dy=-3.2 * nose_base),
        "nose_width": move(dx=1.5 * np.tanh(x / 8.0) * bump(ax - 13.0, 7.0) * bump(y + 20.0, 9.0) * front),
        "nose_forward": move(dz=2.4 * bump(x, 9.0) * bump(y + 15.0, 11.0) * front),
        "nose_bridge": move(dz=2.0 * bump(x, 8.0) * bump(y - 10.0, 12.0) * front),
        "eye_spacing": move(dx=1.8 * np.sign(x) * np.tanh(ax / 12.0) * eye),
        "eye_height": move(dy=2.0 * eye),
        # The lids slide over the eyeball: what opens goes back.
        "eye_opening": move(dx=0.05 * ex * eye, dy=widen, dz=-widen * ey / contours.EYE_RADIUS),
        "brow_height": move(dy=2.6 * brow),
        "mouth_width": move(dx=x * 0.07 * mouth),
        "mouth_height": move(dy=2.4 * mouth),
        "lip_fullness": move(
            dy=0.16 * line * bump(line, 9.0) * mouth * 1.6, dz=1.1 * mouth * bump(line, 8.0)
        ),
    }
