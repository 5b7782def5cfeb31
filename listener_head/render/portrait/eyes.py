"""Eyes that look: how far the irises move."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import Layout
from listener_head.render.portrait.lids import SIDES

Array = NDArray[np.float64]

BALL_PER_IRIS = 2.05  # radius of an eyeball over that of its iris: 12.0 and 5.85 mm
LOOK_ASIDE, LOOK_UP, LOOK_DOWN = np.radians([27.0, 20.0, 25.0])  # at weight 1
REACH = 0.62  # widths of the eye from the iris to where nothing moves


class Eyes:
    """``irises`` [2, 4] centre, radius and reach of the movement, in shares of the picture's side."""

    def __init__(self, layout: Layout, irises: Array, contours: list[Array]) -> None:
        reach = [
            max(REACH * np.ptp(contour[:, 0]), 1.6 * iris[2])
            for iris, contour in zip(irises, contours, strict=True)
        ]
        self.irises = np.column_stack([irises, reach])
        at = layout.expression_names.index
        self._shapes = [[at(f"eyeLook{way}{side}") for way in ("In", "Out", "Up", "Down")] for side in SIDES]

    def gaze(self, weights: Array) -> Array:
        """Movement [2, 2] of the right and left iris in the picture."""
        moves = np.zeros((2, 2))
        for side, (inwards, outwards, up, down) in enumerate(self._shapes):
            # The right eye's outside is to the image's left.
            aside = (weights[inwards] - weights[outwards]) * (1.0 if side == 0 else -1.0)
            pitch = LOOK_DOWN * weights[down] - LOOK_UP * weights[up]
            moves[side] = BALL_PER_IRIS * self.irises[side, 2] * np.sin([LOOK_ASIDE * aside, pitch])
        return moves
