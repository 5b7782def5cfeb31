"""Curves of a recording that a person wants to see; the plot and the reports draw the same ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from listener_head.coefficients import Layout
from listener_head.evaluation.recording import Recording
from listener_head.timing import NS_PER_S

Curve = NDArray[np.float64]

ANGLE_NAMES = ("pitch", "yaw", "roll")
ATTITUDE_NAMES = ("positive", "neutral", "negative")  # in the order of Attitude.msg
# Readable on white and on near-black, and apart for colour-blind eyes.
COLORS = ("#3b7dd8", "#e08a2e", "#2f9e77", "#c25aa5", "#8b74d6", "#c9a227", "#d0555a", "#4aa3b5")

# What people look for in a face, from the ARKit shapes that make it up (their mean).
EXPRESSIONS: dict[str, tuple[str, ...]] = {
    "smile": ("mouthSmileLeft", "mouthSmileRight"),
    "brows raised": ("browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    "brows lowered": ("browDownLeft", "browDownRight"),
    "blink": ("eyeBlinkLeft", "eyeBlinkRight"),
    "jaw open": ("jawOpen",),
}
# Of a face model whose shapes have no names, the ones that move most.
UNNAMED_SHOWN = 5

# Voice activity above this counts as speech.
SPEECH_THRESHOLD = 0.5
# Shorter silences are part of speaking.
SPEECH_PAUSE_S = 0.2


def seconds(start_ns: int, stamps_ns: NDArray[np.int64]) -> Curve:
    """Stamps as seconds since ``start_ns``."""
    return (stamps_ns - start_ns) / NS_PER_S


def head_angles_deg(rotation: ArrayLike, valid: NDArray[np.bool_]) -> Curve:
    """Pitch, yaw, roll [T, 3] in degrees of ``rotation`` [T, 3] rad; NaN (no line) where not ``valid``."""
    return np.where(valid[:, None], np.degrees(np.asarray(rotation, np.float64)), np.nan)


def expression_curves(layout: Layout, expression: ArrayLike, valid: NDArray[np.bool_]) -> dict[str, Curve]:
    """Named curves [T] of a face [T, E]; NaN where it is not valid."""
    names = layout.expression_names
    weights = np.asarray(expression, np.float64)
    values = np.where(valid[:, None], weights, np.nan)
    if set(EXPRESSIONS["smile"]) <= set(names):
        return {
            label: values[:, [names.index(shape) for shape in shapes]].mean(axis=1)
            for label, shapes in EXPRESSIONS.items()
        }
    if not len(values):
        return {}
    most = np.argsort(weights.std(axis=0))[::-1][:UNNAMED_SHOWN]
    return {names[i]: values[:, i] for i in most}


def speech_spans(times: Curve, voice_activity: ArrayLike) -> list[tuple[float, float]]:
    """When the speaker speaks, as (from, to), of voice activity [T] 0 to 1 at ``times`` [s]."""
    return spans(times[np.asarray(voice_activity) > SPEECH_THRESHOLD], SPEECH_PAUSE_S)


def spans(times: Curve, pause_s: float) -> list[tuple[float, float]]:
    """First and last of the rising ``times`` [s] between holes longer than ``pause_s``."""
    if not len(times):
        return []
    breaks = np.flatnonzero(np.diff(times) > pause_s)
    starts = times[np.concatenate([[0], breaks + 1])]
    ends = times[np.concatenate([breaks, [len(times) - 1]])]
    return [(float(start), float(end)) for start, end in zip(starts, ends, strict=True)]


def recorded_speech(recording: Recording) -> list[tuple[float, float]]:
    """`speech_spans` of a recording, since its start."""
    features = recording.features
    return speech_spans(seconds(recording.start_ns, features.stamp_ns), features.voice_activity)


def voice_envelope(recording: Recording, points: int = 2000) -> tuple[Curve, Curve, Curve]:
    """Times [s], lowest and highest sample (-1 to 1) of at most ``points`` pieces of the sound."""
    audio = recording.audio
    pieces = min(points, len(audio.samples))
    if not pieces:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    edges = np.linspace(0, len(audio.samples), pieces, endpoint=False).astype(np.int64)
    low = np.minimum.reduceat(audio.samples, edges).astype(np.float64)
    high = np.maximum.reduceat(audio.samples, edges).astype(np.float64)
    start = (audio.start_ns - recording.start_ns) / NS_PER_S
    return start + edges / audio.sample_rate, low, high


def attitudes(recording: Recording) -> list[str]:
    """Names of the attitudes that the listener had, in order of first use."""
    used = dict.fromkeys(recording.states.attitude.tolist())
    return [attitude_name(number) for number in used]


def attitude_name(number: int) -> str:
    """Name of an attitude's number."""
    return ATTITUDE_NAMES[number] if number < len(ATTITUDE_NAMES) else f"attitude {number}"
