"""Short, full hair: a rounded shell over the scalp whose rim follows the hairline, and locks upon it."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.spatial import cKDTree

from listener_head.face.arkit52 import skull
from listener_head.face.arkit52.fields import Array, Part, blend, bump, grid_triangles, smoothstep

COLUMNS = 104
ROWS = 24
COLOUR, LIGHT = (0.235, 0.150, 0.105), (0.40, 0.27, 0.18)  # sRGB; where it catches the light
PARTING = np.array([26.0, 108.0, 40.0])
PARTING_THETA = np.radians(30.0)

# Rings of locks from the crown to the rim: locks in the ring, where they begin and end as shares of the way
# to the rim, and their width in mm.
_RINGS = ((26, 0.05, 0.50, 15.0), (40, 0.20, 0.72, 16.0), (54, 0.42, 0.92, 14.5), (66, 0.62, 1.0, 12.5))
_SECTIONS = 9  # along a lock
SEED = 12

# Height of the hairline around the head: angle in degrees (positive: the subject's left), y in mm.
# Parted on the left; the fringe sweeps over to the right temple; over the ears' tops; to the nape.
_HAIRLINE = np.array(
    [
        [-180, -72], [-150, -66], [-128, -46], [-116, -16], [-106, 12], [-96, 18], [-86, 8], [-78, -4],
        [-71, 2], [-63, 20], [-54, 38], [-44, 53], [-32, 64], [-18, 73], [-4, 80], [10, 86],
        [22, 90], [30, 89], [38, 82], [46, 69], [54, 49], [63, 26], [71, 4], [78, -4],
        [86, 8], [96, 18], [106, 12], [116, -16], [128, -46], [150, -66], [180, -72],
    ]
)  # fmt: skip


def hairline_v(theta: Array) -> Array:
    """v [n] of the hairline at theta."""
    height = PchipInterpolator(np.radians(_HAIRLINE[:, 0]), _HAIRLINE[:, 1])(theta)
    low, high = np.full(theta.shape, 1.0), np.full(theta.shape, skull.V_END)
    for _ in range(40):
        middle = 0.5 * (low + high)
        above = skull.surface(np.abs(theta), middle)[..., 1] > height
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return low


def _normals(theta: Array, v: Array) -> Array:
    """Outward unit normals [n, 3] of the plain surface."""
    step = 1e-3
    around = skull.surface(theta + step, v) - skull.surface(theta - step, v)
    down = skull.surface(theta, v + 0.3) - skull.surface(theta, np.maximum(v - 0.3, 0.0))
    normals = np.cross(down, around)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)


def _thickness(base: Array, distance: Array) -> Array:
    """How far the hair stands off the scalp [n] in mm, at a distance [n] behind the hairline.

    Fuller on top and above the forehead, round at the rim, lower along the parting.
    """
    x, y, z = base.T
    top, front = smoothstep(30, 115, y), smoothstep(-20, 60, z)
    full = 9.0 + 5.5 * top + 2.5 * front * top
    rounding = np.clip(distance / (6.0 + 7.0 * top), 0.0, 1.0)
    parting = bump(x - PARTING[0] + 0.10 * (z - 60.0), 4.5) * smoothstep(15, 60, z)
    # At the rim the shell dips 1.2 mm under the skin.
    thickness = full * np.sqrt(1.0 - (1.0 - rounding) ** 2) - 1.2
    return thickness + 1.3 * _locks(base) * smoothstep(0.0, 10.0, distance) - 4.0 * parting * top


def hair() -> Part:
    """The hair. It does not move with expressions."""
    theta = np.linspace(-np.pi, np.pi, COLUMNS, endpoint=False) + 1e-4
    rim = hairline_v(theta) + 1.5
    # Rows close up towards the rim, where the shell curves down into the skin.
    share = 1.0 - (1.0 - np.linspace(0.0, 1.0, ROWS)) ** 1.6
    t = np.tile(theta, ROWS)
    v = np.maximum(np.outer(share, rim).ravel(), 0.05)
    base = skull.surface(t, v)
    distance = cKDTree(skull.surface(theta, rim)).query(base)[0]
    vertices = base + _normals(t, v) * _thickness(base, distance)[:, None]
    shimmer = 0.30 + 0.28 * _locks(base) + 0.1 * _locks(base, 2.7)
    colours = blend(np.tile(COLOUR, (len(v), 1)), LIGHT, shimmer)
    triangles = grid_triangles(ROWS, COLUMNS, wrap=True)
    return Part("hair", vertices, triangles, colours, np.arange(len(v)))


def locks() -> Part:
    """Locks combed away from the parting; those of the last ring end in points over forehead and nape."""
    rng = np.random.default_rng(SEED)
    vertices, colours = [], []
    for ring, (count, start, end, width) in enumerate(_RINGS):
        for theta in (np.arange(count) + rng.uniform(-0.35, 0.35, count)) * 2 * np.pi / count - np.pi:
            over = rng.uniform(2.0, 13.0) * _free_of_ears(theta) if ring == len(_RINGS) - 1 else 0.0
            begin, until = start + rng.uniform(-0.06, 0.06), end - rng.uniform(0.0, 0.07) * (over == 0)
            path, normals = _path(theta, max(begin, 0.02), until, over)
            vertices.append(_ribbon(path, normals, width * rng.uniform(0.75, 1.2), rng.uniform(0.9, 1.9)))
            colours.append(_lock_colours(rng.normal(0.42, 0.20)))
    n, k = len(vertices), 3 * _SECTIONS
    one = grid_triangles(_SECTIONS, 3)
    triangles = (one[None] + np.arange(n)[:, None, None] * k).reshape(-1, 3)
    return Part("lock", np.concatenate(vertices), triangles, np.concatenate(colours), np.arange(n * k))


def _free_of_ears(theta: float) -> float:
    """1 where a lock may hang over the hairline, 0 about the ears, at 80 to 115 degrees."""
    return float(np.clip((abs(abs(np.degrees(theta)) - 97.0) - 20.0) / 10.0, 0.0, 1.0))


def _path(theta: float, start: float, end: float, over: float) -> tuple[Array, Array]:
    """A lock's middle line and the normals there [sections, 3]; its tip lies ``over`` mm beyond the rim."""
    share = np.linspace(start, end, _SECTIONS)
    front = np.clip(np.cos(theta) + 0.35, 0.0, 1.0)
    away = np.tanh((theta - PARTING_THETA) * 4.0)
    beyond = over * np.linspace(0.0, 1.0, _SECTIONS) ** 3
    turn = theta + away * front * (1.0 * (share - end) + 0.012 * beyond)
    rim = hairline_v(turn) + 1.5
    v = share * rim + beyond
    base, normals = skull.surface(turn, v), _normals(turn, v)
    shell = _thickness(base, np.maximum(rim - v, 0.0))
    return base + normals * np.maximum(shell, 1.6)[:, None], normals


def _ribbon(path: Array, normals: Array, width: float, height: float) -> Array:
    """A lock [3 sections, 3]: left edge, ridge and right edge, row by row, pointed at its tip."""
    along = np.linspace(0.0, 1.0, _SECTIONS)
    forward = np.gradient(path, axis=0)
    across = np.cross(normals, forward)
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
    half = 0.5 * width * smoothstep(-0.35, 0.2, along) * (1.0 - 0.97 * along**2.2) ** 0.8
    ridge = height * (0.25 + 0.75 * np.sin(np.pi * np.minimum(along + 0.15, 1.0)))
    # Edges and roots sink into what lies under them.
    low = -0.7 - 1.2 * smoothstep(0.3, 0.0, along)
    middle = path + normals * (ridge + low * smoothstep(0.25, 0.0, along))[:, None]
    side = across * half[:, None]
    edge = path + normals * low[:, None]
    return np.stack([edge - side, middle, edge + side], axis=1).reshape(-1, 3)


def _lock_colours(tone: float) -> Array:
    """sRGB [3 sections, 3]: dark at root and edges, where locks shade each other."""
    along = np.linspace(0.0, 1.0, _SECTIONS)[:, None]
    light = tone + 0.25 * bump(along - 0.45, 0.25) * np.array([[0.3, 1.0, 0.5]])
    light = light - np.array([[0.35, 0.0, 0.28]]) - 0.25 * smoothstep(0.3, 0.0, along)
    return np.clip(COLOUR + np.subtract(LIGHT, COLOUR) * light.reshape(-1, 1), 0.02, 1.0)


def _locks(base: Array, scale: float = 1.0) -> Array:
    """-1 to 1, constant along the strands [n]: they are combed from a parting on the left to the side."""
    offset = base - PARTING
    angle = np.arctan2(offset[:, 2] * 0.8 + 0.25 * offset[:, 1], offset[:, 0])
    phase = angle * 14.0 * scale + 0.018 * np.linalg.norm(offset, axis=1) * scale
    return 0.6 * np.sin(phase) + 0.4 * np.sin(2.3 * phase + 1.3)
