"""`listener_head soak`: the demo's graph for an hour, measured as it runs."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from listener_head.demo import check, shipped_clip
from listener_head.errors import UserError
from listener_head.evaluation.latency import software_versions, write_metrics
from listener_head.files import RESULTS, whole_folder
from listener_head.graph import DemoOptions, NodeSpec, demo_nodes
from listener_head.progress import Report
from listener_head.runner import SOURCE, GraphRunner, own_domain
from listener_head.soak.drift import PARTS, Run, Window
from listener_head.soak.monitor import Monitor
from listener_head.soak.plot import plot_drift

NAMESPACE = "listener_soak"
LONGEST_WINDOW = 10.0  # [s]
SETTLE = 3.0  # [s] after the speaker's first word, before measuring begins
_START_PATIENCE = 60.0  # [s]
_POLL_PERIOD = 0.5  # [s]


@dataclass(frozen=True)
class SoakRequest:
    """What the user asked for; ``video`` is None for the clip that ships. ``processes`` as for the demo."""

    minutes: float
    output: Path
    video: Path | None
    processes: bool


def endless_nodes(video: Path) -> list[NodeSpec]:
    """The demo's graph on a video that is played again and again."""
    nodes = demo_nodes(DemoOptions(video=str(video)))
    return [
        replace(node, parameters={**node.parameters, "loop": True}) if node.executable == SOURCE else node
        for node in nodes
    ]


def run_soak(request: SoakRequest, report: Report) -> Run:
    """Run the graph and leave metrics.json, drift.png and the nodes' logs in ``request.output``.

    A node that ends or falls silent ends the run: its results are written all the same, and ``failure`` says
    what happened. Nothing is recorded: an hour needs a few megabytes.

    Raises:
        UserError: wrong input, or a graph that did not start.
    """
    video = request.video or shipped_clip()
    check(DemoOptions(video=str(video)))
    with whole_folder(request.output) as work:
        logs = work / "logs"
        logs.mkdir()
        domain = own_domain()
        monitor = Monitor(NAMESPACE, domain)
        graph = GraphRunner(endless_nodes(video), NAMESPACE, request.processes, logs, domain)
        try:
            with graph:
                graph.wait_for_the_source(_START_PATIENCE)
                time.sleep(SETTLE)
                monitor.take()
                run = _watch(graph, monitor, 60.0 * request.minutes, report)
        finally:
            monitor.close()
        if not run.windows:
            raise UserError(run.failure)
        metrics = run.as_metrics(graph.usage.cpu_percent, software_versions())
        write_metrics(metrics, work / RESULTS)
        plot_drift(run, work / "drift.png")
    return run


def _watch(graph: GraphRunner, monitor: Monitor, seconds: float, report: Report) -> Run:
    run, began = Run(), time.monotonic()
    window_end = window = min(LONGEST_WINDOW, seconds / PARTS)
    while (elapsed := time.monotonic() - began) < seconds:
        time.sleep(min(_POLL_PERIOD, seconds - elapsed))
        elapsed = time.monotonic() - began
        try:
            if graph.poll():
                raise UserError("the speaker has ended")
            if elapsed >= min(window_end, seconds):
                run.windows.append(Window.of(elapsed, monitor.take(), dict(graph.own_mb)))
                window_end += window
        except UserError as problem:
            run.failure = f"after {elapsed / 60.0:.1f} min: {problem}"
            break
        report(_state(run), round(elapsed), round(seconds))
    return run


def _state(run: Run) -> str:
    if not run.windows:
        return "listening"
    metrics = run.windows[-1].metrics
    p99 = metrics["joint_latency_ms"]["p99"]
    return (
        f"joint p99 {'-' if p99 is None else f'{p99:.0f} ms'}, lost {run.frames_lost_percent():.2f} %, "
        f"{metrics['memory_mb']['total']:.0f} MB"
    )
