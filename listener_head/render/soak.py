"""``python -m listener_head.render.soak [PICTURES]``: many pictures in a row, their times and the memory.

Every picture has another pose and expression; identity changes now and then, as a new listener's would.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.progress import track

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.errors import UserError
from listener_head.render.factory import HEAD, PORTRAIT, Renderer, make_renderer

WARM_UP = 100  # pictures until everything has been loaded and compiled
NEW_IDENTITY = 300  # pictures


@dataclass(frozen=True)
class Soak:
    """Times of single pictures, and how much the process has grown after the warm-up."""

    p50_ms: float
    p99_ms: float
    longest_ms: float
    growth_mb: float


def moving_heads(count: int, seed: int = 0) -> list[Coefficients]:
    """Coefficients of the built-in head that change smoothly, all shapes in use."""
    layout, rng = LAYOUTS["arkit52"], np.random.default_rng(seed)
    speed, phase = rng.uniform(0.02, 0.4, layout.size), rng.uniform(0, 2 * np.pi, layout.size)
    waves = np.sin(np.arange(count)[:, None] * speed + phase)
    motion = np.tile(layout.neutral(), (count, 1))
    motion[:, layout.rotation] = 0.3 * waves[:, layout.rotation]
    motion[:, layout.expression] = 0.4 * (1 + waves[:, layout.expression])
    motion[:, layout.translation] += 0.02 * waves[:, layout.translation]
    identities = rng.normal(0, 1, (count // NEW_IDENTITY + 1, 20)).astype(np.float32)
    return [
        Coefficients.from_motion("arkit52", one, identities[i // NEW_IDENTITY])
        for i, one in enumerate(motion.astype(np.float32))
    ]


def soak(renderer: Renderer, pictures: int, watch: Callable[[range], Iterable[int]] = iter) -> Soak:
    """Draws so many pictures after a warm-up; ``watch`` wraps the steps for a progress bar."""
    heads = moving_heads(WARM_UP + pictures)
    for head in heads[:WARM_UP]:
        renderer.render(head)
    before, times = _resident_mb(), np.zeros(pictures)
    for i in watch(range(pictures)):
        start = time.perf_counter()
        renderer.render(heads[WARM_UP + i])
        times[i] = time.perf_counter() - start
    p50, p99 = np.percentile(times * 1e3, [50, 99])
    return Soak(float(p50), float(p99), float(times.max() * 1e3), _resident_mb() - before)


def _resident_mb() -> float:
    """Memory of this process (Linux: VmRSS)."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return float(line.split()[1]) / 1024


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(
        prog="python -m listener_head.render.soak", description="Draw many pictures in a row."
    )
    parser.add_argument("pictures", nargs="?", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=256, help="of a picture [pixels]")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--portrait", default="", help="photograph to move in place of the built-in head")
    arguments = parser.parse_args()
    kind = PORTRAIT if arguments.portrait else HEAD
    try:
        renderer = make_renderer(kind, arguments.size, arguments.device, portrait=arguments.portrait)
    except UserError as error:
        print(f"soak: {error}", file=sys.stderr)
        sys.exit(2)
    result = soak(renderer, arguments.pictures, lambda steps: track(steps, "drawing"))
    print(f"{arguments.pictures} pictures of {arguments.size} pixels with {renderer.device}:")
    print(f"p50 {result.p50_ms:.1f} ms, p99 {result.p99_ms:.1f} ms, longest {result.longest_ms:.1f} ms")
    print(f"memory grew by {result.growth_mb:.1f} MB")
    renderer.close()


if __name__ == "__main__":
    main()
