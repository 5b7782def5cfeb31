"""Pictures of the head: coefficients in, RGB array out, against pyrender drawing the same mesh."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.face.model import load_face_model
from listener_head.render import HeadRenderer

NAMES = ("render_head_256", "render_head_512")  # of the figures that `run` gives

PICTURES = 60


def talking_heads() -> list[Coefficients]:
    """Different poses and expressions, all shapes in use."""
    layout, rng = LAYOUTS["arkit52"], np.random.default_rng(0)
    motions = np.tile(layout.neutral(), (PICTURES, 1))
    motions[:, layout.expression] = rng.uniform(0, 0.6, (PICTURES, 52))
    motions[:, layout.rotation] = rng.normal(0, 0.12, (PICTURES, 3))
    return [Coefficients.from_motion("arkit52", motion) for motion in motions]


def pyrender_drawing(size: int) -> Callable[[Coefficients], Any] | None:
    """Draws with pyrender, or None where it is not installed or opens no context."""
    try:
        import pyrender
        import trimesh

        model = load_face_model()
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


def milliseconds(draw: Callable[[Coefficients], Any], heads: list[Coefficients]) -> float:
    """Median time of one picture."""
    times = []
    for coefficients in heads[:5] + heads:
        start = time.perf_counter()
        draw(coefficients)
        times.append((time.perf_counter() - start) * 1e3)
    return float(np.median(times[5:]))


def measure(size: int) -> dict[str, Any]:
    heads = talking_heads()
    renderer = HeadRenderer(size)
    reference = pyrender_drawing(size)
    ours = milliseconds(renderer.render, heads)
    theirs = None if reference is None else milliseconds(reference, heads)
    renderer.close()
    return {
        "ours_ms": ours,
        "reference_ms": theirs,
        "ratio": None if theirs is None else theirs / ours,
        "reference": "pyrender" if theirs is not None else "pyrender is not installed: not measured",
        "n": PICTURES,
    }


def run() -> dict[str, dict[str, Any]]:
    return {f"render_head_{size}": measure(size) for size in (256, 512)}


if __name__ == "__main__":
    for name, figures in run().items():
        print(name, figures)
