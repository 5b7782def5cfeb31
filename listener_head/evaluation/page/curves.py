"""The panels of an evaluation: the speaker's voice, and what the listener's head and face did about it."""

from __future__ import annotations

import numpy as np

from listener_head.evaluation.figures import (
    Line,
    Panel,
    Spans,
    as_json,
    face_lines,
    head_lines,
    latency_panel,
    voice_panel,
)
from listener_head.evaluation.latency import step_latencies
from listener_head.evaluation.offline.data import BoolArray, FloatArray, Listened, Nanoseconds, Perceived
from listener_head.evaluation.page.html import Plots
from listener_head.evaluation.recording import Recording
from listener_head.evaluation.series import (
    COLORS,
    Curve,
    expression_curves,
    head_angles_deg,
    seconds,
    spans,
    speech_spans,
)
from listener_head.timing import NS_PER_S, RATE_HZ, grid_times_ns

# A motion [T, M] and where it is valid [T].
Motion = tuple[FloatArray, BoolArray]

_STEP_S = 1 / RATE_HZ


def evaluation_plots(
    perceived: Perceived, listened: Listened, truth: Motion | None, recording: Recording | None
) -> Plots:
    """What is drawn of an evaluation, from the first picture or sound on.

    ``truth`` is the true listener at the instants of ``listened``; of a live run, ``recording`` gives the
    latency of each step. Of a recording that was played several times the first pass is drawn.
    """
    start_ns, end_ns = _extent(perceived, listened)
    first_pass = slice(0, _steps_forward(listened))
    times = seconds(start_ns, listened.stamp_ns[first_pass])
    people = [("listener", "solid", times, listened.motion[first_pass], np.ones(len(times), bool))]
    if truth is not None:
        people.append(("true listener", "dash", times, truth[0][first_pass], truth[1][first_pass]))
    speaker = perceived.speaker
    people.append(
        ("speaker", "dot", seconds(start_ns, speaker.stamp_ns), speaker.motion, speaker.valid),
    )
    layout = listened.layout
    head, face = [], []
    for kind, dash, at, motion, valid in people:
        shown = kind == "listener"
        angles = head_angles_deg(motion[:, layout.rotation], valid)
        head += head_lines(at, angles, kind, dash, shown)
        curves = expression_curves(layout, motion[:, layout.expression], valid)
        face += face_lines(at, curves, kind, dash, shown)
    envelope = perceived.envelope
    panels = [
        voice_panel(seconds(start_ns, envelope.stamp_ns), envelope.low, envelope.high),
        Panel("head", "Head", "°", head, height=260),
        Panel("face", "Face", "0 to 1", face, height=260),
        _age_panel(start_ns, listened, first_pass),
    ]
    if recording is not None:
        panels.append(latency_panel(start_ns, step_latencies(recording)))
    speech, absent = _spans(listened, first_pass, times)
    end_s = (end_ns - start_ns) / NS_PER_S
    panels = [panel for panel in panels if panel.lines]
    return Plots(panels, as_json(panels, end_s, speech, absent))


def _extent(perceived: Perceived, listened: Listened) -> tuple[int, int]:
    """When the speaker's picture or sound begins, and when the last of anything ends."""
    given = [stamps for stamps in (perceived.speaker.stamp_ns, perceived.envelope.stamp_ns) if len(stamps)]
    stamps = [*given, listened.stamp_ns]
    starts, ends = ([int(each[i]) for each in stamps if len(each)] for i in (0, -1))
    return min(starts[: len(given)] or starts, default=0), max(ends, default=0)


def _steps_forward(listened: Listened) -> int:
    """Steps before time first jumps back."""
    back = np.flatnonzero(np.diff(listened.indices) <= 0)
    return int(back[0]) + 1 if len(back) else len(listened.indices)


def _age_panel(start_ns: int, listened: Listened, first_pass: slice) -> Panel:
    """How old the picture is that a step sees, which the stamps tell."""
    indices = listened.indices[first_pass]
    instants: Nanoseconds = grid_times_ns(indices)
    source = listened.source_ns[first_pass]
    age_ms = np.where(source > 0, (instants - source) / 1e6, np.nan)
    lines = [Line("age", seconds(start_ns, instants), age_ms, COLORS[4])] if (source > 0).any() else []
    return Panel("age", "Age of the picture that each step saw", "ms", lines, height=170, from_zero=True)


def _spans(listened: Listened, first_pass: slice, times: Curve) -> tuple[Spans, Spans]:
    """When the speaker speaks, and when the speaker is not in view; voice and view are those of t_k."""
    heard = times - _STEP_S
    speech = speech_spans(heard, np.where(listened.heard, listened.voice_activity, 0)[first_pass])
    absent = spans(heard[~listened.seen[first_pass]], 1.5 * _STEP_S)
    return speech, [(start, end + _STEP_S) for start, end in absent]
