"""What the photograph does not show: skin of the lids where eyes are open, eyeballs under the lids."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from listener_head.render.portrait.photograph import Photograph
from listener_head.render.portrait.topology import BAGS, CREASES, LOWER_LIDS, UPPER_LIDS

Array = NDArray[np.float64]
Picture = NDArray[np.uint8]

IRISES = (slice(468, 473), slice(473, 478))  # of the right and left eye: centre, then four on the border
EYE_SEAM = 0.07  # widths of the eye from the lids inwards in which the photograph shows lashes and shade
LID_SHADE = 0.35  # of the light that the upper lid takes
LIP_SEAM = 0.05  # widths of the mouth, from the lips inwards, in which they throw shade on the teeth
TEETH_END = 0.018  # widths of the mouth above the lower lip, where the upper teeth end


@dataclass(frozen=True)
class Retouched:
    """Pictures as large as the photograph, and colours of it.

    ``lid_skin`` [S, S, 3] has skin in place of the eyes, ``eyeballs`` [S, S, 3] eyes without lids,
    ``between_lips`` [S, S, 4] what shows there, carried on behind the upper lip, and its opacity. ``irises``
    [2, 3] are centre and radius per side, ``lash`` [3] is the lashes' colour 0..1.
    """

    lid_skin: Picture
    eyeballs: Picture
    between_lips: Picture
    irises: Array
    lash: Array


def retouch(photograph: Photograph, holes: list[Array], mouth: Array) -> Retouched:
    """For the openings of the right and left eye and the mouth [n, 2]."""
    eyeballs = photograph.pixels.copy()
    irises = np.array([_iris(photograph.points[side]) for side in IRISES])
    for hole, iris in zip(holes, irises, strict=True):
        _paint_eyeball(eyeballs, photograph.pixels, hole, iris)
    return Retouched(
        _lid_skin(photograph), eyeballs, _between_lips(photograph, mouth), irises, _lash_colour(photograph)
    )


def _iris(points: Array) -> Array:
    radius = np.linalg.norm(points[1:] - points[0], axis=1).mean()
    return np.array([*points[0], radius])


def _filled(contour: Array, side: int) -> Picture:
    mask = np.zeros((side, side), np.uint8)
    cv2.fillPoly(mask, [np.round(contour * side * 16 - 8).astype(np.int32)], [255], cv2.LINE_AA, 4)
    return mask


def _inside(contour: Array, side: int, seam: float) -> Array:
    """How far pixels lie inside a contour, 0 to 1 over ``seam`` widths of it."""
    distance = cv2.distanceTransform(_filled(contour, side), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    width = np.ptp(contour[:, 0]) * side
    return np.clip(distance / max(seam * width, 1.0), 0.0, 1.0).astype(np.float64)


def _paint_eyeball(out: Picture, photo: Picture, hole: Array, iris: Array) -> None:
    """Complete the iris and the white beyond the lids, by what is seen of them."""
    side = len(photo)
    width = np.ptp(hole[:, 0])
    left, top = np.maximum(np.floor((hole.min(axis=0) - 0.6 * width) * side).astype(int), 0)
    right, bottom = np.minimum(np.ceil((hole.max(axis=0) + 0.6 * width) * side).astype(int), side)
    box = np.s_[top:bottom, left:right]
    seen = photo[box].astype(np.float64)
    inside = _inside(hole, side, EYE_SEAM)[box]
    inside = inside * inside * (3.0 - 2.0 * inside)
    y, x = (np.mgrid[top:bottom, left:right] + 0.5) / side
    away = np.hypot(x - iris[0], y - iris[1]) / iris[2]
    sure = inside > 0.6
    ring = np.clip(away * 8, 0, 15).astype(int)
    profile = _profile(seen, sure, ring)
    white = _white(seen, sure & (away > 1.2), inside)
    # White that has lids over it lies in their shade, more so towards the corners.
    corner = np.abs(x - 0.5 * (hole[:, 0].min() + hole[:, 0].max())) / (0.5 * width)
    shade = 1.0 - 0.22 * np.clip(corner, 0.0, 1.2) ** 2
    painted = white * shade[..., None]
    edge = np.clip((1.14 - away) / 0.22, 0.0, 1.0)[..., None]
    disc = np.stack([np.interp(away * 8, np.arange(16) + 0.5, profile[:, k]) for k in range(3)], axis=-1)
    painted = painted + (disc - painted) * edge
    raised = (hole[:, 1].mean() - y) / (0.5 * np.ptp(hole[:, 1]))
    painted *= 1.0 - LID_SHADE * np.clip(raised - 0.6, 0.0, 1.0)[..., None]
    out[box] = np.round(painted + (seen - painted) * inside[..., None]).clip(0, 255).astype(np.uint8)


def _profile(seen: Array, sure: NDArray[np.bool_], ring: NDArray[np.int_]) -> Array:
    """Colours [16, 3] of the iris from its centre outwards, two radii in all."""
    rows: list[Array | None] = []
    for number in range(16):
        chosen = seen[sure & (ring == number)]
        rows.append(np.median(chosen, axis=0) if len(chosen) > 2 else None)
    known = [number for number in range(9) if rows[number] is not None]
    if not known:
        return np.full((16, 3), 60.0)
    table = np.array([rows[number] for number in known])
    return np.stack([np.interp(np.arange(16), known, table[:, k]) for k in range(3)], axis=-1)


def _white(seen: Array, chosen: NDArray[np.bool_], inside: Array) -> Array:
    """The colour [3] of the white of the eye."""
    colours = seen[chosen] if chosen.sum() > 4 else seen[inside > 0.2]
    if len(colours) == 0:
        return np.full(3, 200.0)
    light = colours.mean(axis=1)
    return np.asarray(colours[light >= np.percentile(light, 45)].mean(axis=0), np.float64)


def _lid_skin(photograph: Photograph) -> Picture:
    """The photograph with skin from the crease of the upper lid to below the lower one."""
    side = len(photograph.pixels)
    out = photograph.pixels.copy()
    for upper, lower, crease, bag in zip(UPPER_LIDS, LOWER_LIDS, CREASES, BAGS, strict=True):
        points = photograph.points
        above = points[list(crease)]
        below = 0.35 * points[list(lower)] + 0.65 * points[list(bag)]
        mask = _filled(np.concatenate([above, below[::-1]]), side)
        width = int(np.linalg.norm(points[upper[-1]] - points[upper[0]]) * side)
        mask = np.asarray(cv2.dilate(mask, np.ones((max(1, width // 5),) * 2, np.uint8)), np.uint8)
        out = np.asarray(cv2.inpaint(out, mask, max(2, width // 8), cv2.INPAINT_TELEA), np.uint8)
        soft = cv2.GaussianBlur(out, (0, 0), max(0.8, width / 14))
        share = cv2.GaussianBlur(mask, (0, 0), max(0.8, width / 20))[..., None] / 255.0
        out = np.round(out + (soft.astype(float) - out) * share).astype(np.uint8)
    return out


def _between_lips(photograph: Photograph, mouth: Array) -> Picture:
    """What the open mouth shows, [S, S, 4]: it ends at the lower lip, and goes on behind the upper one."""
    side, width = len(photograph.pixels), float(np.ptp(mouth[:, 0]))
    sure = _inside(mouth, side, LIP_SEAM) > 0.5
    if not sure.any():
        return np.zeros((side, side, 4), np.uint8)
    rows, columns = distance_transform_edt(~sure, return_distances=False, return_indices=True)
    carried = photograph.pixels[rows, columns]
    soft = cv2.GaussianBlur(carried, (0, 0), max(0.6, 0.012 * width * side))
    colours = np.where(_filled(mouth, side)[..., None] > 127, carried, soft)
    # The second half of the opening's points is the lower lip, from the image's right to its left.
    half = len(mouth) // 2
    lower = np.concatenate([mouth[half:], mouth[:1]])[::-1]
    y, x = (np.arange(side) + 0.5) / side, (np.arange(side) + 0.5) / side
    above = (np.interp(x, lower[:, 0], lower[:, 1]) - TEETH_END * width - y[:, None]) / (0.02 * width)
    opacity = np.clip(0.5 + above, 0.0, 1.0)
    return np.dstack([colours, np.round(255 * opacity).astype(np.uint8)])


def _lash_colour(photograph: Photograph) -> Array:
    """The darkest along the upper lids [3]."""
    side = len(photograph.pixels)
    colours = []
    for lid in UPPER_LIDS:
        line = photograph.points[list(lid)]
        width = np.linalg.norm(line[-1] - line[0])
        for step in np.linspace(-0.10, 0.02, 7):
            at = np.clip(((line + np.array([0.0, step * width])) * side).astype(int), 0, side - 1)
            colours.append(photograph.pixels[at[:, 1], at[:, 0]].astype(np.float64))
    found = np.concatenate(colours)
    light = found.mean(axis=1)
    return np.asarray(found[light <= np.percentile(light, 12)].mean(axis=0) / 255.0, np.float64)
