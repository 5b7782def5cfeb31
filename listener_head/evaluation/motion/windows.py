"""The measures that make sense of a few seconds, window by window: for curves over time and bootstraps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import Layout
from listener_head.evaluation.motion.gestures import blinks, nods
from listener_head.evaluation.motion.kinematics import Curve, angles_deg, expression_speed, head_speed
from listener_head.evaluation.motion.pieces import Indices, Piece, is_named, named_curve, pieces, positions
from listener_head.evaluation.offline.data import Listened, Seen
from listener_head.evaluation.truth.grid import truth_on_grid
from listener_head.timing import RATE_HZ

Series = list[float | None]
WINDOW_S = 5.0
# A window of which less than this share was listened in has no values.
_LEAST_SHARE = 0.5
_NAMED = ("smile", "brows raised", "brows lowered")


def windows(listened: Listened, truth: Seen | None = None, length_s: float = WINDOW_S) -> dict[str, Any]:
    """Means of windows of ``length_s``: {"length_s", "start_s": [W], "values": {key: [W]}}, ready for JSON.

    Starts are seconds since the first step. Keys are those of `statistics` where they mean the same;
    ``pitch_deviation`` is in degrees, ``speech`` the share of the time heard in which the speaker speaks.
    With the true listener, ``distance_rotation``, ``distance_expression`` and ``distance_translation`` are
    the feature distance × 100 where the face was seen. A value is None where less than half of the window was
    listened in; keys of expressions are absent where the face model's have no names.
    """
    length = round(length_s * RATE_HZ)
    grouping = _Grouping(listened, length)
    values: dict[str, Series] = {}
    for key, (where, curve) in _curves(grouping.parts, listened.layout).items():
        values[key] = grouping.means(where, curve)
    pitch = [angles_deg(part.motion, listened.layout)[:, 0] for part in grouping.parts]
    values["pitch_deviation"] = grouping.deviations(grouping.everywhere, _joined(pitch))
    for key, frames in _events(grouping.parts, listened.layout).items():
        values[key] = grouping.rates(frames)
    if truth is not None:
        values |= _distances(listened, truth, grouping)
    return {"length_s": length_s, "start_s": grouping.starts_s, "values": values}


class _Grouping:
    """Which window each step of a run is in."""

    def __init__(self, listened: Listened, length: int) -> None:
        self._length = length
        self._there = np.unique(positions(listened.indices) // length)
        self.starts_s = [float(start) for start in self._there * length / RATE_HZ]
        self.parts = pieces(listened)
        self.everywhere = _joined([part.first + np.arange(len(part)) for part in self.parts]).astype(np.int64)
        self._steps = self._counted(self.everywhere)

    def _counted(self, where: Indices, weights: Curve | None = None) -> Curve:
        """Sum of weights [W] of the steps at places ``where`` [N], or their number."""
        window = np.searchsorted(self._there, where // self._length)
        # Bridged steps may be all that there is of a window.
        inside = window < len(self._there)
        inside[inside] = self._there[window[inside]] == where[inside] // self._length
        return np.bincount(
            window[inside], None if weights is None else weights[inside], minlength=len(self._there)
        ).astype(np.float64)

    def means(self, where: Indices, curve: Curve) -> Series:
        """Means [W] of a curve [N] at places [N]."""
        return self._told(self._counted(where, curve), self._counted(where))

    def deviations(self, where: Indices, curve: Curve) -> Series:
        """Standard deviations [W] of a curve [N] at places [N]."""
        centred = curve - curve.mean() if len(curve) else curve
        count = np.maximum(self._counted(where), 1)
        mean = self._counted(where, centred) / count
        variance = np.maximum(self._counted(where, centred**2) / count - mean**2, 0)
        return self._told(np.sqrt(variance), self._steps > 0)

    def rates(self, frames: Indices) -> Series:
        """Events per minute [W]."""
        return self._told(self._counted(frames) * RATE_HZ * 60, self._steps)

    def _told(self, sums: Curve, counts: NDArray[Any]) -> Series:
        enough = (self._steps >= _LEAST_SHARE * self._length) & (counts > 0)
        return [
            float(total / count) if told else None
            for total, count, told in zip(sums, counts, enough, strict=True)
        ]


def _joined(curves: list[Any]) -> Curve:
    return np.concatenate(curves) if curves else np.zeros(0)


def _curves(parts: list[Piece], layout: Layout) -> dict[str, tuple[Indices, Curve]]:
    """Curves by key, with the places of their values."""
    places = [part.first + np.arange(len(part)) for part in parts]
    after = _joined([place[1:] for place in places]).astype(np.int64)
    found = {
        "head_speed": (after, _joined([head_speed(part.motion, layout) for part in parts])),
        "expression_speed": (after, _joined([expression_speed(part.motion, layout) for part in parts])),
    }
    heard = [part.speaking | part.pausing for part in parts]
    found["speech"] = (
        _joined([place[flag] for place, flag in zip(places, heard, strict=True)]).astype(np.int64),
        _joined([part.speaking[flag].astype(np.float64) for part, flag in zip(parts, heard, strict=True)]),
    )
    everywhere = _joined(places).astype(np.int64)
    for label in _NAMED if is_named(layout) else ():
        curves = [named_curve(part.motion, layout, label) for part in parts]
        found[label.replace(" ", "_")] = (everywhere, _joined(curves))
    return found


def _events(parts: list[Piece], layout: Layout) -> dict[str, Indices]:
    """Places of nods (their start) and blinks."""
    found = {
        "nods_per_minute": [
            part.first + int(nod.start) for part in parts for nod in nods(angles_deg(part.motion, layout))
        ]
    }
    if is_named(layout):
        found["blinks_per_minute"] = [
            part.first + blink.frame
            for part in parts
            for blink in blinks(named_curve(part.motion, layout, "blink"))
        ]
    return {key: np.array(frames, np.int64) for key, frames in found.items()}


def _distances(listened: Listened, truth: Seen, grouping: _Grouping) -> dict[str, Series]:
    true, valid = truth_on_grid(truth, listened.indices)
    where = positions(listened.indices)[valid]
    error = 100 * np.abs(listened.motion[valid] - true[valid])
    layout = listened.layout
    slices = {"rotation": layout.rotation, "expression": layout.expression, "translation": layout.translation}
    return {
        f"distance_{name}": grouping.means(where, error[:, part].mean(axis=1, dtype=np.float64))
        for name, part in slices.items()
    }
