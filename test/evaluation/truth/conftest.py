"""Two people of simple formulae: a speaker, and a true listener who answers 0.3 s later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import lfilter

from listener_head.coefficients import LAYOUTS
from listener_head.evaluation.offline.data import Listened, Seen
from listener_head.timing import RATE_HZ, grid_time_ns

LAYOUT = LAYOUTS["arkit52"]
FIRST = 52_000_000_000  # grid step: a clock of the system's
DELAY = 9


def drift(rng: np.random.Generator, frames: int, size: int) -> np.ndarray:
    """Tracks [frames, size] of unit deviation, correlated in time."""
    noise = rng.standard_normal((frames + 200, size))
    return lfilter([np.sqrt(1 - 0.9**2)], [1, -0.9], noise, axis=0)[200:].astype(np.float32)


@pytest.fixture(scope="session")
def make_listened() -> Callable[..., Listened]:
    """The function that makes what a policy did: its motion [T, M] or, by default, the reference."""

    def make(steps: int, motion: np.ndarray | None = None, seed: int = 0, **fields: object) -> Listened:
        rng, none = np.random.default_rng(seed), np.zeros(steps, np.uint8)
        still = np.tile(LAYOUT.neutral(), (steps, 1))
        listened = Listened(
            policy="some",
            name="some",
            hash="",
            attitude="positive",
            layout=LAYOUT,
            indices=FIRST + np.arange(steps),
            motion=still if motion is None else motion.astype(np.float32),
            source_ns=np.zeros(steps, np.int64),
            audio=drift(rng, steps, 45),
            speaker=LAYOUT.neutral() + 0.05 * drift(rng, steps, LAYOUT.size),
            voice_activity=np.zeros(steps, np.float32),
            heard=none == 0,
            seen=none == 0,
            mode=none,
            flags=none,
            step_ms=np.zeros(steps, np.float32),
        )
        return replace(listened, **fields)

    return make


@pytest.fixture(scope="session")
def make_truth() -> Callable[..., Seen]:
    """The function that makes the true listener of somebody who listened, seen at every instant."""

    def make(listened: Listened, seed: int = 1) -> Seen:
        steps = len(listened.indices)
        answer = np.roll(listened.speaker, DELAY - 1, axis=0)
        motion = answer + 0.05 * drift(np.random.default_rng(seed), steps, LAYOUT.size)
        return Seen(LAYOUT, listened.stamp_ns, motion.astype(np.float32), np.ones(steps, bool))

    return make


@pytest.fixture(scope="session")
def stamps() -> Callable[..., np.ndarray]:
    """The function that gives ``count`` stamps of a camera from the first grid step on."""

    def make(count: int, rate_hz: float = RATE_HZ, offset_ns: int = 0) -> np.ndarray:
        start = grid_time_ns(FIRST) + offset_ns
        return start + np.round(np.arange(count) * 1e9 / rate_hz).astype(np.int64)

    return make
