"""The motion plot: the speaker's voice above the listener's head, face and joints, on one time axis."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from listener_head.evaluation.recording import Recording
from listener_head.evaluation.series import (
    ANGLE_NAMES,
    COLORS,
    attitudes,
    expression_curves,
    head_angles_deg,
    recorded_speech,
    seconds,
    voice_envelope,
)
from listener_head.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK = "#2b2f36"
_MUTED = "#8a9099"
_SPEECH = "#3b7dd8"


def plot_motion(recording: Recording, path: Path, title: str = "Listener") -> Path:
    """Write the motion plot as a PNG of about 1600 x 1300 pixels.

    Raises UserError when the listener was not recorded or ``path`` cannot be written.
    """
    recording.require("listener/coefficients")
    figure = _figure()
    rows = figure.subplots(4, 1, sharex=True, height_ratios=(1.0, 1.6, 1.6, 1.6))
    _draw_voice(rows[0], recording)
    _draw_head(rows[1], recording)
    _draw_expression(rows[2], recording)
    _draw_joints(rows[3], recording)
    for axes in rows:
        _dress(axes, recording)
    rows[-1].set_xlabel("time [s]")
    end = seconds(recording.start_ns, recording.listener.stamp_ns[-1:])[0]
    rows[-1].set_xlim(0.0, max(float(end), 0.1))
    figure.suptitle(title, x=0.02, ha="left", fontsize=15, fontweight="bold", color=_INK)
    subtitle = f"attitude: {', '.join(attitudes(recording)) or 'unknown'}  ·  shaded: the speaker speaks"
    figure.text(0.98, 0.985, subtitle, ha="right", va="top", fontsize=10, color=_MUTED)
    figure.align_ylabels(rows)
    with replacing(path) as partial:
        figure.savefig(partial, dpi=130, format="png")
    return path


def _figure() -> Figure:
    # The figure's own canvas: no window, and nothing kept in pyplot.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.5, 10.0), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _draw_voice(axes: Axes, recording: Recording) -> None:
    times, low, high = voice_envelope(recording)
    axes.fill_between(times, low, high, color=_INK, linewidth=0.4, alpha=0.75)
    peak = max(float(np.abs(high).max(initial=0.0)), float(np.abs(low).max(initial=0.0)), 0.05)
    axes.set_ylim(-1.1 * peak, 1.1 * peak)
    axes.set_yticks([])
    axes.set_ylabel("speaker's voice")


def _draw_head(axes: Axes, recording: Recording) -> None:
    times = seconds(recording.start_ns, recording.listener.stamp_ns)
    angles = head_angles_deg(recording.listener.rotation, recording.listener.valid)
    for column, name in enumerate(ANGLE_NAMES):
        axes.plot(times, angles[:, column], color=COLORS[column], linewidth=1.6, label=name)
    axes.axhline(0.0, color=_MUTED, linewidth=0.6)
    axes.set_ylabel("listener's head [°]")
    _legend(axes)


def _draw_expression(axes: Axes, recording: Recording) -> None:
    times = seconds(recording.start_ns, recording.listener.stamp_ns)
    face = expression_curves(
        recording.listener.layout, recording.listener.expression, recording.listener.valid
    )
    for color, (name, curve) in zip(COLORS, face.items(), strict=False):
        axes.plot(times, curve, color=color, linewidth=1.6, label=name)
    axes.set_ylabel("listener's face [0 to 1]")
    _legend(axes)


def _draw_joints(axes: Axes, recording: Recording) -> None:
    commands, measured = recording.commands, recording.joint_states
    for joint, name in enumerate(commands.names):
        color = COLORS[joint % len(COLORS)]
        degrees = np.degrees(commands.positions[:, joint])
        axes.plot(
            seconds(recording.start_ns, commands.stamp_ns), degrees, color=color, linewidth=1.6, label=name
        )
        if len(measured.stamp_ns):
            degrees = np.degrees(measured.positions[:, joint])
            times = seconds(recording.start_ns, measured.stamp_ns)
            axes.plot(times, degrees, color=color, linewidth=1.2, linestyle=(0, (4, 2)), alpha=0.65)
    if len(measured.stamp_ns) and commands.names:
        axes.plot([], [], color=_MUTED, linewidth=1.2, linestyle=(0, (4, 2)), label="measured")
    axes.axhline(0.0, color=_MUTED, linewidth=0.6)
    axes.set_ylabel("robot's joints [°]")
    _legend(axes)


def _legend(axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        axes.legend(
            handles,
            labels,
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            ncols=len(labels),
            frameon=False,
            fontsize=9.5,
            handlelength=1.6,
            borderaxespad=0.1,
        )


def _dress(axes: Axes, recording: Recording) -> None:
    for start, end in recorded_speech(recording):
        axes.axvspan(start, end, color=_SPEECH, alpha=0.09, linewidth=0)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(_MUTED)
    axes.tick_params(colors=_INK, labelsize=9.5, length=3)
    axes.yaxis.label.set_color(_INK)
    axes.grid(axis="x", color=_MUTED, alpha=0.2, linewidth=0.6)
