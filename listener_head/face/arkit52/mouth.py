"""What lies behind the lips: the lining of the mouth, teeth and tongue."""

from __future__ import annotations

import numpy as np

from listener_head.face.arkit52 import contours
from listener_head.face.arkit52.fields import (
    Array,
    Index,
    Part,
    blend,
    bump,
    grid_triangles,
    rotate_x,
    smoothstep,
)
from listener_head.face.arkit52.skin import Skin

# The jaw turns about the condyles, just before the ear canal, and glides forward as it opens.
# 15 degrees part the incisors by 26 mm; 7 mm is the usual glide.
CONDYLE = np.array([0.0, 2.0, 4.0])
JAW_ANGLE = np.radians(15.0)
JAW_GLIDE = np.array([0.0, -1.5, 7.0])
JAW_FORWARD = np.array([0.0, 0.5, 7.2])
JAW_LEFT = np.array([7.0, 0.0, -0.3])
TONGUE_ROOT_Z, TONGUE_LENGTH = 43.0, 45.0


def jaw_opening(vertices: Array) -> Array:
    """Movement [n, 3] of points fixed to the jaw when it opens fully."""
    return rotate_x(vertices, JAW_ANGLE, CONDYLE) + JAW_GLIDE - vertices


def _grid_mirror(rows: int, columns: int) -> Index:
    """Mirror vertices of a grid whose columns run from one side to the other."""
    return np.arange(rows * columns).reshape(rows, columns)[:, ::-1].ravel()


def lining(skin: Skin) -> Part:
    """The inside of lips and cheeks: from the line where the lips meet back to the throat."""
    loop = skin.lip_loops[0]
    edge = skin.vertices[loop]
    up = np.sign(skin.side[loop])
    n = len(loop)
    # Row by row: shrink in x, rise from the line, depth behind it, share of the lips' movement.
    steps = [(1.0, 0.0, 0.0, 1.0), (0.985, -0.7, 2.2, 1.0), (0.96, 3.0, 5.0, 0.85), (0.95, 9.0, 9.0, 0.5),
             (0.92, 14.0, 22.0, 0.15), (0.75, 13.0, 45.0, 0.0), (0.0, 0.0, 46.0, 0.0)]  # fmt: skip
    # The second row of the upper lip hangs below the lower lip's: closed lips leave no slit.
    rows, follow, jaw = [], [], []
    for shrink, rise, depth, share in steps:
        height = np.where(up == 0, 0.0, up * rise)
        rows.append(np.stack([edge[:, 0] * shrink, edge[:, 1] + height, edge[:, 2] - depth], axis=1))
        follow.append(np.full(n, share))
        jaw.append((1.0 - share) * np.where(up == 0, 0.5, np.where(up > 0, 0.0, 1.0)))
    shade = np.linspace(0.0, 1.0, len(steps)).repeat(n)
    red = np.tile([0.60, 0.26, 0.25], (len(shade), 1))
    colours = blend(red, [0.10, 0.025, 0.03], smoothstep(0.05, 0.45, shade))
    # The loop starts in the right corner: mirroring reverses upper and lower lip about their middles.
    half = n // 2
    column = np.concatenate([np.arange(half, -1, -1), np.arange(n - 1, half, -1)])
    mirror = (np.arange(len(steps))[:, None] * n + column).ravel()
    return Part(
        "mouth", np.concatenate(rows), grid_triangles(len(steps), n, wrap=True), colours, mirror,
        np.tile(loop, len(steps)), np.concatenate(follow), np.concatenate(jaw),
    )  # fmt: skip


def _arch(gum_y: float, edge_y: float, front_z: float, half_width: float, jaw: float) -> Part:
    """A row of teeth as a curved band; grooves between the teeth are coloured."""
    columns = 73
    s = np.linspace(-1.0, 1.0, columns)
    x = half_width * np.sin(s * 1.35) / np.sin(1.35)
    z = front_z - 30.0 * (1.0 - np.cos(s * 1.35)) / (1.0 - np.cos(1.35))
    arc = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(z)))])
    teeth_from_middle = (arc - arc[columns // 2]) / 8.2
    # 1 where two teeth meet, as in the middle, 0 on their faces.
    gap = smoothstep(0.20, 0.0, 2.0 * np.abs((teeth_from_middle + 0.5) % 1.0 - 0.5))
    rows, colours = [], []
    for share in (0.0, 0.35, 0.7, 0.93, 1.0):
        y = gum_y + share * (edge_y - gum_y) * (1.0 - 0.05 * gap * (share > 0.9))
        bulge = 0.9 * np.sin(np.pi * min(share + 0.15, 1.0)) - 0.5 * gap - (1.2 if share == 1.0 else 0.0)
        rows.append(np.stack([x, y, z + bulge], axis=1))
        enamel = blend(np.tile([0.95, 0.93, 0.89], (columns, 1)), [0.70, 0.62, 0.56], 0.55 * gap)
        enamel = blend(enamel, [0.80, 0.48, 0.46], np.full(columns, float(share == 0.0)))
        colours.append(enamel * np.exp(-0.9 * np.abs(s) ** 3)[:, None])
    triangles = grid_triangles(5, columns)
    if edge_y > gum_y:
        triangles = triangles[:, ::-1]
    n = 5 * columns
    return Part("teeth", np.concatenate(rows), triangles, np.concatenate(colours), _grid_mirror(5, columns),
                np.zeros(n, np.int64), np.zeros(n), np.full(n, jaw))  # fmt: skip


def teeth() -> list[Part]:
    """Upper and lower teeth, 7 mm behind the closed lips; 3 mm of the upper ones stand below the lip line."""
    front = 92.5
    return [
        _arch(contours.MOUTH_Y + 9.0, contours.MOUTH_Y - 3.2, front, 26.5, jaw=0.0),
        _arch(contours.MOUTH_Y - 12.5, contours.MOUTH_Y - 1.6, front - 2.0, 24.0, jaw=1.0),
    ]


def tongue() -> Part:
    """The tongue, resting behind the lower teeth: rings from the root to the tip."""
    rows, columns = 16, 24
    along = 1.0 - (1.0 - np.linspace(0.0, 1.0, rows)) ** 1.4
    share, turn = np.meshgrid(along, np.arange(columns) * 2 * np.pi / columns, indexing="ij")
    round_tip = np.sqrt(np.maximum(1.0 - (np.maximum(share - 0.4, 0.0) / 0.6) ** 4, 0.0))
    across, up = -np.cos(turn), np.sin(turn)
    thickness = np.where(up > 0, 3.2, 4.5) * round_tip
    y = _tongue_middle(share) + thickness * up
    y -= 1.3 * bump(across, 0.2) * (up > 0) * round_tip * smoothstep(1.0, 0.8, share)
    z = TONGUE_ROOT_Z + TONGUE_LENGTH * share
    vertices = np.stack([15.0 * round_tip * across, y, z], axis=-1).reshape(-1, 3)
    colours = np.tile([0.78, 0.40, 0.40], (len(vertices), 1))
    groove = bump(across, 0.14) * (up > 0) * smoothstep(1.0, 0.85, share)
    colours = blend(colours, [0.64, 0.30, 0.32], 0.6 * groove.ravel())
    n = len(vertices)
    mirror = np.arange(rows)[:, None] * columns + (columns // 2 - np.arange(columns)) % columns
    return Part("tongue", vertices, grid_triangles(rows, columns, wrap=True), colours, mirror.ravel(),
                np.zeros(n, np.int64), np.zeros(n), np.ones(n))  # fmt: skip


def _tongue_middle(share: Array) -> Array:
    """Height of the resting tongue's middle, ``share`` of the way from root to tip."""
    return contours.MOUTH_Y - 9.5 + 2.8 * np.sin(np.pi * share)


def tongue_out(vertices: Array) -> Array:
    """Movement [n, 3] of the tongue that reaches out over the lower teeth and hangs over the lip."""
    x, y, z = vertices.T
    share = (z - TONGUE_ROOT_Z) / TONGUE_LENGTH
    ahead = smoothstep(0.05, 0.9, share)
    forward = 31.0 * ahead
    path = contours.MOUTH_Y + np.interp(
        z + forward, [70.0, 84.0, 91.0, 98.0, 104.0, 111.0, 119.0], [-7.0, -1.2, 0.2, -1.0, -4.2, -9.5, -16.0]
    )
    raised = smoothstep(0.1, 0.5, share) * (path - _tongue_middle(share))
    thinner = -0.45 * ahead * (y - _tongue_middle(share))
    return np.stack([-0.10 * x * ahead, raised + thinner, forward], axis=1)
