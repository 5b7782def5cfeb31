"""What a listener's motion is like, in numbers that studies of people give too.

A range of people stands beside a number only where a publication gives one; it is named in ``source``. Where
there is none, ``source`` says where the measure comes from, or is empty.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import Layout
from listener_head.evaluation.motion.gestures import Gesture, blinks, nods, shakes
from listener_head.evaluation.motion.kinematics import (
    Curve,
    angles_deg,
    expression_speed,
    head_speed,
    jerk,
    smoothness,
)
from listener_head.evaluation.motion.mirroring import MIRRORED_EXPRESSIONS, mirroring
from listener_head.evaluation.motion.pieces import Piece, is_named, named_curve, pieces
from listener_head.evaluation.offline.data import FloatArray, Listened
from listener_head.evaluation.series import ANGLE_NAMES
from listener_head.timing import RATE_HZ

Values = dict[str, float]

# Lids closed, and a mouth smiling, by more than this weight count as closed and smiling.
CLOSED, SMILING = 0.5, 0.2
# Rates per minute are not told of less, and shares of speech and pauses not of a second.
_LEAST_RATE_S, _LEAST_SHARE_S = 10.0, 1.0
# A nod that begins this soon after the end of speech answers it.
_ANSWER_S = 1.5

_NOD_SOURCE = (
    "0.5 to 4 Hz is where listeners' nods are looked for; Hale et al., Journal of Nonverbal Behavior 44, "
    "2020, find fast ones up to 6.5 Hz"
)
_BLINK_SOURCE = (
    "Doughty, Optometry and Vision Science 78, 2001: 8.0 to 21.0 in silent gaze, 10.5 to 32.5 in "
    "conversation; Bentivoglio et al., Movement Disorders 12, 1997: mean 17 at rest, 26 in conversation"
)
_BLINK_S_SOURCE = "Bionumbers (Harvard), average duration of a blink"
_SMOOTHNESS_SOURCE = "Balasubramanian et al., Journal of NeuroEngineering and Rehabilitation 12, 2015"
_MIRROR_SOURCE = (
    "Hale et al., Journal of Nonverbal Behavior 44, 2020: people follow each other's heads 0.6 s late"
)
_PAUSE_SOURCE = (
    "Hadar, Steiner and Rose, Journal of Nonverbal Behavior 9, 1985: narrow moves in phase with stressed "
    "syllables, wide ones in pauses"
)


@dataclass(frozen=True)
class Statistic:
    """A number about a motion; ``value`` is None where the run or the face model does not tell it.

    ``human`` is the range of people, ``within`` whether the value is in it.
    """

    label: str
    unit: str
    value: float | None
    human: tuple[float, float] | None
    source: str
    within: bool | None


@dataclass(frozen=True)
class _Kind:
    label: str
    unit: str
    source: str = ""
    human: tuple[float, float] | None = None

    def of(self, value: float | None) -> Statistic:
        within = None
        if value is not None and self.human is not None:
            within = self.human[0] <= value <= self.human[1]
        return Statistic(self.label, self.unit, value, self.human, self.source, within)


_KINDS = {
    "nods_per_minute": _Kind("Nods", "1/min"),
    "nod_frequency": _Kind("Frequency of nods, median", "Hz", _NOD_SOURCE, (0.5, 4.0)),
    "nod_size": _Kind("Size of nods, median", "deg"),
    "nods_in_speech": _Kind("Nods that begin while the speaker speaks", "%"),
    "nods_after_speech": _Kind(f"Nods that begin within {_ANSWER_S:g} s after speech", "%", _PAUSE_SOURCE),
    "nod_delay": _Kind("From the end of speech to these nods, median", "s"),
    "shakes_per_minute": _Kind("Shakes of the head", "1/min"),
    "pitch_range": _Kind("Range of pitch, 5 to 95 %", "deg"),
    "yaw_range": _Kind("Range of yaw, 5 to 95 %", "deg"),
    "roll_range": _Kind("Range of roll, 5 to 95 %", "deg"),
    "head_speed": _Kind("Speed of the head, mean", "deg/s"),
    "head_speed_in_speech": _Kind("Speed of the head while the speaker speaks", "deg/s"),
    "head_speed_in_pauses": _Kind("Speed of the head while the speaker pauses", "deg/s", _PAUSE_SOURCE),
    "head_speed_ratio": _Kind("Speed of the head, speech over pauses", ""),
    "sparc": _Kind("Smoothness of the head, spectral arc length", "", _SMOOTHNESS_SOURCE),
    "log_jerk": _Kind("Smoothness of the head, log dimensionless jerk", "", _SMOOTHNESS_SOURCE),
    "jerk": _Kind("Jerk of the head, RMS", "deg/s³"),
    "blinks_per_minute": _Kind("Blinks", "1/min", _BLINK_SOURCE, (8.0, 32.5)),
    "blink_duration": _Kind("Duration of blinks, median", "s", _BLINK_S_SOURCE, (0.1, 0.4)),
    "eyes_closed": _Kind("Time with closed eyes", "%"),
    "smile": _Kind("Smile, mean", ""),
    "smiling": _Kind("Time smiling", "%"),
    "brows_raised": _Kind("Brows raised, mean", ""),
    "brows_lowered": _Kind("Brows lowered, mean", ""),
    "expression_speed": _Kind("Speed of the expression, mean of its shapes", "1/s"),
    "expression_speed_in_speech": _Kind("Speed of the expression while the speaker speaks", "1/s"),
    "expression_speed_in_pauses": _Kind("Speed of the expression while the speaker pauses", "1/s"),
    "expression_speed_ratio": _Kind("Speed of the expression, speech over pauses", ""),
}
for _label in (*ANGLE_NAMES, *MIRRORED_EXPRESSIONS):
    _name = f"speed of {_label}" if _label in ANGLE_NAMES else _label
    _key = _label.replace(" ", "_")
    _KINDS[f"mirrored_{_key}"] = _Kind(f"Mirroring beyond chance, {_name}", "", _MIRROR_SOURCE)
    _KINDS[f"mirrored_{_key}_lag"] = _Kind(f"Mirroring, {_name}: lag", "s", _MIRROR_SOURCE)


def statistics(listened: Listened) -> dict[str, Statistic]:
    """All statistics, always the same keys, of the time in which the listener listened.

    *Mirroring beyond chance* is the largest correlation with the speaker of 0.2 to 4 s before, less what
    95 % of the circularly shifted speakers stay below: above zero is more than chance
    (`listener_head.evaluation.motion.mirroring`), and only then is there a lag.
    """
    parts, layout = pieces(listened), listened.layout
    values: Values = {}
    if parts:
        angles = [angles_deg(part.motion, layout) for part in parts]
        values |= _gesture_values(parts, angles)
        values |= _head_values(angles)
        values |= _face_values(parts, layout)
        values |= _activity(parts, layout, "head_speed", head_speed)
        values |= _activity(parts, layout, "expression_speed", expression_speed)
        values |= _mirror_values(parts, layout)
    return {key: kind.of(values.get(key)) for key, kind in _KINDS.items()}


def _minutes(parts: list[Piece]) -> float:
    return sum(len(part) for part in parts) / RATE_HZ / 60


def _gesture_values(parts: list[Piece], angles: list[Curve]) -> Values:
    found = [nods(each) for each in angles]
    every = [nod for part in found for nod in part]
    values: Values = {}
    if _minutes(parts) * 60 >= _LEAST_RATE_S:
        values["nods_per_minute"] = len(every) / _minutes(parts)
        values["shakes_per_minute"] = sum(len(shakes(each)) for each in angles) / _minutes(parts)
    if every:
        values["nod_frequency"] = float(np.median([nod.frequency_hz for nod in every]))
        values["nod_size"] = float(np.median([nod.size_deg for nod in every]))
    return values | _nod_times(parts, found)


def _nod_times(parts: list[Piece], found: list[list[Gesture]]) -> Values:
    """When nods begin, of those that begin where the speaker is heard."""
    in_speech, delays, heard = 0, [], 0
    for part, gestures in zip(parts, found, strict=True):
        last_speech = np.maximum.accumulate(np.where(part.speaking, np.arange(len(part)), -np.inf))
        for nod in gestures:
            frame = int(nod.start)
            heard += bool(part.speaking[frame] or part.pausing[frame])
            in_speech += bool(part.speaking[frame])
            if part.pausing[frame]:
                # Row k hears the sound until t_k and moves for the instant after it.
                delays.append((nod.start + 1 - last_speech[frame]) / RATE_HZ)
    if not heard:
        return {}
    answers = [delay for delay in delays if delay <= _ANSWER_S]
    values = {"nods_in_speech": 100 * in_speech / heard, "nods_after_speech": 100 * len(answers) / heard}
    return values | ({"nod_delay": float(np.median(answers))} if answers else {})


def _head_values(angles: list[Curve]) -> Values:
    low, high = np.percentile(np.concatenate(angles), [5, 95], axis=0)
    values = {f"{name}_range": float(high[i] - low[i]) for i, name in enumerate(ANGLE_NAMES)}
    jerks = np.concatenate([jerk(each) for each in angles])
    if len(jerks):
        values["jerk"] = float(np.sqrt(np.square(jerks).mean()))
    windows = [smoothness(each) for each in angles]
    for key, lengths in zip(("sparc", "log_jerk"), zip(*windows, strict=True), strict=True):
        every = np.concatenate(lengths)
        if len(every):
            values[key] = float(np.median(every))
    return values


def _face_values(parts: list[Piece], layout: Layout) -> Values:
    if not is_named(layout):
        return {}
    curves = {
        label: [named_curve(part.motion, layout, label) for part in parts]
        for label in ("smile", "brows raised", "brows lowered", "blink")
    }
    whole = {label: np.concatenate(curve) for label, curve in curves.items()}
    values = {label.replace(" ", "_"): float(curve.mean()) for label, curve in whole.items()}
    values["smiling"] = 100 * float((whole["smile"] > SMILING).mean())
    values["eyes_closed"] = 100 * float((whole["blink"] > CLOSED).mean())
    del values["blink"]
    every = [blink.duration_s for lids in curves["blink"] for blink in blinks(lids)]
    if _minutes(parts) * 60 >= _LEAST_RATE_S:
        values["blinks_per_minute"] = len(every) / _minutes(parts)
    if every:
        values["blink_duration"] = float(np.median(every))
    return values


def _activity(
    parts: list[Piece], layout: Layout, key: str, speed: Callable[[FloatArray, Layout], Curve]
) -> Values:
    """Mean speed in all, in speech and in pauses, and the ratio of these two."""
    whole = np.concatenate([speed(part.motion, layout) for part in parts])
    values: Values = {key: float(whole.mean())} if len(whole) else {}
    for name, flag in (("in_speech", "speaking"), ("in_pauses", "pausing")):
        there: NDArray[np.bool_] = np.concatenate([getattr(part, flag)[1:] for part in parts])
        if np.count_nonzero(there) >= _LEAST_SHARE_S * RATE_HZ:
            values[f"{key}_{name}"] = float(whole[there].mean())
    pauses = values.get(f"{key}_in_pauses", 0.0)
    if pauses > 0 and f"{key}_in_speech" in values:
        values[f"{key}_ratio"] = values[f"{key}_in_speech"] / pauses
    return values


def _mirror_values(parts: list[Piece], layout: Layout) -> Values:
    values: Values = {}
    for label, found in mirroring(parts, layout).items():
        key = f"mirrored_{label.replace(' ', '_')}"
        values[key] = found.correlation - found.chance
        if values[key] > 0:
            values[f"{key}_lag"] = found.lag_s
    return values
