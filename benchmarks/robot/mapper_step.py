"""Time of one period of a robot's control: what was measured, the listener's frames, the gaze, the command.

- ``mapper_step``: the generic head, three joints.
- ``mapper_step_face``: InMoov, fifteen joints, most of them in the face.
- ``mapper_step_platform``: Reachy Mini, inverse kinematics of a Stewart platform.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.robot import HeadControl, SimulatedHead, load_robot
from listener_head.robot.kinematics import HeadKinematics
from listener_head.timing import RATE_HZ

ROBOTS = {"mapper_step": "generic", "mapper_step_face": "inmoov", "mapper_step_platform": "reachy_mini"}
NAMES = tuple(ROBOTS)  # of the figures that `run` gives

SAMPLES = 6000
RATE = 100


def run() -> dict[str, dict[str, Any]]:
    """Median and 99th percentile over a minute of noisy nods, turns and faces, at 100 commands a second."""
    return {name: _measure(robot) for name, robot in ROBOTS.items()}


def _measure(name: str) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    robot = load_robot(name)
    control, head = HeadControl(robot, gaze=True), SimulatedHead(robot)
    to_base = HeadKinematics(robot).body_of_base[:3, :3].T
    frames = [_listener(k / RATE_HZ, rng) for k in range(SAMPLES * RATE_HZ // RATE + 1)]
    spent_ms, frame = [], 0
    for k in range(1, SAMPLES + 1):
        t = k / RATE
        measured = dict(zip(robot.joint_names, head.positions.tolist(), strict=True))
        speaker = to_base @ [1.2, 0.3 * np.sin(0.5 * t), 0.4]
        begin = time.perf_counter()
        control.measure(measured, t)
        while frame / RATE_HZ <= t:
            control.look_at(speaker, frame / RATE_HZ)
            control.update(frames[frame], frame / RATE_HZ)
            frame += 1
        points = control.command(t)
        spent_ms.append((time.perf_counter() - begin) * 1e3)
        if points is not None:
            head.command(points[0].positions)
        head.step(1 / RATE)
    return {
        "ours_ms": float(np.median(spent_ms)),
        "reference_ms": None,
        "ratio": None,
        "reference": None,
        "n": SAMPLES,
        "p99_ms": float(np.percentile(spent_ms, 99)),
        "state": control.state.value,
    }


def _listener(t: float, rng: np.random.Generator) -> Coefficients:
    layout = LAYOUTS["arkit52"]
    motion = layout.neutral()
    swing = np.sin(2 * np.pi * np.array([1.0, 0.3, 0.2]) * t)
    motion[layout.rotation] = np.radians(8) * swing + np.radians(0.1) * rng.standard_normal(3)
    shapes = np.arange(len(layout.expression_names))
    motion[layout.expression] = 0.3 + 0.3 * np.sin(0.5 * shapes + 2 * np.pi * 0.4 * t)
    return Coefficients.from_motion("arkit52", motion)


if __name__ == "__main__":
    print(run())
