"""Runs a node graph without `launch`: real processes over real DDS, on this machine only. No ROS in here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

import yaml

from listener_head.environment import OWNED, THREAD_COUNTS
from listener_head.errors import EXIT_BAD_INPUT, UserError
from listener_head.graph import NodeSpec
from listener_head.paths import config_dir
from listener_head.usage import Meter, Usage

SOURCE = "speaker_source"
PLAYER = "bag_player"
SOURCES = (SOURCE, PLAYER)  # the graph is over when its source is
RECORDER = "recorder"
PLAYING = "playing"  # what the source says when it starts
WHOLE_GRAPH = "graph"  # name of the one process that holds all nodes
RESPAWN_DELAY = 0.5  # [s] from the end of a process to its next start, where it is started again
POLL_PERIOD = 0.2  # [s]
STOP_TIMEOUT = 5.0  # [s] from the first signal to the one that cannot be caught


def dds_profile() -> dict[str, str]:
    """Environment variables that let Fast DDS carry images without loss.

    Its default shared memory is smaller than a camera image. None where the user has set a profile.
    """
    chosen = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
    if any(name in os.environ for name in chosen):
        return {}
    return {"FASTRTPS_DEFAULT_PROFILES_FILE": str(config_dir() / "fastdds.xml")}


def environment(domain: int) -> dict[str, str]:
    """Environment variables of a graph that stays on this machine."""
    variables = {**os.environ, **dds_profile()}
    variables["ROS_DOMAIN_ID"] = str(domain)
    variables["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    for name in THREAD_COUNTS:
        variables.setdefault(name, "1")
    return variables


def own_domain() -> int:
    """A DDS domain that another graph on this machine hardly has; 1 to 101 need no special ports."""
    return 1 + os.getpid() % 101


class GraphRunner:
    """Starts the nodes on entering and stops them on leaving.

    Args:
        nodes: the graph.
        namespace: put before every relative name.
        processes: one process per node, else one for all.
        work: folder for parameter files and logs, which must exist.
        domain: DDS domain.
        respawn_delay: a process that ended by itself is started again after this [s], as `use_respawn` of
            the launch files does; None: its end is an error. A recorder is not: what it has written is kept.
        prefix: command that every process is started with, such as ``ip netns exec NAME``.
    """

    def __init__(
        self,
        nodes: Sequence[NodeSpec],
        namespace: str,
        processes: bool,
        work: Path,
        domain: int,
        respawn_delay: float | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        self.nodes = list(nodes)
        self.namespace = namespace
        self.processes = processes
        self.work = work
        self.domain = domain
        self.respawn_delay = respawn_delay
        self.prefix = list(prefix)
        self._meter = Meter()
        self._started: float | None = None
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._commands: dict[str, list[str]] = {}
        self._respawns: dict[str, float] = {}  # when processes that have ended are started again

    def __enter__(self) -> GraphRunner:
        arguments = {node.executable: self._arguments(node) for node in self.nodes}
        if self.processes:
            for executable, ros_arguments in arguments.items():
                self._commands[executable] = [f"listener_head.nodes.{executable}", *ros_arguments]
        else:
            listed = [part for name, args in arguments.items() for part in ("--node", name, *args)]
            self._commands[WHOLE_GRAPH] = ["listener_head.ros.compose", *listed]
        for name in self._commands:
            (self.work / f"{name}.log").unlink(missing_ok=True)
            self._start(name)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def poll(self) -> bool:
        """True when the source has come to its end; measures the processes and respawns them meanwhile.

        Raises:
            UserError: a node ended by itself and is not respawned, or refuses its input; the text is the
                last line that it said.
        """
        self._meter.sample(self.pids)
        self.source_started()
        for name, child in self._children.items():
            status = child.poll()
            if status == 0 and name in (*SOURCES, WHOLE_GRAPH):
                return True
            if status is not None:
                self._mend(name, status)
        return False

    @property
    def pids(self) -> dict[str, int]:
        """The processes that run, by name."""
        return {name: child.pid for name, child in self._children.items() if child.poll() is None}

    def _mend(self, name: str, status: int) -> None:
        """Starts a process that has ended again when it is time; UserError where that is not wanted."""
        if self.respawn_delay is not None and name == RECORDER:
            return
        if self.respawn_delay is None or status == EXIT_BAD_INPUT:
            text = self._last_words(name)
            raise UserError(
                text if status == EXIT_BAD_INPUT else f"{name} ended with status {status}: {text}"
            )
        now = time.monotonic()
        if now >= self._respawns.setdefault(name, now + self.respawn_delay):
            del self._respawns[name]
            self._start(name)

    def source_started(self) -> bool:
        """Whether the source has said that it plays: every node is up and connected then."""
        if self._started is None:
            source = next((node.executable for node in self.nodes if node.executable in SOURCES), SOURCE)
            log = self.work / f"{source if self.processes else WHOLE_GRAPH}.log"
            if log.exists() and PLAYING in log.read_text(errors="replace"):
                self._started = time.monotonic()
        return self._started is not None

    def played(self) -> Iterator[float | None]:
        """Every POLL_PERIOD until the source has ended: seconds since it began to play, None before that.

        UserError as `poll`.
        """
        while not self.poll():
            yield None if self._started is None else time.monotonic() - self._started
            time.sleep(POLL_PERIOD)

    def wait_for_the_source(self, patience_s: float) -> None:
        """Until the source plays; UserError as `poll`, and when it does not by then."""
        deadline = time.monotonic() + patience_s
        while not self.source_started():
            self.poll()
            if time.monotonic() > deadline:
                raise UserError(f"the graph did not start within {patience_s:g} s; is the machine busy?")
            time.sleep(POLL_PERIOD)

    @property
    def usage(self) -> Usage:
        """What the processes took, processor time since the source began to play."""
        return self._meter.usage(time.monotonic() if self._started is None else self._started)

    @property
    def own_mb(self) -> dict[str, float]:
        """Memory that the processes share with nobody, when it was last looked at."""
        return self._meter.own_mb

    def stop(self) -> None:
        """Interrupts the nodes, the source first, and waits until all are gone."""
        self._meter.sample_shared(self.pids)
        for child in reversed(self._children.values()):
            if child.poll() is None:
                child.send_signal(signal.SIGINT)
        deadline = time.monotonic() + STOP_TIMEOUT
        for child in self._children.values():
            try:
                child.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            if child.stdin is not None:
                child.stdin.close()

    def _start(self, name: str) -> None:
        with (self.work / f"{name}.log").open("ab") as log:
            self._children[name] = subprocess.Popen(
                [*self.prefix, sys.executable, "-m", *self._commands[name]],
                stdin=subprocess.PIPE,  # of which it sees the end, should this process be killed
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**environment(self.domain), OWNED: "1"},
            )

    def _arguments(self, node: NodeSpec) -> list[str]:
        parameters = self.work / f"{node.executable}.yaml"
        parameters.write_text(yaml.safe_dump({"/**": {"ros__parameters": node.parameters}}))
        remaps = [f"__ns:=/{self.namespace}", *(f"{old}:={new}" for old, new in node.remaps.items())]
        arguments = ["--ros-args", "--params-file", str(config_dir() / "listener_head.yaml")]
        if node.parameters:
            arguments += ["--params-file", str(parameters)]
        return arguments + [part for remap in remaps for part in ("-r", remap)]

    def _last_words(self, name: str) -> str:
        lines = (self.work / f"{name}.log").read_text(errors="replace").strip().splitlines()
        if not lines:
            return "it said nothing"
        said = [line for line in lines if "[ERROR]" in line] or lines
        return said[-1].split("]: ", 1)[-1]
