"""One frame of the neural renderer at 256 x 256, coefficients in, RGB array out, against the generator in
torch on the same device, both with the same random weights. Runs on CUDA where ONNX Runtime has it.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import torch

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.render import HeadRenderer
from listener_head.render.neural import NeuralRenderer
from listener_head.render.neural.card import make_card
from listener_head.render.neural.export import export_network
from listener_head.render.neural.motion import MotionWindow, published_motion
from listener_head.render.neural.network import FaceGenerator
from listener_head.render.neural.portrait import crop_portrait
from listener_head.render.neural.published import SIZE

NAMES = ("neural_256",)  # of the figures that `run` gives

FRAMES = {"cpu": 8, "cuda": 200, "tensorrt": 200}
WARM = 2
REFERENCE = "the generator in torch on {}, everything computed for every frame"


def head() -> np.ndarray:
    """A portrait: the built-in head."""
    renderer = HeadRenderer(SIZE)
    picture = renderer.render(Coefficients.from_motion("arkit52", LAYOUTS["arkit52"].neutral()))
    renderer.close()
    return picture


def listener(count: int) -> list[Coefficients]:
    """Frames of a bfm2009 listener."""
    layout, rng = LAYOUTS["bfm2009"], np.random.default_rng(0)
    motions = np.tile(layout.neutral(), (count, 1))
    motions[:, layout.expression] = rng.normal(0, 0.5, (count, 64))
    motions[:, layout.rotation] = rng.normal(0, 0.1, (count, 3))
    motions[:, layout.crop] = 1.0, SIZE / 2, SIZE / 2
    return [Coefficients.from_motion("bfm2009", motion) for motion in motions]


class TorchRenderer:
    """The same with torch, as the published code does it."""

    def __init__(self, network: FaceGenerator, portrait: np.ndarray, device: str) -> None:
        self.device, self._network, self._window = device, network.to(device), MotionWindow()
        pixels = torch.from_numpy(crop_portrait(portrait, SIZE).copy()).permute(2, 0, 1)[None]
        self._portrait = (pixels / 127.5 - 1).to(device)

    @torch.inference_mode()
    def render(self, coefficients: Coefficients) -> np.ndarray:
        window = self._window.push(published_motion(coefficients))
        picture = self._network(self._portrait, torch.from_numpy(window)[None].to(self.device))[0]
        return ((picture + 1) * 127.5).to(torch.uint8).permute(1, 2, 0).cpu().numpy()


def run() -> dict[str, dict[str, Any]]:
    torch.manual_seed(0)
    network, portrait = FaceGenerator().eval(), head()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "random.onnx"
        export_network(network, make_card("random", ""), path)
        renderer = NeuralRenderer(path, portrait)
    on_gpu = renderer.device != "cpu" and torch.cuda.is_available()
    reference = TorchRenderer(network, portrait, "cuda" if on_gpu else "cpu")
    ours, theirs = [], []
    for coefficients in listener(WARM + FRAMES[renderer.device]):
        start = perf_counter()
        picture = renderer.render(coefficients)
        middle = perf_counter()
        other = reference.render(coefficients)
        ours.append(1e3 * (middle - start))
        theirs.append(1e3 * (perf_counter() - middle))
        # CUDA's shortened products (TF32) move a level of 255 here and there.
        assert np.abs(picture.astype(int) - other).max() <= (1 if renderer.device == "cpu" else 8)
    ours_ms, reference_ms = float(np.median(ours[WARM:])), float(np.median(theirs[WARM:]))
    return {
        "neural_256": {
            "ours_ms": ours_ms,
            "reference_ms": reference_ms,
            "ratio": reference_ms / ours_ms,
            "reference": f"{REFERENCE.format(reference.device)}; ours on {renderer.device}",
            "n": len(ours) - WARM,
        }
    }


if __name__ == "__main__":
    print(run())
