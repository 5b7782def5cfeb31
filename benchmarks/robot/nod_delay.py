"""How late a nod of 8 degrees at 1 Hz comes: of the limits and the tracking law, not of the machine."""

from __future__ import annotations

from typing import Any

from listener_head.robot import load_robot
from listener_head.robot.response import MEASURED, nod

NAMES = ("nod_delay",)  # of the figures that `run` gives


def run() -> dict[str, dict[str, Any]]:
    """Delay and kept part of the amplitude of the generic head: 3 rad/s, 10 rad/s^2, 100 rad/s^3."""
    robot = load_robot("generic")
    response = nod(robot, 1.0, 8.0)
    result = {
        "ours_ms": None if response.delay is None else response.delay * 1e3,
        "reference_ms": None,
        "ratio": None,
        "reference": None,
        "n": round(MEASURED * robot.rate),
        "amplitude_kept": response.kept,
    }
    return {"nod_delay": result}


if __name__ == "__main__":
    print(run())
