"""Pictures of a moved photograph, against the built-in head drawn at the same size.

The photograph is the head's own picture: what is in it changes nothing about the time.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.render import HeadRenderer
from listener_head.render.portrait import PortraitRenderer

NAMES = ("portrait_256", "portrait_512")  # of the figures that `run` gives

PICTURES = 60
WARM_UP = 5


def talking_heads() -> list[Coefficients]:
    """Different poses and expressions, all shapes in use."""
    layout, rng = LAYOUTS["arkit52"], np.random.default_rng(0)
    motions = np.tile(layout.neutral(), (WARM_UP + PICTURES, 1))
    motions[:, layout.expression] = rng.uniform(0, 0.6, (len(motions), 52))
    motions[:, layout.rotation] = rng.normal(0, 0.12, (len(motions), 3))
    return [Coefficients.from_motion("arkit52", motion) for motion in motions]


def measure(size: int) -> dict[str, Any]:
    heads = talking_heads()
    reference = HeadRenderer(size)
    rest = Coefficients.from_motion("arkit52", LAYOUTS["arkit52"].neutral())
    ours = PortraitRenderer(reference.render(rest), size)
    times: dict[Any, list[float]] = {ours: [], reference: []}
    for coefficients in heads:
        for renderer, taken in times.items():
            start = time.perf_counter()
            renderer.render(coefficients)
            taken.append((time.perf_counter() - start) * 1e3)
    ours_ms, reference_ms = (float(np.median(taken[WARM_UP:])) for taken in times.values())
    ours.close()
    reference.close()
    return {
        "ours_ms": ours_ms,
        "reference_ms": reference_ms,
        "ratio": reference_ms / ours_ms,
        "reference": "HeadRenderer",
        "n": PICTURES,
    }


def run() -> dict[str, dict[str, Any]]:
    return {f"portrait_{size}": measure(size) for size in (256, 512)}


if __name__ == "__main__":
    for name, figures in run().items():
        print(name, figures)
