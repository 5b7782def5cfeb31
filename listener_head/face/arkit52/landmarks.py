"""The 68 iBUG landmarks: which vertices of the skin they are."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from listener_head.face.arkit52.colours import brow_centre
from listener_head.face.arkit52.fields import Array, Index
from listener_head.face.arkit52.skin import Skin

# The outline of the left half of the face from the ear to beside the chin, x, y, z in mm: where the
# silhouette of a face that looks into the camera runs.
_LEFT_OUTLINE = np.array(
    [
        [69, 18, 18], [68.5, 0, 20], [67, -18, 20], [63, -36, 22],
        [56, -54, 26], [45, -70, 38], [32, -81, 55], [17, -90, 74],
    ]
)  # fmt: skip
_CHIN = (0, -92.0, 82)
_LEFT_BROW_X = np.array([13.0, 22.0, 31.0, 40.0, 48.5])
_BRIDGE_Y = (20.0, 7.0, -6.0, -17.0)  # 27 sellion to 30 the tip
_LEFT_NOSE_BASE = np.array([[0, -29], [6.5, -27.5], [12.5, -25]])


def landmarks(skin: Skin) -> Index:
    """Vertices [68] in iBUG order: it starts on the subject's right, which is the image's left."""
    mirror = skin.mirror
    space = cKDTree(skin.vertices)
    front_ids = np.flatnonzero(skin.vertices[:, 2] > 30)
    # Lips lie double on the line where they meet; landmarks there come from the loops.
    frontal = cKDTree(skin.vertices[front_ids, :2])

    def at(points: Array) -> Index:
        return front_ids[frontal.query(points)[1]]

    outline = space.query(_LEFT_OUTLINE)[1]
    midline = np.flatnonzero((skin.vertices[:, 0] == 0) & (skin.vertices[:, 2] > 30))

    def at_midline(y: float, z: float | None = None) -> int:
        target = skin.vertices[midline]
        cost = np.abs(target[:, 1] - y) + (0 if z is None else np.abs(target[:, 2] - z))
        return int(midline[np.argmin(cost)])

    brow = at(np.stack([_LEFT_BROW_X, brow_centre(_LEFT_BROW_X) + 1.0], axis=1))
    nose = at(_LEFT_NOSE_BASE)
    base = at_midline(-29.0)
    lid = skin.lid_loops[0]
    # Upper lid columns 0 (inner corner) to 16 (outer), lower lid back from 17 to 29.
    eye = lid[[0, 5, 11, 16, 21, 27]]  # inner, upper, upper, outer, lower, lower
    right_eye = mirror[eye][[3, 2, 1, 0, 5, 4]]
    inner, border = skin.lip_loops[0], skin.lip_loops[4]
    # Columns 0 right corner, 14 middle, 28 left corner, 42 middle of the lower lip.
    outer_mouth = border[[0, 6, 11, 14, 17, 22, 28, 34, 39, 42, 45, 50]]
    inner_mouth = inner[[0, 8, 14, 20, 28, 36, 42, 48]]
    result = np.concatenate(
        [
            mirror[outline], [at_midline(_CHIN[1], _CHIN[2])], outline[::-1],
            mirror[brow][::-1], brow,
            [at_midline(y) for y in _BRIDGE_Y],
            mirror[nose[:0:-1]], [base], nose[1:],
            right_eye, eye, outer_mouth, inner_mouth,
        ]
    )  # fmt: skip
    return result.astype(np.int64)
