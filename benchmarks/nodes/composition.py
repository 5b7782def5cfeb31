"""The demo's graph in a process for each node, in one for all, and between: latency, processor time, memory.

The arrangements run in turn, several rounds of them, each on the clip that ships, and the medians over the
rounds count: a machine is never quiet. The latency is the processing from the camera to the joint command,
without the waiting for the 30 Hz grid.

| arrangement | |
|---|---|
| each | one process for each node |
| two | what perceives, and what answers |
| one | all nodes on one executor, as `use_composition:=true` |
| one_executor_each | all nodes in one process, each on an executor with a thread of its own |
| one_multi_threaded | all nodes in one process on rclpy's MultiThreadedExecutor |
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from listener_head.demo import shipped_clip
from listener_head.evaluation import Metrics, measure
from listener_head.graph import NodeSpec
from listener_head.runner import SOURCE, GraphRunner, own_domain

ARRANGEMENTS = ("each", "two", "one", "one_executor_each", "one_multi_threaded")
NAMES = tuple(f"composition_{name}" for name in ARRANGEMENTS)  # of the figures that `run` gives

ROUNDS, SECONDS = 5, 20.0  # `listener_head bench` makes one round
START_PATIENCE, SETTLE = 60.0, 3.0  # [s]
PERCEIVE = (SOURCE, "face_fit", "audio_features")
NAMESPACE = "composition"
THREADS = 4  # of the MultiThreadedExecutor


def run(rounds: int = 1, seconds: float = SECONDS) -> dict[str, dict[str, Any]]:
    """The median latency of each arrangement against that of a process for each node; prints all figures."""
    from listener_head.soak.monitor import Monitor

    found: dict[str, list[dict[str, float]]] = {name: [] for name in ARRANGEMENTS}
    domain = own_domain()
    monitor = Monitor(NAMESPACE, domain)
    try:
        for _ in range(rounds):
            for name in ARRANGEMENTS:
                found[name].append(_figures(name, seconds, monitor, domain))
                _print(name, found[name][-1])
    finally:
        monitor.close()
    middle = {
        name: {key: median(one[key] for one in rows) for key in rows[0]} for name, rows in found.items()
    }
    print("medians")
    for name, figures in middle.items():
        _print(name, figures)
    reference = middle["each"]["p50_ms"]
    return {
        f"composition_{name}": {
            "ours_ms": figures["p50_ms"],
            "reference_ms": reference,
            "ratio": reference / figures["p50_ms"],
            "reference": f"a process for each node; {figures['cpu_percent']:.0f} % CPU, "
            f"{figures['memory_mb']:.0f} MB, p99 {figures['p99_ms']:.0f} ms",
            "n": rounds,
        }
        for name, figures in middle.items()
    }


def _print(name: str, figures: dict[str, float]) -> None:
    values = "  ".join(f"{key} {value:.4g}" for key, value in figures.items())
    print(f"{name:>20} {values}", flush=True)


def _figures(name: str, seconds: float, monitor: Any, domain: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder, _running(name, Path(folder), domain) as runners:
        source = next(one for one in runners if any(node.executable == SOURCE for node in one.nodes))
        source.wait_for_the_source(START_PATIENCE)
        time.sleep(SETTLE)
        monitor.take()
        began, spent = time.monotonic(), _spent(runners)
        while time.monotonic() < began + seconds:
            _poll(runners)
            time.sleep(0.5)
        metrics: Metrics = measure(monitor.take())
        spent, elapsed = _spent(runners) - spent, time.monotonic() - began
        memory_mb = sum(sum(one.usage.memory_mb.values()) for one in runners)
    joint, image = metrics["processing_ms"]["joint"], metrics["processing_ms"]["image"]
    nothing = float("inf")  # where not one command or picture came
    return {
        "p50_ms": joint["p50"] or nothing,
        "p99_ms": joint["p99"] or nothing,
        "image_p99_ms": image["p99"] or nothing,
        "lost_percent": metrics["frames_lost_percent"],
        "cpu_percent": 100 * spent / elapsed,
        "memory_mb": memory_mb,
    }


def _spent(runners: list[GraphRunner]) -> float:
    """Processor time of all processes so far [s]."""
    processes = [psutil.Process(pid) for one in runners for pid in one.pids.values()]
    return sum(sum(process.cpu_times()[:2]) for process in processes)


@contextmanager
def _running(name: str, work: Path, domain: int) -> Iterator[list[GraphRunner]]:
    """The graph as ``name`` says, a runner for each group of nodes that share a process."""
    from listener_head.soak.run import endless_nodes

    nodes = endless_nodes(shipped_clip())
    prefix = [sys.executable, str(Path(__file__).resolve()), name] if name.startswith("one_") else []
    with ExitStack() as stack:
        runners = []
        for i, group in enumerate(_groups(name, nodes)):
            logs = work / str(i)
            logs.mkdir()
            runner = GraphRunner(group, NAMESPACE, name == "each", logs, domain, prefix=prefix)
            runners.append(stack.enter_context(runner))
        yield runners


def _groups(name: str, nodes: list[NodeSpec]) -> list[list[NodeSpec]]:
    if name != "two":
        return [nodes]
    perceive = [node for node in nodes if node.executable in PERCEIVE]
    return [perceive, [node for node in nodes if node not in perceive]]


def _poll(runners: list[GraphRunner]) -> None:
    for runner in runners:
        runner.poll()


def _compose(name: str, arguments: list[str]) -> None:
    """As `listener_head.ros.compose` does, on other executors, until the process is told to stop."""
    import rclpy
    from rclpy.executors import MultiThreadedExecutor
    from rclpy.experimental import EventsExecutor

    from listener_head.ros.compose import node_class, nodes_of
    from listener_head.ros.stopping import watch_signals

    stopping = watch_signals()
    rclpy.init(args=[], signal_handler_options=rclpy.SignalHandlerOptions.NO)
    nodes = [node_class(executable)(cli_args=own) for executable, *own in nodes_of(arguments)]
    if name == "one_multi_threaded":
        executors = [MultiThreadedExecutor(num_threads=THREADS)] * len(nodes)
    else:
        executors = [EventsExecutor() for _ in nodes]
    for node, executor in zip(nodes, executors, strict=True):
        executor.add_node(node)
    for node in nodes:
        assert node.bring_up(), node.problem
    for executor in dict.fromkeys(executors):
        threading.Thread(target=_spin, args=(executor,), daemon=True).start()
    stopping.told.wait()


def _spin(executor: Any) -> None:
    while True:
        executor.spin_once(timeout_sec=1.0)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        # What follows is the runner's command: the interpreter, -m, and the module that is replaced here.
        _compose(sys.argv[1], sys.argv[5:])
    else:
        print(run(ROUNDS))
