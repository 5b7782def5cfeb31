"""Expression shapes of jaw, lips and corners of the mouth: movement of the skin [n, 3] in mm."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.linalg import spsolve
from scipy.spatial import cKDTree

from listener_head.face.arkit52 import contours
from listener_head.face.arkit52.fields import Array, bump, smoothstep
from listener_head.face.arkit52.mouth import JAW_FORWARD, JAW_LEFT, jaw_opening
from listener_head.face.arkit52.skin import Skin
from listener_head.face.arkit52.upper_shapes import pull

CORNER = np.array([contours.MOUTH_HALF_WIDTH, contours.MOUTH_Y + 1.4])


def jaw_weights(skin: Skin) -> Array:
    """How far the skin [n] follows the jaw: 1 on chin and lower lip, 0 on the upper face.

    Thin-plate interpolation over the mesh (bi-Laplacian), which knows that the lips are slit.
    Along the lips the weights leave an opening that is round at the corners.
    """
    n = len(skin.vertices)
    x, y, z = skin.vertices.T
    fixed = np.full(n, np.nan)
    fixed[(y > -16 + 0.10 * np.abs(x)) | (z < -8) | (y < -116)] = 0.0
    fixed[(y < -66) & (y > -97) & (np.abs(x) < 26 + 0.4 * (y + 66)) & (z > 60)] = 1.0
    line = skin.lip_loops[0]
    t = np.clip(np.abs(x[line]) / contours.MOUTH_HALF_WIDTH, 0.0, 1.0)
    arch = np.sqrt(1.0 - t**2.2)
    corner = 0.42
    fixed[line] = np.where(skin.side[line] > 0, corner * (1 - arch), corner + (1 - corner) * arch)

    edges = np.concatenate([skin.triangles[:, [0, 1]], skin.triangles[:, [1, 2]], skin.triangles[:, [2, 0]]])
    length = np.linalg.norm(skin.vertices[edges[:, 0]] - skin.vertices[edges[:, 1]], axis=1)
    adjacency = sparse.coo_matrix((1.0 / np.maximum(length, 0.05), edges.T), shape=(n, n)).tocsr()
    adjacency = adjacency + adjacency.T
    laplacian = sparse.diags(np.asarray(adjacency.sum(axis=1)).ravel()) - adjacency
    stiffness = (laplacian @ laplacian + 0.02 * laplacian).tocsr()
    free, given = np.flatnonzero(np.isnan(fixed)), np.flatnonzero(~np.isnan(fixed))
    rows = stiffness[free]
    weights = fixed.copy()
    weights[free] = spsolve(rows[:, free].tocsc(), -rows[:, given] @ fixed[given])
    weights = _smooth_beside_corners(skin, np.clip(weights, 0.0, 1.0))
    return 0.5 * (weights + weights[skin.mirror])


def _smooth_beside_corners(skin: Skin, weights: Array) -> Array:
    """The weights [n] averaged over 3 mm beside the mouth, where the slit's loops run together.

    There rows lie tenths of a millimetre apart, and a step between them would show as a crease.
    """
    x, y, z = skin.vertices.T
    beside = np.abs(x) - contours.MOUTH_HALF_WIDTH
    share = smoothstep(0.0, 7.0, beside) * bump(y - CORNER[1], 14.0) * (z > 30)
    share = np.maximum(share, smoothstep(-0.5, 1.5, beside) * bump(y - CORNER[1], 5.0) * (z > 30))
    chosen = np.flatnonzero(share > 0.01)
    around = cKDTree(skin.vertices)
    # As many rows as there are, each place counts once.
    crowd = np.array([len(near) for near in around.query_ball_point(skin.vertices, 1.5)], float)
    smooth = weights.copy()
    for i in chosen:
        near = np.array(around.query_ball_point(skin.vertices[i], 9.0))
        kernel = bump(np.linalg.norm(skin.vertices[near] - skin.vertices[i], axis=1), 3.0) / crowd[near]
        smooth[i] = kernel @ weights[near] / kernel.sum()
    return weights + share * (smooth - weights)


class Lips:
    """Weights [n] that the lip shapes are made of."""

    def __init__(self, skin: Skin) -> None:
        self.skin = skin
        x, y, z = skin.vertices.T
        self.x, self.y = x, y
        self.rise = y - contours.mouth_line(x)
        self.front = smoothstep(0.0, 40.0, z)
        # 0 at the midline, 1 at the corners and, further from the lips, further out.
        self.t = np.abs(x) / (contours.MOUTH_HALF_WIDTH + 0.7 * np.abs(self.rise))
        self.between = np.clip(1.0 - self.t**2, 0.0, 1.0)
        # The same, but for openings that are round at the corners.
        self.arch = np.sqrt(np.clip(1.0 - self.t**2.4, 0.0, 1.0))
        self.up, self.low = 0.5 * (1 + skin.side), 0.5 * (1 - skin.side)

    def around(self, width: float, height: float) -> Array:
        """Both lips and their surroundings, 1 at the middle of the mouth."""
        return bump(self.x, width) * bump(self.rise, height) * self.front

    def upper(self, reach: float = 8.0) -> Array:
        """The upper lip without its corners; fades ``reach`` mm above the border."""
        return self.between * self.upper_reach(reach)

    def upper_reach(self, reach: float) -> Array:
        """The upper lip's side; fades ``reach`` mm above the border."""
        return self.up * smoothstep(9.0 + reach, 5.0, self.rise) * self.front

    def lower(self, reach: float = 9.0) -> Array:
        """The lower lip without its corners; fades ``reach`` mm below the border."""
        return self.between * self.lower_reach(reach)

    def lower_reach(self, reach: float) -> Array:
        """The lower lip's side; fades ``reach`` mm below the border."""
        return self.low * smoothstep(11.0 + reach, 7.0, -self.rise) * self.front

    def left(self, centre: float = 12.0, width: float = 9.0) -> Array:
        """The left half, 1 at ``centre``."""
        return bump(self.x - centre, width)

    def vertical_share(self) -> Array:
        """-1 to 1 from the lower to the upper border of the lips."""
        upper = np.maximum(contours.upper_lip(self.x) - contours.mouth_line(self.x), 0.5)
        lower = np.maximum(contours.mouth_line(self.x) - contours.lower_lip(self.x), 0.5)
        return np.clip(np.where(self.skin.side >= 0, self.rise / upper, self.rise / lower), -1.6, 1.6)


def _move(weight: Array, dx: Array | float = 0.0, dy: Array | float = 0.0, dz: Array | float = 0.0) -> Array:
    return np.stack([weight * dx, weight * dy, weight * dz], axis=1)


def _closed_over_open_jaw(skin: Skin, opened: Array, lips: Lips) -> Array:
    """What brings the lips of the open mouth together again: the lower lip goes two thirds of the way."""
    line = skin.lip_loops[0]
    # The left half's columns from the midline to the corner, which both lips share.
    upper, lower = line[14:29], np.concatenate([line[42:28:-1], line[28:29]])
    gap = np.maximum(opened[upper, 1] - opened[lower, 1], 0.0)
    gap_at = np.interp(np.abs(lips.x), skin.vertices[upper, 0], gap)
    reach_up = lips.up * smoothstep(24.0, 2.0, lips.rise)
    reach_low = lips.low * smoothstep(26.0, 2.0, -lips.rise)
    return _move(lips.front * gap_at, 0.0, 0.67 * reach_low - 0.33 * reach_up, 0.22 * reach_low)


def _jaw_shapes(skin: Skin, jaw: Array, lips: Lips) -> dict[str, Array]:
    opened = jaw_opening(skin.vertices) * jaw[:, None]
    return {
        "jawOpen": opened,
        "jawForward": jaw[:, None] * JAW_FORWARD,
        "jawLeft": jaw[:, None] * JAW_LEFT,
        "mouthClose": _closed_over_open_jaw(skin, opened, lips),
    }


def _corner_shapes(skin: Skin, lips: Lips) -> dict[str, Array]:
    smile = pull(skin, CORNER, (11.5, 12.0), (7.6, 8.2, -4.5))
    smile += pull(skin, (37, -20), (12, 13), (1.6, 4.4, 3.6))  # the cheek bunches up
    smile += pull(skin, (33, 8), (14, 5), (0.0, 1.6, 0.6))
    smile += pull(skin, (31, -33), (4.5, 9), (0.6, 0.5, -2.0))  # nasolabial fold
    # Lips lie thinner against the teeth, and their middle rises with the corners: no wedge.
    smile += _move(lips.around(12.0, 11.0), 0.0, 0.4 - 0.05 * lips.rise, -0.7)
    below = CORNER - np.array([0.0, 1.0])
    frown = pull(skin, below, (10, 10), (1.2, -7.4, -1.5)) + pull(skin, (22, -68), (10, 8), (0.6, -2.0, 0.8))
    frown += _move(lips.lower() * lips.left(4, 10), 0.0, 1.2, 0.8)
    dimple = pull(skin, CORNER, (9, 9), (5.4, 1.0, -5.3)) + pull(skin, (37, -46), (4.5, 7), (0.5, 0.4, -2.9))
    dimple += _move(lips.left(17, 8) * bump(lips.rise, 7.0) * lips.front, 0.0, -0.19 * lips.rise, -0.9)
    stretch = pull(skin, below, (12, 11), (8.6, -2.6, -5.4))
    stretch += pull(skin, (24, -66), (9, 8), (2.2, -2.4, -0.4))
    return {
        "mouthSmileLeft": smile,
        "mouthFrownLeft": frown,
        "mouthDimpleLeft": dimple,
        "mouthStretchLeft": stretch,
    }


def _one_sided_lip_shapes(lips: Lips) -> dict[str, Array]:
    pressed = lips.left(12, 9) * lips.front
    press = _move(pressed * bump(lips.rise, 8.0), 0.0, -0.45 * lips.rise, -2.1)
    press += _move(pressed * bump(np.abs(lips.rise) - 14.0, 3.0), 0.0, 0.0, 0.7)  # what they squeeze out
    up = _move(lips.upper(12.0) * lips.left(11, 9), 0.5, 6.2, 1.0)
    down = _move(lips.lower(9.0) * lips.left(11, 9), 0.8, -6.8, 0.4)
    return {"mouthPressLeft": press, "mouthUpperUpLeft": up, "mouthLowerDownLeft": down}


def _whole_lip_shapes(skin: Skin, lips: Lips) -> dict[str, Array]:
    near = lips.around(22.0, 13.0)
    share = lips.vertical_share()
    pucker = _move(near, -0.47 * lips.x, 0.24 * lips.rise, 9.0 * bump(lips.x, 17.0))
    pucker += pull(skin, (34, -47), (9, 14), (-2.5, 0.0, -1.5)) * 0.5
    funnel = _move(near, -0.36 * lips.x, 0.0, 7.5 * bump(lips.x, 18.0))
    funnel += _move(lips.arch * lips.upper_reach(10.0), 0.0, 4.4, 1.6)
    funnel += _move(lips.arch * lips.lower_reach(13.0), 0.0, -5.2, 1.6)
    aside = lips.around(26.0, 15.0)
    # Rolling turns a lip about its border: the red goes inwards, the border towards the line.
    roll_low = _move(
        lips.lower(5.0), 0.0, 3.6 * smoothstep(-0.1, -1.0, share) + 0.8, -3.6 * bump(share + 0.45, 0.5)
    )
    roll_up = _move(
        lips.upper(5.0), 0.0, -3.2 * smoothstep(0.1, 1.0, share) - 0.8, -3.4 * bump(share - 0.45, 0.5)
    )
    # A lip that shrugs turns outwards: its red widens. The lower one carries the upper one along.
    shrug_low = _move(lips.lower(9.0), 0.0, 3.5 + 0.6 * share, 3.5) + _move(lips.upper(8.0), 0.0, 2.4, 1.3)
    shrug_low += pull(skin, (0, -79), (14, 8), (0.0, 4.8, 1.4))  # the chin is pushed up
    shrug_low += pull(skin, (0, -66), (14, 4), (0.0, 0.4, -1.0))
    shrug_up = _move(lips.upper(8.0), 0.0, 1.3 + 1.8 * share, 4.0) + _move(lips.lower(9.0), 0.0, 1.0, 1.3)
    tongue = _move(lips.lower(9.0) * bump(lips.x, 13.0), 0.0, -5.5, 0.8) + _move(
        lips.upper(8.0) * bump(lips.x, 13.0), 0.0, 2.5, 0.6
    )
    return {
        "mouthPucker": pucker,
        "mouthFunnel": funnel,
        "mouthLeft": _move(aside, 8.0, 0.0, 0.0) + pull(skin, CORNER, (10, 10), (0.5, 1.0, -2.5)),
        "mouthRollLower": roll_low,
        "mouthRollUpper": roll_up,
        "mouthShrugLower": shrug_low,
        "mouthShrugUpper": shrug_up,
        "tongueOut": tongue,
    }


def mouth_shapes(skin: Skin, jaw: Array) -> dict[str, Array]:
    """Left and symmetric shapes of the mouth."""
    lips = Lips(skin)
    return (
        _jaw_shapes(skin, jaw, lips)
        | _corner_shapes(skin, lips)
        | _one_sided_lip_shapes(lips)
        | _whole_lip_shapes(skin, lips)
    )
