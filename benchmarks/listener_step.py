"""Time of one step of one listener: ONNX Runtime against the same network in eager torch, one thread each."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from listener_head.listener import load_listener
from listener_head.listener.network import ListenerNetwork, NetworkConfig

NAMES = ("listener_step",)  # of the figures that `run` gives

FloatArray = NDArray[np.float32]

BLOCKS, BLOCK = 20, 100


def run() -> dict[str, dict[str, Any]]:
    """Median over steps; the two take turns in blocks, so that both meet the same machine, caches warm."""
    torch.set_num_threads(1)
    listener = load_listener()
    size = listener.layout.size
    rng = np.random.default_rng(0)
    audio = (listener.quiet_audio + rng.standard_normal((BLOCK, 45))).astype(np.float32)
    speaker = (listener.absent_speaker + 0.05 * rng.standard_normal((BLOCK, size))).astype(np.float32)

    network = ListenerNetwork(NetworkConfig(size)).eval()
    state = network.initial_state(torch.zeros(1, size), torch.zeros(1, dtype=torch.long))

    def torch_step(sound: FloatArray, face: FloatArray) -> None:
        nonlocal state
        sequence = torch.from_numpy(sound)[None, None], torch.from_numpy(face)[None, None]
        _, state = network.decode(*sequence, state)

    ours: list[float] = []
    reference: list[float] = []
    with torch.inference_mode():
        for _ in range(BLOCKS):
            for step, spent in ((listener.step, ours), (torch_step, reference)):
                for sound, face in zip(audio, speaker, strict=True):
                    begin = time.perf_counter()
                    step(sound, face)
                    spent.append((time.perf_counter() - begin) * 1e3)
    ours_ms, reference_ms = median(ours), median(reference)
    return {
        "listener_step": {
            "ours_ms": ours_ms,
            "reference_ms": reference_ms,
            "ratio": reference_ms / ours_ms,
            "reference": f"torch {torch.__version__} eager, inference mode, one thread",
            "n": len(ours),
        }
    }


if __name__ == "__main__":
    print(run())
