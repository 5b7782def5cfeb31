"""What is around the face, hair, neck, shoulders, background: how it follows the head, how deep it lies."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator, RegularGridInterpolator
from scipy.ndimage import distance_transform_edt, gaussian_filter, label
from scipy.spatial import Delaunay

from listener_head.render.portrait.photograph import Photograph
from listener_head.render.portrait.topology import OVAL

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

GRID = 128  # cells a side, of the maps
SPACING = 1 / 36  # of the mesh's vertices, per side of the picture
# In heights of the face from the chin downwards: the head ends, the shoulders are still.
HEAD_END, SHOULDERS = 0.02, 0.62
LONGEST_HAIR = 0.85  # width of what follows the head wholly, to either side of the face's middle
EDGE = 0.10  # share of the side along which what follows the head comes to rest at the picture's border
# Metres from the ears towards the camera: outline of the head, background and shoulders.
OUTLINE_Z, FAR_Z = -0.005, -0.02
# Below the jaw, in heights of the face from it: the share of its own height that is left.
NECK_STEPS = ((0.06, 0.65), (0.13, 0.35), (0.22, 0.15), (0.35, 0.05))
JAW_HEIGHT = 0.38  # heights of the face from the chin up to where the jaw meets the ear
SKIN_REACH = 0.45  # heights of the face around it that the skin's movements fade in


@dataclass(frozen=True)
class Surroundings:
    """Vertices around the face, outside FaceMesh's oval.

    ``places`` [N, 2] in the picture, ``follows`` [N] 0..1, the share of the head's movement, ``height`` [N]
    m towards the camera from the head's origin, ``of_oval`` [N, 36] shares of the oval's points' movements
    with expressions; ``triangles`` [T, 3], numbers from 36 on are vertices here, those below the oval's.
    """

    places: Array
    follows: Array
    height: Array
    of_oval: Array
    triangles: NDArray[np.intp]


def surroundings(photograph: Photograph, person: Mask, oval: Array, oval_height: Array) -> Surroundings:
    """Of the photograph whose face ends at ``oval`` [M, 2], the contour, refined; ``oval_height`` [M] m."""
    places = _vertices(oval)
    head, still = _head_and_still(photograph, person)
    follows = _at(_follow_map(head, still), places)
    height = _heights(head, oval, oval_height)(places)
    joined = np.concatenate([oval, places])
    return Surroundings(
        places, follows, height, _of_oval(photograph, oval, places), _around(joined, len(oval))
    )


def _face_height(photograph: Photograph) -> tuple[float, float, float]:
    """Height of the face, the middle's x and the chin's y."""
    oval = photograph.points[list(OVAL)]
    return float(np.ptp(oval[:, 1])), float(oval[:, 0].mean()), float(oval[:, 1].max())


def _head_and_still(photograph: Photograph, shown: Mask) -> tuple[Mask, Mask]:
    """Maps [GRID, GRID] of the head with its hair and of what never moves."""
    tall, middle, chin = _face_height(photograph)
    person = cv2.resize(shown.astype(np.float32), (GRID, GRID), interpolation=cv2.INTER_AREA) > 0.5
    y, x = (np.mgrid[:GRID, :GRID] + 0.5) / GRID
    face = np.zeros((GRID, GRID), np.uint8)
    cv2.fillPoly(face, [np.round(photograph.points[list(OVAL)] * GRID).astype(np.int32)], [1])
    head = (person & (y < chin + HEAD_END * tall) & (np.abs(x - middle) < LONGEST_HAIR * tall)) | (face > 0)
    # Shoulders beside the chin are the person's too, but further out than hair that narrows towards the neck.
    low = y > chin - 0.25 * tall
    head &= ~low | (np.abs(x - middle) < 0.62 * tall) | (face > 0)
    parts, _ = label(head)
    head = (
        parts == parts[int(np.clip(chin - 0.5 * tall, 0, 0.99) * GRID), int(np.clip(middle, 0, 0.99) * GRID)]
    )
    still = y > chin + SHOULDERS * tall
    still[[0, -1]] = still[:, [0, -1]] = True
    return head, still


def _follow_map(head: Mask, still: Mask) -> Array:
    """1 on the head, 0 where all is still, smooth between."""
    to_head, to_still = (np.asarray(distance_transform_edt(~where), np.float64) for where in (head, still))
    share = to_still / np.maximum(to_head + to_still, 1e-6)
    share = share * share * (3.0 - 2.0 * share)
    y, x = (np.mgrid[:GRID, :GRID] + 0.5) / GRID
    border = np.minimum.reduce([x, 1.0 - x, y, 1.0 - y]) / EDGE
    border = np.clip(border, 0.0, 1.0)
    return np.asarray(gaussian_filter(share * border * border * (3.0 - 2.0 * border), 1.5), np.float64)


def _at(values: Array, places: Array) -> Array:
    """Values of a map at places; 0 on the picture's border."""
    axis = np.concatenate([[0.0], (np.arange(GRID) + 0.5) / GRID, [1.0]])
    return RegularGridInterpolator((axis, axis), np.pad(values, 1))(places[:, ::-1])


def _heights(head: Mask, oval: Array, oval_height: Array) -> RBFInterpolator:
    """How far places lie before the head's origin [m]: from the face's rim to its outline, then back."""
    outline, _ = cv2.findContours(head.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    rim = (max(outline, key=len)[::4, 0] + 0.5) / GRID
    # Where hair is short the outline is the face's own rim, which has its height already.
    apart = np.linalg.norm(rim[:, None] - oval[None], axis=2).min(axis=1) > 1.5 * SPACING
    above_jaw = rim[:, 1] < oval[:, 1].max() - JAW_HEIGHT * np.ptp(oval[:, 1])
    rim = rim[apart & above_jaw]
    edge = np.linspace(0.0, 1.0, 9)
    border = np.array([(u, v) for u in edge for v in edge if min(u, v) == 0.0 or max(u, v) == 1.0])
    neck, neck_height = _neck(oval, oval_height)
    places = np.concatenate([oval[::2], rim, border, neck])
    outline_height, border_height = np.full(len(rim), OUTLINE_Z), np.full(len(border), FAR_Z)
    heights = np.concatenate([oval_height[::2], outline_height, border_height, neck_height])
    return RBFInterpolator(places, heights, kernel="linear", smoothing=1e-3)


def _neck(oval: Array, oval_height: Array) -> tuple[Array, Array]:
    """Places below the jaw and their height: the neck lies far behind the chin."""
    middle, tall = oval.mean(axis=0), np.ptp(oval[:, 1])
    jaw = oval[:, 1] > oval[:, 1].max() - JAW_HEIGHT * tall
    away = oval[jaw] - middle
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    places, heights = [], []
    for step, share in NECK_STEPS:
        places.append((oval[jaw] + step * tall * away)[::2])
        heights.append(np.maximum(share * oval_height[jaw], OUTLINE_Z)[::2])
    return np.concatenate(places), np.concatenate(heights)


def _vertices(oval: Array) -> Array:
    """A hexagonal grid over the picture and on its border, without what lies in the oval or close to it."""
    count = round(1.0 / SPACING)
    steps = np.arange(count + 1) / count
    y, x = np.meshgrid(steps, steps, indexing="ij")
    shift = np.where(np.arange(count + 1) % 2 == 1, 0.5 / count, 0.0)[:, None]
    x = np.where((x > 0.0) & (x < 1.0), np.minimum(x + shift, 1.0 - 0.3 / count), x)
    places = np.column_stack([x.ravel(), y.ravel()])
    contour = oval.astype(np.float32).reshape(-1, 1, 2)
    away = np.array([-cv2.pointPolygonTest(contour, (float(u), float(v)), True) for u, v in places])
    return places[away > 0.35 * SPACING]


def _around(joined: Array, oval: int) -> NDArray[np.intp]:
    """Triangles between all points, without those in the oval, which the first points are."""
    triangles = Delaunay(joined).simplices
    contour = joined[:oval].astype(np.float32).reshape(-1, 1, 2)
    middles = joined[triangles].mean(axis=1)
    outside = [cv2.pointPolygonTest(contour, (float(u), float(v)), False) < 0 for u, v in middles]
    return triangles[outside].astype(np.intp)


def _of_oval(photograph: Photograph, oval: Array, places: Array) -> Array:
    """Shares [N, M] of the oval's points' movements."""
    distance = np.linalg.norm(places[:, None] - oval[None], axis=2)
    shares = distance**-3.0
    shares /= shares.sum(axis=1, keepdims=True)
    tall, _, _ = _face_height(photograph)
    fade = np.clip(1.0 - distance.min(axis=1) / (SKIN_REACH * tall), 0.0, 1.0)
    fade = fade * fade * (3.0 - 2.0 * fade)
    edge = np.minimum(places, 1.0 - places).min(axis=1) / EDGE
    return shares * (fade * np.clip(edge, 0.0, 1.0))[:, None]
