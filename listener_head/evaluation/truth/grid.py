"""The true listener at the instants that a listener's motion is for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from listener_head.errors import UserError
from listener_head.evaluation.offline.data import BoolArray, FloatArray, Nanoseconds, Seen
from listener_head.timing import HOLD_NS, grid_times_ns


def truth_on_grid(truth: Seen, indices: NDArray[np.int64]) -> tuple[FloatArray, BoolArray]:
    """Motion [T, M] and whether the face was seen [T], at the instants t of step + 1 of the steps [T]."""
    return truth_at(truth, grid_times_ns(indices + 1))


def truth_at(truth: Seen, stamp_ns: Nanoseconds) -> tuple[FloatArray, BoolArray]:
    """Motion [T, M] at the moments [T], zero where the face was not seen, and whether it was [T].

    It is the newest valid fit not after the moment, held for HOLD_NS, as the listener holds the speaker's.
    """
    rows = np.flatnonzero(truth.valid)
    newest = np.searchsorted(truth.stamp_ns[rows], stamp_ns, side="right") - 1
    motion = np.zeros((len(stamp_ns), truth.layout.size), np.float32)
    valid = newest >= 0
    row = rows[newest[valid]]
    valid[valid] = stamp_ns[valid] - truth.stamp_ns[row] <= HOLD_NS
    motion[valid] = truth.motion[rows[newest[valid]]]
    return motion, valid


def first_row(truth: Seen) -> int:
    """The row of the first frame with a face: its motion is the reference m₁ (paper Eq. 3).

    UserError when no frame has one.
    """
    rows = np.flatnonzero(truth.valid)
    if not len(rows):
        raise UserError(
            f"no face was seen in the {len(truth.valid)} pictures of the true listener; "
            "give the topic of the camera that looks at them"
        )
    return int(rows[0])


def reference_motion(truth: Seen) -> FloatArray:
    """The reference motion m₁ [M] of the true listener; UserError when the face was never seen."""
    return truth.motion[first_row(truth)].copy()
