"""Runs of a listener whose motion is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from listener_head.coefficients import LAYOUTS
from listener_head.evaluation.offline.data import Listened
from listener_head.timing import RATE_HZ, grid_time_ns

FIRST = 54_000  # the recording begins half an hour after its clock's epoch


@pytest.fixture(scope="session")
def make_run() -> Callable[..., Listened]:
    """The function that makes a run [T] of a listener who looks into the camera, with fields of one's own."""
    return _make_run


def _make_run(count: int, face_model: str = "arkit52", **fields: object) -> Listened:
    layout = LAYOUTS[face_model]
    indices = np.asarray(fields.pop("indices", FIRST + np.arange(count)))
    still = np.tile(layout.neutral(), (count, 1))
    values: dict[str, object] = {
        "policy": "network",
        "name": "test",
        "hash": "0" * 12,
        "attitude": "neutral",
        "layout": layout,
        "indices": indices,
        "motion": still,
        "source_ns": np.array([grid_time_ns(int(index)) - 5_000_000 for index in indices], np.int64),
        "audio": np.zeros((count, 45), np.float32),
        "speaker": still.copy(),
        "voice_activity": np.zeros(count, np.float32),
        "heard": np.ones(count, bool),
        "seen": np.ones(count, bool),
        "mode": np.zeros(count, np.uint8),
        "flags": np.zeros(count, np.uint8),
        "step_ms": np.zeros(count, np.float32),
    }
    return Listened(**(values | fields))  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def drift() -> Callable[..., np.ndarray]:
    """The function that draws smooth random tracks [frames, size] of unit deviation."""
    return _drift


def _drift(seed: int, frames: int, size: int, seconds: float = 0.4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    width = max(1, round(seconds * RATE_HZ))
    kernel = np.hanning(width + 2)
    noise = rng.standard_normal((frames + len(kernel) - 1, size))
    track = np.stack([np.convolve(column, kernel, "valid") for column in noise.T], axis=1)
    return (track / np.linalg.norm(kernel)).astype(np.float32)
