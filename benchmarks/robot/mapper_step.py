"""Time of one step of the joint mapper: a sample at 100 Hz, with the update on every third or fourth."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.robot import JointMapper, load_robot

NAMES = ("mapper_step",)  # of the figures that `run` gives

SAMPLES = 6000
RATE = 100
FPS = 30


def run() -> dict[str, dict[str, Any]]:
    """Median and 99th percentile over a minute of noisy nods and turns of the generic head."""
    rng = np.random.default_rng(0)
    robot = load_robot("generic")
    mapper = JointMapper(robot)
    mapper.start(robot.neutral, 0.0)
    frames = [_listener(k / FPS, rng) for k in range(SAMPLES * FPS // RATE + 1)]
    spent_ms, frame = [], 0
    for k in range(1, SAMPLES + 1):
        t = k / RATE
        begin = time.perf_counter()
        while frame / FPS <= t:
            mapper.update(frames[frame], frame / FPS)
            frame += 1
        mapper.sample(t)
        spent_ms.append((time.perf_counter() - begin) * 1e3)
    result = {
        "ours_ms": float(np.median(spent_ms)),
        "reference_ms": None,
        "ratio": None,
        "reference": None,
        "n": SAMPLES,
        "p99_ms": float(np.percentile(spent_ms, 99)),
    }
    return {"mapper_step": result}


def _listener(t: float, rng: np.random.Generator) -> Coefficients:
    layout = LAYOUTS["arkit52"]
    motion = layout.neutral()
    swing = np.sin(2 * np.pi * np.array([1.0, 0.3, 0.2]) * t)
    motion[layout.rotation] = np.radians(8) * swing + np.radians(0.1) * rng.standard_normal(3)
    return Coefficients.from_motion("arkit52", motion)


if __name__ == "__main__":
    print(run())
