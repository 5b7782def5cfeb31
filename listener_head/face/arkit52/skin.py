"""The skin: one mesh from under the hair to under the collar, with openings for eyes and mouth.

The subject's left half is made and mirrored, so that left and right are exact reflections. Around
each opening loops of vertices follow lids and lips; the rest is filled with a graded hexagonal
pattern and triangulated (Delaunay) in the plane (theta x 62 mm, v).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import Delaunay, cKDTree

from listener_head.face.arkit52 import contours, skull
from listener_head.face.arkit52.fields import Array, Index, bump, inside, mirrored, smoothstep
from listener_head.face.arkit52.hair import hairline_v

MM_PER_RADIAN = 62.0
LID_COLUMNS = 17  # vertices along one lid, corners included
LIP_COLUMNS = 15  # vertices along half a lip, midline and corner included
LID_OFFSETS = (0.0, 1.3, 2.8, 4.8, 7.0, 9.5)
LIP_FRACTIONS = (0.0, 0.2, 0.45, 0.72, 1.0)
LIP_OFFSETS = (1.6, 4.0, 7.0)
SPACINGS = (2.2, 3.8, 6.0, 11.0)  # mm between vertices on nose, face, sides and back
UNDER_HAIR_MM = 22.0  # the skin ends this far behind the hairline


@dataclass
class Skin:
    """The skin mesh and what the shapes need to know of it. Rows of loops hold vertices.

    ``lid_loops`` [6, 30]: left eye; upper lid from the inner to the outer corner, back along the lower.
    ``lip_loops`` [8, 56]: upper lip from the right (0) to the left corner (28), back along the lower
    lip; row 0 is the line where the lips meet, row 4 the border with the skin.
    ``side`` [n]: +1 on the upper lip's side of the mouth line, -1 below, between beside the corners.
    """

    vertices: Array
    triangles: Index
    mirror: Index
    lid_loops: Index
    lip_loops: Index
    side: Array


def _lid_loops() -> Array:
    """Frontal points [6, 30, 2] of the loops around the left eye."""
    x = contours.EYE_CENTRE[0] + contours.EYE_HALF_WIDTH * np.sin(np.linspace(-1, 1, LID_COLUMNS) * np.pi / 2)
    upper = np.stack([x, contours.upper_lid(x)], axis=1)
    lower = np.stack([x, contours.lower_lid(x)], axis=1)[-2:0:-1]
    loop = np.concatenate([upper, lower])
    outwards = (loop - contours.EYE_CENTRE[:2]) * (0.35, 1.0)
    outwards /= np.linalg.norm(outwards, axis=1, keepdims=True)
    return np.stack([loop + offset * outwards * (0.62, 1.0) for offset in LID_OFFSETS])


def _lip_loops() -> Array:
    """Frontal points [8, 29, 2] of the left halves of the loops around the mouth."""
    t = np.sin(np.linspace(0, 1, LIP_COLUMNS) * np.pi / 2)
    half = contours.MOUTH_HALF_WIDTH
    loops = []
    for k, fraction in enumerate(LIP_FRACTIONS):
        x, line = t * (half + 0.45 * k), contours.mouth_line(t * half)
        upper = line + fraction * (contours.upper_lip(t * half) - line)
        lower = line + fraction * (contours.lower_lip(t * half) - line)
        loops.append((x, upper, lower))
    border_x, border_up, border_low = loops[-1]
    for offset in LIP_OFFSETS:
        rise = offset * np.cos(t * np.pi / 2) ** 0.7
        loops.append((border_x + 1.1 * offset * t**3, border_up + rise, border_low - rise))
    halves = [np.concatenate([np.stack([x, up], 1), np.stack([x, low], 1)[-2::-1]]) for x, up, low in loops]
    return np.stack(halves)


def _hexagonal(spacing: float, x0: float, x1: float, y0: float, y1: float) -> Array:
    """Plane points [n, 2] of a hexagonal pattern."""
    rows = np.arange(y0, y1, spacing * 0.87)
    points = [
        np.stack([x, np.full_like(x, row)], axis=1)
        for k, row in enumerate(rows)
        for x in [np.arange(x0 + (k % 2) * spacing / 2, x1, spacing)]
    ]
    return np.concatenate(points)


def _scalp_edge(plane: Array) -> Array:
    """v [n] where the skin ends at the points' theta; the same on both sides although the hair is not."""
    theta = np.linspace(0.0, np.pi, 120)
    edge = np.minimum(hairline_v(theta), hairline_v(-theta)) - UNDER_HAIR_MM
    return np.interp(plane[:, 0] / MM_PER_RADIAN, theta, edge)


def _spacing(plane: Array) -> Array:
    """Wanted distance [n] between vertices in mm: fine on nose, eyes and mouth, coarse elsewhere."""
    frontal = skull.surface(plane[:, 0] / MM_PER_RADIAN, plane[:, 1])
    x, y, z = frontal.T
    nose = bump(x, 15) * bump(y + 18, 14)
    face = smoothstep(72, 50, np.abs(x)) * smoothstep(-110, -85, y) * smoothstep(70, 50, y) * (z > 20)
    return np.select([nose > 0.35, face > 0.5, z > 10], SPACINGS[:3], SPACINGS[3])


def _borders() -> tuple[Array, Array]:
    """Plane points [n, 2] along the midlines and the lower end, and their wanted distances [n]."""
    side = np.pi * MM_PER_RADIAN
    front = np.arange(30.0, skull.V_END, SPACINGS[0])
    back = np.arange(30.0, skull.V_END, SPACINGS[-1])
    end = np.append(np.arange(0.0, side, 6.0), side)
    midline = np.stack([np.zeros_like(front), front], axis=1)
    others = [
        np.stack([np.full_like(back, side), back], 1),
        np.stack([end, np.full_like(end, skull.V_END)], 1),
    ]
    wanted = [_spacing(midline), np.full(len(back) + len(end), 6.0)]
    return np.concatenate([midline, *others]), np.concatenate(wanted)


def _interior(spacing: float) -> tuple[Array, Array]:
    """Plane points [n, 2] where vertices should be this far apart, and that distance [n]."""
    side = np.pi * MM_PER_RADIAN
    points = _hexagonal(spacing, 0.6 * spacing, side - 0.5 * spacing, 30.0, skull.V_END - 2.0)
    points = points[_spacing(points) == spacing]
    return points, np.full(len(points), spacing)


def _packed(points: Array, candidates: Array, wanted: Array) -> Array:
    """The points and those candidates that keep 0.68 of their wanted distance from what is there."""
    room = 0.68 * wanted
    far = cKDTree(points).query(candidates)[0] > room
    accepted: list[Array] = []
    for candidate, reach in zip(candidates[far], room[far], strict=True):
        # Rows follow one another: only the last ones can be near.
        if not accepted or np.min(np.hypot(*(np.array(accepted[-80:]) - candidate).T)) > reach:
            accepted.append(candidate)
    return np.concatenate([points, np.array(accepted).reshape(-1, 2)])


def _fill(holes: list[Array]) -> Array:
    """Plane points [n, 2] that fill the left half outside the holes, down from under the hair."""
    # Nothing near the middle of a hole's edge: then every such edge is in the triangulation.
    points = np.concatenate([*holes, *(0.5 * (hole + np.roll(hole, -1, axis=0)) for hole in holes)])
    obstacles = len(points)
    for candidates, wanted in (_borders(), *map(_interior, SPACINGS)):
        keep = ~np.any([inside(hole, candidates) for hole in holes], axis=0)
        keep &= candidates[:, 1] > _scalp_edge(candidates)
        points = _packed(points, candidates[keep], wanted[keep])
    return points[obstacles:]


def _loop_triangles(loops: Index, closed: bool) -> Index:
    """Triangles between consecutive loops [k, n] that run clockwise seen from outside, outer ones last."""
    columns = np.concatenate([loops, loops[:, :1]], axis=1) if closed else loops
    a, b, c, d = columns[:-1, :-1], columns[1:, :-1], columns[1:, 1:], columns[:-1, 1:]
    return np.stack([a, c, b, a, d, c], axis=-1).reshape(-1, 3)


def _relieved(theta: Array, v: Array) -> Array:
    """Surface points [n, 3] with the face's relief and the skin drawn over the left eyeball."""
    points = skull.surface(theta, v)
    points[:, 2] += skull.face_relief(points)
    dx, dy = points[:, 0] - contours.EYE_CENTRE[0], points[:, 1] - contours.EYE_CENTRE[1]
    over = np.exp(-((np.abs(dx) / 18.5) ** 4) - (np.abs(dy) / 11.5) ** 4) * (points[:, 2] > 20)
    points[:, 2] = points[:, 2] * (1 - over) + contours.lid_depth(dx, dy) * over
    return points


def _lip_relief(points: Array, side: Array) -> Array:
    """Forward swell [n] of the lips, rolled in where they meet."""
    x, y = points[:, 0], points[:, 1]
    line = contours.mouth_line(x)
    up = (y - line) / np.maximum(contours.upper_lip(x) - line, 0.6)
    low = (line - y) / np.maximum(line - contours.lower_lip(x), 0.6)
    share = np.clip(np.where(side >= 0, up, low), 0.0, 2.5)
    height = np.where(side >= 0, 3.6, 4.6) * smoothstep(1.02, 0.55, np.abs(x) / contours.MOUTH_HALF_WIDTH)
    profile = bump(share - 0.5, 0.42) - 0.45 * bump(share, 0.16)
    return height * profile * smoothstep(30, 60, points[:, 2])


def _triangulated(plane: Array, lid_index: Index, lip_index: Index) -> Index:
    """Triangles [m, 3]: Delaunay outside the outer loops, strips between the loops."""
    holes = [plane[lid_index[-1]], plane[lip_index[-1]]]
    first_free = lid_index.size + lip_index.size
    outside = np.concatenate([lid_index[-1], lip_index[-1], np.arange(first_free, len(plane))])
    triangles = outside[Delaunay(plane[outside]).simplices]
    centroids = plane[triangles].mean(axis=1)
    in_hole = np.any([inside(hole, centroids) for hole in holes], axis=0)
    triangles = triangles[~in_hole & (centroids[:, 1] > _scalp_edge(centroids))]
    a, b, c = (plane[triangles[:, k]] for k in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    # v runs down: what is clockwise in the plane is counter-clockwise seen from outside.
    triangles = np.where((area < 0)[:, None], triangles, triangles[:, [0, 2, 1]])[np.abs(area) > 1e-9]
    return np.concatenate([triangles, _loop_triangles(lid_index, True), _loop_triangles(lip_index, False)])


def _sides(points: Array, lip_index: Index) -> Array:
    """Which lip each point [n] of the left half belongs to, as ``Skin.side``."""
    beside = np.maximum(0.6 * (np.abs(points[:, 0]) - contours.MOUTH_HALF_WIDTH), 1e-6)
    side = np.clip((points[:, 1] - contours.mouth_line(points[:, 0])) / beside, -1.0, 1.0)
    corner = LIP_COLUMNS - 1
    side[lip_index[:, :corner]], side[lip_index[:, corner + 1 :]], side[lip_index[:, corner]] = 1.0, -1.0, 0.0
    return side


def build_skin() -> Skin:
    """The skin mesh."""
    lid, lip = _lid_loops(), _lip_loops()
    frontal = np.concatenate([lid.reshape(-1, 2), lip.reshape(-1, 2)])
    theta, v = skull.at_front(frontal[:, 0], frontal[:, 1])
    loops = np.stack([theta * MM_PER_RADIAN, v], axis=1)
    lid_index = np.arange(lid[..., 0].size).reshape(lid.shape[:2])
    lip_index = np.arange(lid_index.size, len(loops)).reshape(lip.shape[:2])
    plane = np.concatenate([loops, _fill([loops[lid_index[-1]], loops[lip_index[-1]]])])
    triangles = _triangulated(plane, lid_index, lip_index)
    half = _relieved(plane[:, 0] / MM_PER_RADIAN, plane[:, 1])
    side = _sides(half, lip_index)
    half[:, 2] += _lip_relief(half, side)
    return _mirror(half, triangles, side, lid_index, lip_index)


def _mirror(half: Array, triangles: Index, side: Array, lid: Index, lip: Index) -> Skin:
    """Both halves of the skin from the left one; vertices on the midline are shared."""
    n = len(half)
    midline = np.abs(half[:, 0]) < 1e-9
    half[midline, 0] = 0.0
    twin = np.arange(n)
    twin[~midline] = n + np.arange(np.count_nonzero(~midline))
    vertices = np.concatenate([half, mirrored(half[~midline])])
    mirror = np.empty(len(vertices), np.int64)
    mirror[:n], mirror[twin] = twin, np.arange(n)
    both = np.concatenate([triangles, twin[triangles][:, ::-1]])
    # Upper lip from right to left, then the lower lip from left to right.
    upper, lower = lip[:, :LIP_COLUMNS], lip[:, LIP_COLUMNS:]
    loops = np.concatenate([twin[upper][:, :0:-1], upper, lower, twin[lower][:, -2::-1]], axis=1)
    return Skin(vertices, both, mirror, lid, loops, np.concatenate([side, side[~midline]]))
