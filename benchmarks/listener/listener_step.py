"""Time of one step of one listener against the same network in eager torch, one thread each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from statistics import median
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from listener_head.coefficients import Layout
from listener_head.listener import load_listener
from listener_head.listener.network import ListenerNetwork, NetworkConfig

NAMES = ("listener_step",)  # of the figures that `run` gives

FloatArray = NDArray[np.float32]

BLOCKS, BLOCK = 20, 100


class TorchStepper:
    """What a step of `Listener` does, raw units in and out, with random weights of the same sizes."""

    def __init__(self, layout: Layout, statistics: dict[str, list[float]]) -> None:
        self._network = ListenerNetwork(NetworkConfig(layout.size)).eval()
        self._statistics = {name: torch.tensor(values) for name, values in statistics.items()}
        self._expression = layout.expression
        zeros = torch.zeros(1, layout.size)
        self._state = self._network.initial_state(zeros, torch.zeros(1, dtype=torch.long))

    def step(self, audio: FloatArray, speaker: FloatArray) -> FloatArray:
        """One frame."""
        s = self._statistics
        sound = _standardised(audio, s["audio_mean"], s["audio_std"])
        face = _standardised(speaker, s["speaker_mean"], s["speaker_std"])
        motions, self._state = self._network.decode(sound[None, None], face[None, None], self._state)
        motion = motions[0, 0] * s["listener_std"] + s["listener_mean"]
        motion[self._expression].clamp_(0, 1)
        return motion.numpy()


def run() -> dict[str, dict[str, Any]]:
    """In a process of its own: numerical libraries read the number of threads when they are loaded."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [sys.executable, __file__]
    done = subprocess.run(command, env={**os.environ, **threads}, stdout=subprocess.PIPE, check=True)
    figures: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return figures


def measure() -> dict[str, dict[str, Any]]:
    """Median over steps; the two take turns in blocks, so that both meet the same machine, caches warm."""
    torch.set_num_threads(1)
    listener = load_listener()
    rng = np.random.default_rng(0)
    audio = (listener.quiet_audio + rng.standard_normal((BLOCK, 45))).astype(np.float32)
    size = listener.layout.size
    speaker = (listener.absent_speaker + 0.05 * rng.standard_normal((BLOCK, size))).astype(np.float32)
    reference = TorchStepper(listener.layout, listener.card["statistics"])
    spent: list[list[float]] = [[], []]
    with torch.inference_mode():
        for _ in range(BLOCKS):
            for step, times in zip((listener.step, reference.step), spent, strict=True):
                for sound, face in zip(audio, speaker, strict=True):
                    begin = time.perf_counter()
                    step(sound, face)
                    times.append((time.perf_counter() - begin) * 1e3)
    ours_ms, reference_ms = map(median, spent)
    return {
        "listener_step": {
            "ours_ms": ours_ms,
            "reference_ms": reference_ms,
            "ratio": reference_ms / ours_ms,
            "reference": f"torch {torch.__version__} eager, inference mode, one thread",
            "n": len(spent[0]),
        }
    }


def _standardised(values: FloatArray, mean: Tensor, std: Tensor) -> Tensor:
    return (torch.from_numpy(values) - mean) / std


if __name__ == "__main__":
    print(json.dumps(measure()))
