"""Curves of a recording that a person wants to see; the plot and the report draw the same ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from listener_head.evaluation.recording import Recording
from listener_head.evaluation.tracks import CoefficientTrack
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


def seconds(recording: Recording, stamps_ns: NDArray[np.int64]) -> Curve:
    """Stamps as seconds since the recording's start."""
    return (stamps_ns - recording.start_ns) / NS_PER_S


def head_angles_deg(track: CoefficientTrack) -> Curve:
    """Pitch, yaw, roll [T, 3] in degrees; NaN where the track is not valid, so that lines break there."""
    return np.where(track.valid[:, None], np.degrees(track.rotation.astype(np.float64)), np.nan)


def expression_curves(track: CoefficientTrack) -> dict[str, Curve]:
    """Named curves [T] of the face; NaN where the track is not valid."""
    names = track.layout.expression_names
    values = np.where(track.valid[:, None], track.expression.astype(np.float64), np.nan)
    if set(EXPRESSIONS["smile"]) <= set(names):
        return {
            label: values[:, [names.index(shape) for shape in shapes]].mean(axis=1)
            for label, shapes in EXPRESSIONS.items()
        }
    if not len(values):
        return {}
    most = np.argsort(track.expression.std(axis=0))[::-1][:UNNAMED_SHOWN]
    return {names[i]: values[:, i] for i in most}


def speech_spans(recording: Recording) -> list[tuple[float, float]]:
    """When the speaker speaks, as (from, to) in seconds since the recording's start."""
    times = seconds(recording, recording.features.stamp_ns)[
        recording.features.voice_activity > SPEECH_THRESHOLD
    ]
    if not len(times):
        return []
    breaks = np.flatnonzero(np.diff(times) > SPEECH_PAUSE_S)
    starts = times[np.concatenate([[0], breaks + 1])]
    ends = times[np.concatenate([breaks, [len(times) - 1]])]
    return [(float(start), float(end)) for start, end in zip(starts, ends, strict=True)]


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
