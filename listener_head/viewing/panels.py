"""What the page plots, and the numbers of a message that are plotted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from listener_head.audio.paper45 import Paper45
from listener_head.audio.vico45 import Vico45
from listener_head.coefficients import Coefficients, Layout
from listener_head.evaluation.series import ANGLE_NAMES, EXPRESSIONS, UNNAMED_SHOWN
from listener_head.timing import RATE_HZ

SPEAKER, LISTENER = "speaker", "listener"
LATENCIES = ("face", "joints", "picture")
QUIET_DB = -60.0


@dataclass(frozen=True)
class Panel:
    """A plot: which column it stands in, its curves, and the range that is always shown."""

    key: str
    side: str
    title: str
    unit: str
    low: float
    high: float
    names: Sequence[str] = ()


PANELS = (
    Panel("voice", SPEAKER, "Speaker's voice", "dB", QUIET_DB, 0.0, ("level",)),
    Panel("speaker_head", SPEAKER, "Speaker's head", "°", -15.0, 15.0, ANGLE_NAMES),
    Panel("latency", SPEAKER, "Latency since the camera frame", "ms", 0.0, 60.0, LATENCIES),
    Panel("head", LISTENER, "Listener's head", "°", -15.0, 15.0, ANGLE_NAMES),
    Panel("face", LISTENER, "Listener's face", "", 0.0, 1.0),
    Panel("joints", LISTENER, "Robot's joints", "°", -15.0, 15.0),
)

_MEANS = {layout.name: layout(RATE_HZ).mean_square for layout in (Paper45, Vico45)}


def level_db(layout: str, values: NDArray[np.float64]) -> float:
    """Level of the sound of a feature vector [45], 0 dB is full scale; NaN for what is no such vector."""
    if layout not in _MEANS or len(values) != Paper45.size:
        return math.nan
    with np.errstate(all="ignore"):
        mean_square = float(np.clip(np.nan_to_num(_mean_square(layout, values)), 1e-10, 1.0))
    return max(QUIET_DB, 10.0 * math.log10(mean_square))


def _mean_square(layout: str, values: NDArray[np.float64]) -> float:
    try:
        return _MEANS[layout](values)
    except OverflowError:  # of numbers that are no sound's
        return math.nan


def head_angles(coefficients: Coefficients) -> list[float]:
    """Pitch, yaw, roll in degrees; NaN where there is no face."""
    if not coefficients.valid:
        return [math.nan] * len(ANGLE_NAMES)
    return np.degrees(coefficients.rotation.astype(np.float64)).tolist()


class FaceCurves:
    """The shapes of a face model that people look for, as ``names`` and the function ``values``."""

    def __init__(self, layout: Layout) -> None:
        shapes = layout.expression_names
        if set(EXPRESSIONS["smile"]) <= set(shapes):
            groups = {name: [shapes.index(s) for s in parts] for name, parts in EXPRESSIONS.items()}
        else:  # of shapes without names the first ones move most
            groups = {shapes[i]: [i] for i in range(UNNAMED_SHOWN)}
        self.face_model = layout.face_model
        self.names = tuple(groups)
        self._groups = list(groups.values())

    def values(self, coefficients: Coefficients) -> list[float]:
        """One number per name; NaN where there is no face."""
        if not coefficients.valid:
            return [math.nan] * len(self.names)
        return [float(coefficients.expression[group].mean()) for group in self._groups]
