"""Pictures of the head: coefficients in, RGB array out, against pyrender drawing the same mesh.

The named figures are the head as it is drawn by default, anti-aliased; those ending in _plain are not.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.face.model import FaceModel
from listener_head.render import HeadRenderer

SIZES, SAMPLES = (256, 512), {"": 4, "_plain": 1}
NAMES = tuple(f"render_head_{size}{suffix}" for size in SIZES for suffix in SAMPLES)

PICTURES, WARM_UP = 60, 5


def talking_heads() -> list[Coefficients]:
    """Different poses and expressions, all shapes in use."""
    layout, rng = LAYOUTS["arkit52"], np.random.default_rng(0)
    motions = np.tile(layout.neutral(), (PICTURES, 1))
    motions[:, layout.expression] = rng.uniform(0, 0.6, (PICTURES, 52))
    motions[:, layout.rotation] = rng.normal(0, 0.12, (PICTURES, 3))
    return [Coefficients.from_motion("arkit52", motion) for motion in motions]


def pyrender_drawing(size: int, model: FaceModel) -> Callable[[Coefficients], Any] | None:
    """Draws with pyrender, or None where it is not installed or opens no context."""
    os.environ.setdefault("PYOPENGL_PLATFORM", "egl")
    try:
        import pyrender
        import trimesh

        drawer = pyrender.OffscreenRenderer(size, size)
    except Exception:  # whatever its GL platform raises
        return None
    colours = np.round(model.colours * 255).astype(np.uint8)

    def draw(coefficients: Coefficients) -> Any:
        mesh = trimesh.Trimesh(
            model.mesh((), coefficients.expression), model.triangles, vertex_colors=colours, process=False
        )
        scene = pyrender.Scene()
        scene.add(pyrender.Mesh.from_trimesh(mesh))
        away = np.eye(4)
        away[2, 3] = 0.65
        scene.add(pyrender.PerspectiveCamera(yfov=0.55), pose=away)
        scene.add(pyrender.DirectionalLight(intensity=3.0), pose=away)
        return drawer.render(scene)[0]

    return draw


def measure(size: int, samples: int) -> dict[str, Any]:
    """Ours and pyrender's time of one picture, drawn in turn."""
    heads = talking_heads()
    renderer = HeadRenderer(size, samples=samples)
    drawings: list[Callable[[Coefficients], Any]] = [renderer.render]
    reference = pyrender_drawing(size, renderer.model)
    if reference is not None:
        drawings.append(reference)
    times: list[list[float]] = [[] for _ in drawings]
    for coefficients in heads[:WARM_UP] + heads:
        for draw, taken in zip(drawings, times, strict=True):
            start = time.perf_counter()
            draw(coefficients)
            taken.append((time.perf_counter() - start) * 1e3)
    renderer.close()
    ours, *theirs = (float(np.median(taken[WARM_UP:])) for taken in times)
    return {
        "ours_ms": ours,
        "reference_ms": theirs[0] if theirs else None,
        "ratio": theirs[0] / ours if theirs else None,
        "reference": "pyrender" if theirs else "pyrender is not installed: not measured",
        "n": PICTURES,
    }


def run() -> dict[str, dict[str, Any]]:
    return {
        f"render_head_{size}{suffix}": measure(size, samples)
        for size in SIZES
        for suffix, samples in SAMPLES.items()
    }


if __name__ == "__main__":
    for name, figures in run().items():
        print(name, figures)
