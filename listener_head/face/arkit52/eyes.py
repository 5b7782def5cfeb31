"""Eyeballs, the thickness of the lids, and lashes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from listener_head.face.arkit52 import contours
from listener_head.face.arkit52.fields import (
    Array,
    Index,
    Part,
    blend,
    grid_triangles,
    rotate_x,
    rotate_y,
    smoothstep,
    with_mirror,
)
from listener_head.face.arkit52.skin import LID_COLUMNS, Skin

# Polar angles of the eyeball's rings, dense where the colour changes: pupil edge at 10, limbus at 26
# degrees (an iris of 6.4 mm on this ball).
RINGS = np.array([0, 5, 9.3, 10.6, 13, 16.5, 20, 23, 24.8, 26.6, 28.5, 33, 40, 49, 60, 74, 92])
SEGMENTS = 30
IRIS, SCLERA = (0.44, 0.29, 0.17), (0.93, 0.92, 0.91)  # sRGB
PUPIL = (0.03, 0.025, 0.03)
# Factors: towards the back of the eyeball; of the iris, at its rim and about the pupil.
VEINS = np.divide((0.86, 0.70, 0.67), SCLERA)
LIMBUS, INNER = np.divide((0.20, 0.13, 0.09), IRIS), np.divide((0.60, 0.42, 0.24), IRIS)


def eyeball_colours(iris: ArrayLike = IRIS, sclera: ArrayLike = SCLERA) -> Array:
    """Colours [n, 3] of one eyeball's vertices, ring by ring."""
    polar, turn = (angle.ravel() for angle in np.meshgrid(RINGS, _turns(), indexing="ij"))
    iris, sclera = np.asarray(iris, float), np.asarray(sclera, float)
    colours = blend(np.tile(sclera, (len(polar), 1)), sclera * VEINS, smoothstep(38, 75, polar) * 0.8)
    colours = blend(colours, iris * LIMBUS, smoothstep(28.5, 26.0, polar))
    rays = 0.5 + 0.25 * np.sin(np.radians(turn) * 11) + 0.25 * np.sin(np.radians(turn) * 17 + 1.0)
    ring = smoothstep(25.0, 21.5, polar)
    colours = blend(colours, iris, ring)
    inner = np.minimum(iris * INNER, 1.0)
    colours = blend(colours, inner, ring * smoothstep(22, 13, polar) * (0.35 + 0.5 * rays))
    return blend(colours, PUPIL, smoothstep(11.0, 9.6, polar))


def _turns() -> Array:
    """Angles about the optical axis [degrees]."""
    return np.arange(SEGMENTS) * 360.0 / SEGMENTS


def eyeballs() -> Part:
    """Both eyeballs, looking straight ahead."""
    polar, turn = np.meshgrid(np.radians(RINGS), np.radians(_turns()), indexing="ij")
    unit = np.stack(
        [np.sin(polar) * np.cos(turn), np.sin(polar) * np.sin(turn), np.cos(polar)], axis=-1
    ).reshape(-1, 3)
    triangles = grid_triangles(len(RINGS), SEGMENTS, wrap=True)
    vertices = contours.EYE_CENTRE + contours.EYE_RADIUS * unit
    return with_mirror(Part("eye", vertices, triangles, eyeball_colours(), np.arange(len(vertices))))


def _attached(skin: Skin, rows: Array, sources: Index, triangles: Index, colours: Array) -> Part:
    """A strip along the left lids' margin and its reflection, moving as the margin does."""
    n = rows.reshape(-1, 3).shape[0]
    part = with_mirror(Part("lash", rows.reshape(-1, 3), triangles, colours, np.arange(n)))
    source = np.broadcast_to(sources, rows.shape[:-1]).ravel()
    part.source = np.concatenate([source, skin.mirror[source]])
    part.follow = np.ones(2 * n)
    return part


def lid_margins(skin: Skin) -> Part:
    """The thickness of the lids: a strip from each margin back to the eyeball."""
    loop = skin.lid_loops[0]
    edge = skin.vertices[loop]
    inwards = contours.EYE_CENTRE * [1, 1, 0] + [0, 0, 1] * edge - edge
    inwards /= np.linalg.norm(inwards, axis=1, keepdims=True)
    rows = np.stack([edge, edge + inwards * 0.3 + [0, 0, -1.6], edge - inwards * 0.8 + [0, 0, -6.0]])
    colours = np.repeat([[0.74, 0.47, 0.41], [0.62, 0.36, 0.33], [0.35, 0.18, 0.17]], len(loop), axis=0)
    triangles = grid_triangles(3, len(loop), wrap=True)
    return _attached(skin, rows, loop, triangles, colours)


def lashes(skin: Skin) -> Part:
    """A dark ribbon along each upper lid, longer towards the temple."""
    columns = skin.lid_loops[0, :LID_COLUMNS]
    edge = skin.vertices[columns]
    t = np.linspace(0.0, 1.0, LID_COLUMNS)
    length = 2.9 * smoothstep(0.0, 0.35, t) * (0.75 + 0.6 * t)
    outwards = np.stack([0.55 * (t - 0.35), 0.30 + 0 * t, 0.80 + 0 * t], axis=1)
    base = edge + np.array([0.0, 0.55, 0.25])
    under = edge + np.array([0.0, -0.25, 0.15])
    tip = edge + outwards * length[:, None]
    rows = np.stack([base, tip, under])
    colours = np.tile([0.10, 0.065, 0.05], (rows[..., 0].size, 1))
    strip = grid_triangles(3, LID_COLUMNS)
    return _attached(skin, rows, columns, np.concatenate([strip, strip[:, ::-1]]), colours)


def gaze(vertices: Array, pitch: float, yaw: float) -> Array:
    """Movement [n, 3] of the left eyeball turned by pitch (down) and yaw (to the subject's left)."""
    turned = rotate_y(rotate_x(vertices, pitch, contours.EYE_CENTRE), yaw, contours.EYE_CENTRE)
    return turned - vertices
