"""`listener_head replay`: the whole graph on a recording, in the recording's time, and what came of it."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import psutil

from listener_head.errors import UserError
from listener_head.files import whole_folder
from listener_head.graph import ReplayOptions, replay_nodes
from listener_head.progress import Report
from listener_head.replay.judge import judge
from listener_head.replay.passes import read_passes
from listener_head.replay.request import NAMESPACE, ReplayRequest, check
from listener_head.replay.thresholds import Verdict
from listener_head.runner import POLL_PERIOD, WHOLE_GRAPH, GraphRunner, own_domain
from listener_head.timing import NS_PER_S
from listener_head.usage import Meter, Usage

RECORDING = "recording"
_NAME = "__node:="  # how a launch file tells a process its node's name


def run_replay(request: ReplayRequest, processes: bool, report: Report) -> list[Verdict]:
    """Run the graph, one process for each node or one for all, and leave the results in ``output``.

    The folder appears, in place of an older one, only when all of it is there. UserError for wrong input, or
    a node that refused.
    """
    seconds = check(request)
    with whole_folder(request.output) as work:
        options = replace(request.options, record=str(work / RECORDING))
        usage = _play(options, processes, work, seconds, report)
        return judge(options, usage, request.limits, work, report)


def judge_launched(request: ReplayRequest, report: Report) -> list[Verdict]:
    """Watch a graph that `ros2 launch` runs beside this process, and leave its results as `run_replay` does.

    Its recorder writes ``options.record``, which appears when the recording has been played. UserError when
    the graph ends without it.
    """
    check(request)
    options, recorded = request.options, Path(request.options.record)
    meter = _watch(recorded)
    began_ns = read_passes(recorded)[0].began_ns
    usage = meter.usage(since=time.monotonic() - (time.time_ns() - began_ns) / NS_PER_S)
    with whole_folder(request.output) as work:
        shutil.move(recorded, work / RECORDING)
        return judge(replace(options, record=str(work / RECORDING)), usage, request.limits, work, report)


def _play(options: ReplayOptions, processes: bool, work: Path, seconds: float, report: Report) -> Usage:
    logs = work / "logs"
    logs.mkdir()
    with GraphRunner(replay_nodes(options), NAMESPACE, processes, logs, own_domain()) as runner:
        for elapsed in runner.played():
            if elapsed is not None:
                report("playing", round(elapsed), round(seconds))
    return runner.usage


def _watch(recorded: Path) -> Meter:
    """Samples the nodes until the recording is there."""
    meter, launch = Meter(), psutil.Process(os.getppid())
    while not recorded.exists():
        if os.getppid() != launch.pid:
            raise UserError("the graph ended before the recording was played; see what its nodes said")
        meter.sample(_nodes_of(launch))
        time.sleep(POLL_PERIOD)
    return meter


def _nodes_of(launch: psutil.Process) -> dict[str, int]:
    """Name to process id of the nodes that a launch process has started."""
    found = {}
    for child in launch.children():
        try:
            arguments = child.cmdline()
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
        named = [argument for argument in arguments if argument.startswith(_NAME)]
        if named:
            found[named[0].removeprefix(_NAME)] = child.pid
        elif "--node" in arguments:
            found[WHOLE_GRAPH] = child.pid
    return found
