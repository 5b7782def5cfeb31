"""Time of a step of 256 listeners in one batch, per listener, against a step of one listener alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from statistics import median
from typing import Any

import numpy as np

from listener_head.listener import ListenerBatch, load_listener

NAMES = ("listener_batch256",)  # of the figures that `run` gives

LISTENERS, BLOCKS, BATCH_STEPS, STEPS = 256, 20, 5, 100


def run() -> dict[str, dict[str, Any]]:
    """In a process of its own, in which the one listener is as fast as it can be."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, __file__], env=environment, stdout=subprocess.PIPE, check=True)
    figures: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return figures


def measure() -> dict[str, dict[str, Any]]:
    """Medians; the two take turns in blocks, so that both meet the same machine, caches warm."""
    listener, batch = load_listener(), ListenerBatch(None, LISTENERS)
    rng = np.random.default_rng(0)
    audio = listener.quiet_audio + rng.standard_normal((LISTENERS, len(listener.quiet_audio)))
    speaker = listener.absent_speaker + 0.05 * rng.standard_normal((LISTENERS, listener.layout.size))
    audio, speaker = audio.astype(np.float32), speaker.astype(np.float32)
    together: list[float] = []
    alone: list[float] = []
    for _ in range(BLOCKS):
        for _ in range(BATCH_STEPS):
            begin = time.perf_counter()
            batch.step(audio, speaker)
            together.append((time.perf_counter() - begin) * 1e3 / LISTENERS)
        for _ in range(STEPS):
            begin = time.perf_counter()
            listener.step(audio[0], speaker[0])
            alone.append((time.perf_counter() - begin) * 1e3)
    ours_ms, reference_ms = median(together), median(alone)
    return {
        "listener_batch256": {
            "ours_ms": ours_ms,
            "reference_ms": reference_ms,
            "ratio": reference_ms / ours_ms,
            "reference": f"one listener alone; ours on {os.cpu_count()} cores, per listener",
            "n": len(together),
        }
    }


if __name__ == "__main__":
    print(json.dumps(measure()))
