"""Processor, memory, disk and clock."""

from __future__ import annotations

import ctypes
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from listener_head.doctor.finding import Finding, failure, ok, warning

MB, GB = 1e6, 1e9
GRAPH_CORES = 1.3  # what the demo's nodes take on a slow core
GRAPH_MB = 1100.0  # what they take as processes
LEAST_DISK_GB, LITTLE_DISK_GB = 0.1, 2.0
WATCHED = 0.5  # [s] for which the clock is watched
STEP_MS = 2.0  # a clock that is only slewed goes wrong by 0.5 ms a second at most
_TIMEX_BYTES = 256  # more than struct timex has anywhere
_UNSYNCHRONISED = 5  # TIME_ERROR of adjtimex(2)


def processor(cores: int | None = None, load: float | None = None) -> Finding:
    """Whether there are enough cores, and whether other programs leave them."""
    cores = len(os.sched_getaffinity(0)) if cores is None else cores
    load = os.getloadavg()[0] if load is None else load
    text = f"{cores} cores, load {load:.1f}"
    if cores < GRAPH_CORES:
        remedy = "leave the renderer out, or run it on another computer"
        return warning(f"{text}; the demo's nodes take {GRAPH_CORES:g}", remedy)
    if cores - load < GRAPH_CORES:
        return warning(f"{text}: other programs take the processor", "see which with: top; end them")
    return ok(text)


def memory(available_mb: float | None = None) -> Finding:
    """Whether the nodes fit into what is free."""
    if available_mb is None:
        available_mb = psutil.virtual_memory().available / MB
    text = f"{available_mb:.0f} MB are available"
    if available_mb < GRAPH_MB:
        return warning(
            f"{text}; all nodes as processes take {GRAPH_MB:.0f} MB",
            "put all nodes into one process: listener_head demo --no-processes",
        )
    return ok(text)


def disk(folder: Path | None = None, free: int | None = None) -> Finding:
    """Whether there is room for recordings in the folder, by default the one that commands write to."""
    folder = folder or Path.cwd()
    free_gb = (shutil.disk_usage(folder).free if free is None else free) / GB
    text, remedy = (
        f"{free_gb:.1f} GB are free in {folder}",
        "free some space, or give --output another folder",
    )
    if free_gb < LEAST_DISK_GB:
        return failure(text, remedy)
    return warning(text, remedy) if free_gb < LITTLE_DISK_GB else ok(text)


@dataclass(frozen=True)
class ClockState:
    """Whether the kernel's clock is kept right (None: it does not tell), and by how much it stepped [ms]."""

    synchronised: bool | None
    stepped_ms: float


def clock() -> Finding:
    """Whether the clock is synchronised with others', and runs evenly."""
    before = _offset()
    time.sleep(WATCHED)
    return judge_clock(ClockState(_is_synchronised(), 1e3 * (_offset() - before)))


def judge_clock(state: ClockState) -> Finding:
    """A finding about the clock."""
    if abs(state.stepped_ms) > STEP_MS:
        return warning(
            f"the clock stepped by {state.stepped_ms:.0f} ms within {WATCHED:g} s",
            "let one program set the clock: chrony or systemd-timesyncd, and none of the hypervisor's",
        )
    if state.synchronised is None:
        return ok("it runs evenly; the kernel does not tell whether it is synchronised")
    if not state.synchronised:
        return warning(
            "it runs evenly, but is not synchronised: stamps of other computers will be off",
            "sudo timedatectl set-ntp true, on each computer",
        )
    return ok("synchronised, and runs evenly")


def _offset() -> float:
    """Of the clock that can be set to the one that cannot [s]."""
    return time.clock_gettime(time.CLOCK_REALTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)


def _is_synchronised() -> bool | None:
    """What adjtimex(2) says, which chrony, ntpd and systemd-timesyncd keep up to date."""
    # With zeros, among them the field `modes`, it changes nothing.
    state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    return None if state < 0 else state != _UNSYNCHRONISED
