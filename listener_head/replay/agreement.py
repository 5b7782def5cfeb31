"""Whether the listener does live what it does offline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from listener_head.evaluation.offline.data import Listened
from listener_head.evaluation.tracks import CoefficientTrack


@dataclass(frozen=True)
class Agreement:
    """How far live and offline coefficients are apart (rad, shape weights, m), over ``compared`` frames.

    ``missing`` frames have no live counterpart, ``extra`` ones no offline one. Without a frame to compare the
    differences are None.
    """

    largest: float | None
    mean: float | None
    compared: int
    missing: int
    extra: int


def agreement(live: CoefficientTrack, offline: Listened) -> Agreement:
    """Compare rotation, expression and translation of the frames with the same stamp."""
    stamps, rows = np.unique(live.stamp_ns[live.valid], return_index=True)
    common, ours, theirs = np.intersect1d(stamps, offline.stamp_ns, return_indices=True)
    missing, extra = len(offline.stamp_ns) - len(common), len(stamps) - len(common)
    if not len(common):
        return Agreement(None, None, 0, missing, extra)
    ours = np.flatnonzero(live.valid)[rows[ours]]
    motion, layout = offline.motion[theirs], offline.layout
    apart = np.hstack(
        [
            np.abs(live.rotation[ours] - motion[:, layout.rotation]),
            np.abs(live.expression[ours] - motion[:, layout.expression]),
            np.abs(live.translation[ours] - motion[:, layout.translation]),
        ]
    )
    return Agreement(float(apart.max()), float(apart.mean()), len(common), missing, extra)
