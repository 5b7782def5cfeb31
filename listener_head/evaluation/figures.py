"""The reports' figures: panels of lines on one time axis, as ``templates/plots.js`` draws them."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from listener_head.evaluation.latency import StepLatencies
from listener_head.evaluation.recording import Recording
from listener_head.evaluation.series import (
    ANGLE_NAMES,
    COLORS,
    Curve,
    expression_curves,
    head_angles_deg,
    recorded_speech,
    seconds,
    voice_envelope,
)

Json = dict[str, Any]
Spans = Sequence[tuple[float, float]]

_MUTED = "#8a9099"


@dataclass(frozen=True)
class Line:
    """``values`` [T] at the rising ``times`` [T] in seconds; NaN breaks the line.

    Lines of one ``name`` share a colour, those of one ``kind`` (whose they are) a ``dash``: "solid", "dot" or
    "dash"; the reader shows and hides them by both. A kind is hidden at first unless ``shown``. One that
    is ``filled`` is filled down to the line before it.
    """

    name: str
    times: ArrayLike
    values: ArrayLike
    color: str
    kind: str = ""
    dash: str = "solid"
    shown: bool = True
    filled: bool = False


@dataclass(frozen=True)
class Panel:
    """A plot; an ``outline`` has neither numbers nor names."""

    name: str
    title: str
    unit: str
    lines: Sequence[Line]
    height: int = 230
    from_zero: bool = False
    outline: bool = False


def as_json(panels: Sequence[Panel], end_s: float, speech: Spans, absent: Spans = ()) -> Json:
    """What plots.js draws, from 0 to ``end_s``: panels, and when [s] the speaker speaks, and is not in view.

    Numbers are little-endian float32 in base64: smaller, and read faster, than decimal text. Lines on the
    same times share them.
    """
    arrays: dict[str, int] = {}

    def place(values: ArrayLike) -> int:
        packed = base64.b64encode(np.asarray(values, "<f4").tobytes()).decode("ascii")
        return arrays.setdefault(packed, len(arrays))

    def line(each: Line) -> Json:
        facts = ("name", "kind", "color", "dash", "shown", "filled")
        return {
            **{fact: getattr(each, fact) for fact in facts},
            "x": place(each.times),
            "y": place(each.values),
        }

    drawn = [
        {
            "id": panel.name,
            "outline": panel.outline,
            "from_zero": panel.from_zero,
            "curves": [line(each) for each in panel.lines],
        }
        for panel in panels
    ]
    return {
        "end": round(end_s, 3),
        "speech": _rounded(speech),
        "absent": _rounded(absent),
        "panels": drawn,
        "arrays": list(arrays),
    }


def _rounded(spans: Spans) -> list[list[float]]:
    return [[round(start, 3), round(end, 3)] for start, end in spans]


def figures(recording: Recording, steps: StepLatencies) -> tuple[list[Panel], Spans]:
    """The panels of a recorded run in reading order, those with something to show, and when was spoken."""
    times, low, high = voice_envelope(recording)
    panels = [
        voice_panel(times, low, high),
        Panel("head", "Listener's head", "°", _head(recording)),
        Panel("face", "Listener's face", "0 to 1", _face(recording)),
        Panel("joints", "Robot's joints", "°", _joints(recording)),
        latency_panel(recording.start_ns, steps),
    ]
    return [panel for panel in panels if panel.lines], recorded_speech(recording)


def voice_panel(times: Curve, low: ArrayLike, high: ArrayLike) -> Panel:
    """The outline of the sound: lowest and highest sample [P] from ``times`` [P] on."""
    outline = [
        Line("lowest", times, low, _MUTED),
        Line("highest", times, high, _MUTED, filled=True),
    ]
    return Panel("voice", "Speaker's voice", "", outline if len(times) else [], height=120, outline=True)


def head_lines(times: Curve, angles_deg: Curve, kind: str, dash: str, shown: bool) -> list[Line]:
    """Pitch, yaw and roll [T, 3] in degrees."""
    return [
        Line(name, times, angles_deg[:, i], COLORS[i], kind, dash, shown)
        for i, name in enumerate(ANGLE_NAMES)
    ]


def face_lines(times: Curve, curves: dict[str, Curve], kind: str, dash: str, shown: bool) -> list[Line]:
    """Curves [T] of `expression_curves`."""
    return [
        Line(name, times, curve, color, kind, dash, shown)
        for color, (name, curve) in zip(COLORS, curves.items(), strict=False)
    ]


def latency_panel(start_ns: int, steps: StepLatencies) -> Panel:
    """From the camera's stamp to each answer, for each step."""
    times = seconds(start_ns, steps.stamp_ns)
    lines = []
    for name, values, color in (
        ("to joint command", steps.joint_ms, COLORS[0]),
        ("to rendered image", steps.image_ms, COLORS[1]),
    ):
        lines.append(Line(name, times, values, color, "in all"))
        lines.append(Line(name, times, values - steps.waiting_ms, color, "without waiting", "dot"))
    lines.append(Line("perception", times, steps.perception_ms, COLORS[2], "in all"))
    return Panel("latency", "Latency of each step", "ms", lines, from_zero=True)


def _head(recording: Recording) -> list[Line]:
    lines = []
    for track, kind, dash in (
        (recording.listener, "listener", "solid"),
        (recording.speaker, "speaker", "dot"),
    ):
        times = seconds(recording.start_ns, track.stamp_ns)
        angles = head_angles_deg(track.rotation, track.valid)
        lines += head_lines(times, angles, kind, dash, shown=kind == "listener")
    return lines


def _face(recording: Recording) -> list[Line]:
    track = recording.listener
    times = seconds(recording.start_ns, track.stamp_ns)
    return face_lines(
        times, expression_curves(track.layout, track.expression, track.valid), "", "solid", True
    )


def _joints(recording: Recording) -> list[Line]:
    lines = []
    commands, measured = recording.commands, recording.joint_states
    for joint, name in enumerate(commands.names):
        color = COLORS[joint % len(COLORS)]
        for track, kind, dash in ((commands, "commanded", "solid"), (measured, "measured", "dot")):
            if len(track.stamp_ns):
                times = seconds(recording.start_ns, track.stamp_ns)
                degrees = np.degrees(track.positions[:, joint])
                lines.append(Line(name, times, degrees, color, kind, dash))
    return lines
