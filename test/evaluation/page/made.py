"""An evaluation whose every number is known, without a recording."""

from __future__ import annotations

from typing import Any

import numpy as np

from listener_head.coefficients import LAYOUTS
from listener_head.evaluation.offline.data import Envelope, Heard, Listened, Perceived, Seen
from listener_head.timing import grid_time_ns, index_at_or_after

LAYOUT = LAYOUTS["arkit52"]
START_NS = 1_700_000_000_000_000_000
AGE_NS = 7_000_000
POLICIES = ("random", "simulation", "simulation_attitude", "mean", "mirror", "network")


def motion(steps: int, seed: int) -> np.ndarray:
    """Smooth, and other for every seed; the pitch of step k is known: see `pitch_deg`."""
    seconds = np.arange(steps)[:, None] / 30
    rates = np.random.default_rng(seed).uniform(0.1, 0.9, LAYOUT.size)
    moved = np.tile(LAYOUT.neutral(), (steps, 1))
    moved[:, LAYOUT.expression] = 0.3 + 0.3 * np.sin(seconds * rates)[:, LAYOUT.expression]
    moved[:, :3] = 0.1 * np.sin(2 * np.pi * seconds * [0.9, 0.3, 0.2])
    return moved.astype(np.float32)


def pitch_deg(steps: int) -> np.ndarray:
    return np.degrees(0.1 * np.sin(2 * np.pi * np.arange(steps) / 30 * 0.9))


def made(seconds: float = 12.0) -> tuple[Perceived, Listened]:
    """A speaker who speaks every other two seconds and is away from 6 s to 7 s, and who listens to them."""
    steps = round(seconds * 30)
    indices = np.arange(steps) + index_at_or_after(START_NS)
    instants = np.array([grid_time_ns(int(index)) for index in indices], np.int64)
    seen = np.ones(steps, bool)
    seen[180:210] = False
    speaker = Seen(LAYOUT, instants - AGE_NS, motion(steps, 1) * seen[:, None], seen, (640, 480))
    truth = Seen(LAYOUT, instants - AGE_NS, motion(steps, 2), np.ones(steps, bool), (640, 480))
    voice = (np.arange(steps) // 60 % 2 == 0).astype(np.float32)
    flags = np.zeros(steps, np.uint8)
    heard = Heard("paper45", indices, np.zeros((steps, 45), np.float32), voice, flags)
    loud = np.repeat(voice, 3) * 0.5
    envelope = Envelope(instants[0] + np.arange(3 * steps) * 11_111_111, -loud, loud)
    took = np.full(steps, 9.0, np.float32)
    listened = Listened(
        "network",
        "listener_arkit52",
        "0123456789ab",
        "neutral",
        LAYOUT,
        indices,
        motion(steps, 0),
        np.where(seen, instants - AGE_NS, 0),
        heard.values,
        speaker.motion,
        voice,
        np.ones(steps, bool),
        seen,
        flags,
        flags,
        took / 10,
    )
    return Perceived(speaker, heard, truth, envelope, took, took / 20), listened


def _statistic(label: str, value: float | None, unit: str = "", human: Any = None, source: str = "") -> Any:
    within = human[0] <= value <= human[1] if human and value is not None else None
    return {
        "label": label,
        "unit": unit,
        "value": value,
        "human": human,
        "source": source,
        "within": within,
    }


def _gain(gain: float) -> dict[str, float]:
    fields = {"score": 0.3, "controls_99": 0.02, "controls_std": 0.01, "percentile": 97.5, "z": 2.0}
    return {**fields, "gain": gain}


def metrics(name: str = "talk", shift: float = 0.0, **changed: Any) -> dict[str, Any]:
    """As metrics.json has them, but for ``changed``; ``shift`` moves the distances of the windows."""
    quick = {"p50": 7.0, "p99": 40.25, "max": 41.5}
    distances = {policy: 1 + i for i, policy in enumerate(reversed(POLICIES))}
    measure = {
        "frechet_distance": 0.5,
        "paired_frechet_distance": 0.6,
        "mean_squared_error": 0.07,
        "variance": 0.008,
        "shannon_index": 4.25,
        "residual_correlation": 0.09,
    }
    attitudes = ("positive", "neutral", "negative")
    rng = np.random.default_rng(0)
    values = {
        "head_speed": [*rng.uniform(10, 20, 19), None],
        "distance_rotation": [float(v) + shift for v in rng.uniform(5, 6, 20)],
    }
    return {
        "format": "listener_head.evaluation/1",
        "bag": {
            "name": name,
            "hash": "a1b2c3d4e5f6",
            "storage": "mcap",
            "duration_s": 12.0,
            "clock": "stamp",
            "topics": {"image": "/speaker/image", "audio": "/speaker/audio", "truth_image": None},
        },
        "listener": {
            "policy": "network",
            "name": "listener_arkit52",
            "hash": "0123456789ab",
            "attitude": "neutral",
            "face_model": "arkit52",
            "audio_layout": "paper45",
            "liveliness": True,
            "seed": 0,
        },
        "schedule": {"rule": "fixed", "perception_delay_ms": 10.0, "step_delay_ms": 12.0},
        "problems": ["/speaker/image: 3 of 360 pictures cannot be decoded"],
        "frames": {
            "pictures": 360,
            "with_face": 330,
            "steps": 360,
            "with_sound": 360,
            "with_speaker": 330,
        },
        "statistics": {
            "nods_per_minute": _statistic("Nods", 23.45, "1/min"),
            "nod_frequency": _statistic("Frequency of nods, median", 5.5, "Hz", [0.5, 4.0], "Nodders, 2020"),
            "blinks_per_minute": _statistic("Blinks", 15.0, "1/min", [8.0, 32.5], "Blinkers, 1997"),
            "head_speed": _statistic("Speed of the head, mean", 16.5, "deg/s"),
            "smile": _statistic("Smile, mean", 0.25),
            "mirrored_pitch": _statistic("Mirroring beyond chance, pitch", -0.125),
            "nod_delay": _statistic("Delay of nods", None, "s"),
        },
        "separability": {
            "window_s": 2.0,
            "windows": 6,
            "chance": 1 / 3,
            "accuracy": 0.75,
            "accuracy_of_movement": 0.5,
            "confusion": {a: {b: 0.8 if a == b else 0.1 for b in attitudes} for a in attitudes},
            "sensitivity": {"positive, neutral": {"smile": 1.25, "pitch": None}},
        },
        "responsiveness": {"granger": _gain(0.031), "clips": 1, "seconds": 60.0},
        "truth": {
            "distances": {
                policy: {"rotation": v, "expression": 10 * v, "translation": 0.1 * v}
                for policy, v in distances.items()
            },
            "measures": {policy: {"expression": measure, "pose": measure} for policy in (*POLICIES, "truth")},
            "responsiveness": None,
            "frames": {"compared": 329, "unseen": 30},
        },
        "images": {"ssim": 0.521, "psnr_db": 16.558, "cpbd": 0.142, "fid": None, "frames": 300},
        "windows": {"length_s": 5.0, "start_s": [5.0 * i for i in range(20)], "values": values},
        "latency": {"age_ms": quick, "waiting_ms": quick},
        "live": None,
        "agreement": None,
        "thresholds": None,
        "times": {
            "perception_ms": quick,
            "features_ms": quick,
            "step_ms": quick,
            "wall_s": 3.0,
            "real_time_factor": 4.0,
            "memory_mb": 512.0,
        },
        "versions": {"listener_head": "0.1.0", "numpy": "1.26.4"},
        **changed,
    }
