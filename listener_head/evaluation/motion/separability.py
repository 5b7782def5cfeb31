"""Can the attitudes of a listener be told apart by how it moves?

The same speaker is heard with each attitude. Windows of two seconds are told apart by the nearest mean of the
attitudes, with each number in units of its deviation within an attitude. Means and deviations are those of
the other four fifths of the time, so that no window is judged by its neighbours. *Sensitivity* d' is the
difference of two attitudes' window means over their common standard deviation (Green and Swets, "Signal
detection theory and psychophysics", 1966).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np

from listener_head.evaluation.motion.kinematics import Curve, angles_deg
from listener_head.evaluation.motion.pieces import LISTENING, is_named, named_curve, positions
from listener_head.evaluation.offline.data import Listened
from listener_head.timing import RATE_HZ

WINDOW_S = 2.0
_FOLDS = 5
_COMPARED = ("smile", "brows raised", "brows lowered")
_STILL = 1e-6


def separability(runs: Mapping[str, Listened]) -> dict[str, Any]:
    """How well the attitudes of runs on the same steps are told apart, ready for JSON.

    ``accuracy`` is the share of windows that are told right by all of rotation and expression (mean and
    deviation of each number), ``accuracy_of_movement`` by the deviations alone, that is without pose and
    resting face, ``chance`` what a guess gets; None with fewer than two attitudes or five windows of each.
    ``confusion``: shares by true and told attitude. ``sensitivity``: d' by pair of attitudes ("a, b":
    positive where a has more) of smile, raised and lowered brows and pitch; None where nothing varies, or the
    face model's shapes have no names.
    """
    features = {attitude: _features(listened) for attitude, listened in runs.items()}
    shared = sorted(set.intersection(*(set(found) for found in features.values()))) if features else []
    result: dict[str, Any] = {
        "window_s": WINDOW_S,
        "windows": len(shared),
        "chance": None,
        "accuracy": None,
        "accuracy_of_movement": None,
        "confusion": None,
    }
    if len(runs) >= 2 and len(shared) >= _FOLDS:
        rows = np.stack([[found[window] for window in shared] for found in features.values()])
        told = _told(rows)
        movement = _told(rows[:, :, rows.shape[2] // 2 :])
        truth = np.arange(len(runs))[:, None]
        result |= {
            "chance": 1 / len(runs),
            "accuracy": float((told == truth).mean()),
            "accuracy_of_movement": float((movement == truth).mean()),
            "confusion": {
                attitude: {other: float((told[i] == j).mean()) for j, other in enumerate(runs)}
                for i, attitude in enumerate(runs)
            },
        }
    result["sensitivity"] = {
        f"{first}, {second}": _sensitivities(runs[first], runs[second])
        for first, second in combinations(runs, 2)
    }
    return result


def _windows(listened: Listened) -> dict[int, slice]:
    """Rows of the run by window, of windows that were wholly listened in."""
    length = round(WINDOW_S * RATE_HZ)
    places = positions(listened.indices)
    starts = np.flatnonzero(places % length == 0)
    starts = starts[starts + length <= len(places)]
    whole = places[starts + length - 1] - places[starts] == length - 1
    idle = np.concatenate([[0], np.cumsum(listened.mode != LISTENING)])
    whole &= idle[starts + length] == idle[starts]
    return {int(places[start]) // length: slice(int(start), int(start) + length) for start in starts[whole]}


def _features(listened: Listened) -> dict[int, Curve]:
    """Means, then deviations, of rotation and expression in each window."""
    moved = listened.motion[:, : listened.layout.expression.stop].astype(np.float64)
    return {
        window: np.concatenate([moved[rows].mean(axis=0), moved[rows].std(axis=0)])
        for window, rows in _windows(listened).items()
    }


def _told(rows: Curve) -> np.ndarray:
    """Which class [C, W] each window of rows [C, W, F] is told to be."""
    fold = np.arange(rows.shape[1]) * _FOLDS // rows.shape[1]
    told = np.zeros(rows.shape[:2], np.int64)
    for number in range(_FOLDS):
        known, asked = rows[:, fold != number], rows[:, fold == number]
        centres = known.mean(axis=1)
        deviation = np.sqrt(np.square(known - centres[:, None]).mean(axis=(0, 1)))
        # What keeps still within the attitudes, as a still face does, counts as if it moved a little.
        scale = 1 / np.maximum(deviation, max(_STILL, 1e-3 * float(deviation.max(initial=0.0))))
        away = np.square((asked[:, :, None] - centres) * scale).sum(axis=3)
        told[:, fold == number] = away.argmin(axis=2)
    return told


def _sensitivities(first: Listened, second: Listened) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for label in (*_COMPARED, "pitch"):
        means = [_window_means(listened, label) for listened in (first, second)]
        found[label.replace(" ", "_")] = _sensitivity(*means)
    return found


def _window_means(listened: Listened, label: str) -> Curve:
    if label == "pitch":
        curve = angles_deg(listened.motion, listened.layout)[:, 0]
    elif is_named(listened.layout):
        curve = named_curve(listened.motion, listened.layout, label)
    else:
        return np.zeros(0)
    return np.array([curve[rows].mean() for rows in _windows(listened).values()])


def _sensitivity(first: Curve, second: Curve) -> float | None:
    if min(len(first), len(second)) < 2:
        return None
    deviation = np.sqrt((first.var(ddof=1) + second.var(ddof=1)) / 2)
    return float((first.mean() - second.mean()) / deviation) if deviation > _STILL else None
