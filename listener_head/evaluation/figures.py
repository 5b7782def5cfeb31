"""The report's interactive figures, as the JSON that plotly.js draws (https://plotly.com/javascript/reference)."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from listener_head.evaluation.latency import StepLatencies
from listener_head.evaluation.recording import Recording
from listener_head.evaluation.series import (
    ANGLE_NAMES,
    COLORS,
    expression_curves,
    head_angles_deg,
    seconds,
    speech_spans,
    voice_envelope,
)

Json = dict[str, Any]

_MUTED = "#8a9099"


def figures(recording: Recording, steps: StepLatencies) -> list[Json]:
    """The figures in reading order: ``id``, ``title``, ``unit`` of the y axis, ``traces``, ``shapes``."""
    shapes = [_span(start, end) for start, end in speech_spans(recording)]
    panels = [
        _figure("voice", "Speaker's voice", "", _voice(recording)),
        _figure("head", "Listener's head", "°", _head(recording)),
        _figure("face", "Listener's face", "0 to 1", _face(recording)),
        _figure("joints", "Robot's joints", "°", _joints(recording)),
        _figure("latency", "Latency of each step", "ms", _latency(recording, steps)),
    ]
    return [{**panel, "shapes": shapes} for panel in panels if panel["traces"]]


def _figure(name: str, title: str, unit: str, traces: list[Json]) -> Json:
    return {"id": name, "title": title, "unit": unit, "traces": traces}


def _voice(recording: Recording) -> list[Json]:
    times, low, high = voice_envelope(recording)
    if not len(times):
        return []
    outline = np.concatenate([high, low[::-1]])
    there_and_back = np.concatenate([times, times[::-1]])
    trace = _trace("voice", there_and_back, outline, _MUTED)
    return [
        {
            **trace,
            "fill": "toself",
            "line": {"color": _MUTED, "width": 0.5},
            "hoverinfo": "skip",
            "showlegend": False,
        }
    ]


def _head(recording: Recording) -> list[Json]:
    times = seconds(recording, recording.listener.stamp_ns)
    angles = head_angles_deg(recording.listener)
    traces = [_trace(name, times, angles[:, i], COLORS[i]) for i, name in enumerate(ANGLE_NAMES)]
    times = seconds(recording, recording.speaker.stamp_ns)
    angles = head_angles_deg(recording.speaker)
    for i, name in enumerate(ANGLE_NAMES):
        trace = _trace(f"speaker's {name}", times, angles[:, i], COLORS[i], dotted=True)
        traces.append({**trace, "visible": "legendonly"})
    return traces


def _face(recording: Recording) -> list[Json]:
    times = seconds(recording, recording.listener.stamp_ns)
    curves = expression_curves(recording.listener)
    return [
        _trace(name, times, curve, color)
        for color, (name, curve) in zip(COLORS, curves.items(), strict=False)
    ]


def _joints(recording: Recording) -> list[Json]:
    traces = []
    commands, measured = recording.commands, recording.joint_states
    for joint, name in enumerate(commands.names):
        color = COLORS[joint % len(COLORS)]
        degrees = np.degrees(commands.positions[:, joint])
        traces.append(_trace(name, seconds(recording, commands.stamp_ns), degrees, color))
        if len(measured.stamp_ns):
            degrees = np.degrees(measured.positions[:, joint])
            times = seconds(recording, measured.stamp_ns)
            traces.append(_trace(f"{name}, measured", times, degrees, color, dotted=True))
    return traces


def _latency(recording: Recording, steps: StepLatencies) -> list[Json]:
    times = seconds(recording, steps.stamp_ns)
    return [
        _trace("to joint command", times, steps.joint_ms, COLORS[0]),
        _trace("without waiting", times, steps.joint_ms - steps.waiting_ms, COLORS[0], dotted=True),
        _trace("to rendered image", times, steps.image_ms, COLORS[1]),
        _trace("without waiting", times, steps.image_ms - steps.waiting_ms, COLORS[1], dotted=True),
        _trace("perception", times, steps.perception_ms, COLORS[2]),
    ]


def _trace(name: str, times: ArrayLike, values: ArrayLike, color: str, dotted: bool = False) -> Json:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": _packed(times),
        "y": _packed(values),
        "line": {"color": color, "width": 1.2, "dash": "dot"} if dotted else {"color": color, "width": 1.6},
        "hovertemplate": "%{y:.3~g}",
    }


def _packed(values: ArrayLike) -> Json:
    """A typed array as plotly.js takes it: smaller and read faster than decimal text; NaN breaks the line."""
    return {"dtype": "f4", "bdata": base64.b64encode(np.asarray(values, "<f4").tobytes()).decode("ascii")}


def _span(start: float, end: float) -> Json:
    return {
        "type": "rect",
        "xref": "x",
        "yref": "paper",
        "x0": round(start, 3),
        "x1": round(end, 3),
        "y0": 0,
        "y1": 1,
        "fillcolor": COLORS[0],
        "opacity": 0.1,
        "line": {"width": 0},
        "layer": "below",
    }
