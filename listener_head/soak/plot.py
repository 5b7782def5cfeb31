"""The plot of a soak: latency, loss and memory over time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from listener_head.files import replacing
from listener_head.soak.drift import Run, memory_mb

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLORS = {"joint": "#3b7dd8", "image": "#d8763b", "lost": "#b3363a"}
_NAMES = {"joint": "joint command", "image": "picture"}
_MUTED = "#8a9099"


def plot_drift(run: Run, path: Path) -> None:
    """Write the plot as a PNG of about 1400 x 1100 pixels; UserError when ``path`` cannot be written."""
    # The figure's own canvas: no window, and nothing kept in pyplot.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 8.5), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    latency, lost, memory = figure.subplots(3, 1, sharex=True, height_ratios=(1.6, 1.0, 1.6))
    minutes = np.array([window.end for window in run.windows]) / 60.0
    _draw_latency(latency, run, minutes)
    _draw_lost(lost, run, minutes)
    _draw_memory(memory, run, minutes)
    for axes in (latency, lost, memory):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#e6e8eb", linewidth=0.8)
        axes.set_axisbelow(True)
    memory.set_xlabel("time [min]")
    memory.set_xlim(0.0, max(float(minutes[-1]), 0.1))
    figure.suptitle("The graph over time", x=0.02, ha="left", fontsize=15, fontweight="bold")
    figure.align_ylabels([latency, lost, memory])
    with replacing(path) as partial:
        figure.savefig(partial, dpi=130, format="png")


def _draw_latency(axes: Axes, run: Run, minutes: NDArray[np.float64]) -> None:
    for kind, name in _NAMES.items():
        measured = [window.metrics[f"{kind}_latency_ms"] for window in run.windows]
        for percentile, width, style in (("p99", 1.4, "-"), ("p50", 1.0, ":")):
            values = [np.nan if each[percentile] is None else each[percentile] for each in measured]
            label = f"camera to {name}, {percentile}"
            axes.plot(minutes, values, style, color=_COLORS[kind], linewidth=width, label=label)
    axes.set_ylim(bottom=0.0)
    axes.set_ylabel("latency [ms]")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=9)


def _draw_lost(axes: Axes, run: Run, minutes: NDArray[np.float64]) -> None:
    percent = [window.metrics["frames_lost_percent"] for window in run.windows]
    axes.step(minutes, percent, where="mid", color=_COLORS["lost"], linewidth=1.2)
    axes.set_ylim(0.0, max(1.0, 1.1 * max(percent)))
    axes.set_ylabel("frames lost [%]")


def _draw_memory(axes: Axes, run: Run, minutes: NDArray[np.float64]) -> None:
    names = [name for name in run.windows[-1].metrics["memory_mb"] if name != "total"]
    stacked = [[window.metrics["memory_mb"].get(name, 0.0) for window in run.windows] for name in names]
    axes.stackplot(minutes, stacked, labels=names, alpha=0.85)
    total = max(memory_mb(window) for window in run.windows)
    axes.set_ylim(0.0, 1.1 * total)
    axes.set_ylabel("memory [MB]")
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(
        handles[::-1], labels[::-1], loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=9
    )
