"""Memory and processor time of the processes of a graph."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf

import psutil

PERIOD = 1.0  # [s] between two samples
# [s] between two looks at shared pages: the kernel goes through all pages of a process for it, some 10 ms for
# each, in which the process must wait if it asks for memory.
SHARED_PERIOD = 5.0

_GONE = (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied)


@dataclass
class Usage:
    """What the graph's processes took: shared pages counted once, processor time of all cores together."""

    memory_mb: dict[str, float] = field(default_factory=dict)
    cpu_percent: dict[str, float] = field(default_factory=dict)


class Meter:
    """Samples processes, which may come and go."""

    def __init__(self) -> None:
        self._memory_mb: dict[str, float] = {}
        # At the last sample, without shared pages: their share grows when another program ends.
        self.own_mb: dict[str, float] = {}
        # Of each process the times of the samples and the processor time that it had spent by then [s].
        self._spent: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
        self._sampled = self._sampled_shared = -inf

    def sample(self, processes: Mapping[str, int]) -> None:
        """Look at the processes (name to id), at most once in a period; those that are gone are left out."""
        now = time.monotonic()
        if now - self._sampled < PERIOD:
            return
        self._sampled = now
        self.own_mb = {}
        for name, number in processes.items():
            with suppress(*_GONE):
                process = psutil.Process(number)
                memory, spent = process.memory_info(), sum(process.cpu_times()[:2])
                self.own_mb[name] = (memory.rss - memory.shared) / 1e6
                times, seconds = self._spent[name]
                times.append(time.monotonic())
                seconds.append(spent)
        if now - self._sampled_shared >= SHARED_PERIOD:
            self.sample_shared(processes)

    def sample_shared(self, processes: Mapping[str, int]) -> None:
        """Look at all their memory now; to be called once more before they are ended."""
        self._sampled_shared = time.monotonic()
        for name, number in processes.items():
            with suppress(*_GONE):
                memory_mb = psutil.Process(number).memory_full_info().pss / 1e6
                self._memory_mb[name] = max(self._memory_mb.get(name, 0.0), memory_mb)

    def usage(self, since: float) -> Usage:
        """Memory at its highest, and processor time per second since ``since`` [s of the monotonic clock]."""
        cpu_percent = {}
        for name, (times, spent) in self._spent.items():
            first = min(bisect_right(times, since), len(times) - 1)
            elapsed = max(times[-1] - times[first], PERIOD)
            cpu_percent[name] = 100 * (spent[-1] - spent[first]) / elapsed
        return Usage(dict(self._memory_mb), cpu_percent)
