"""What a camera and a face tracker make of a face: place, bias, gain, noise, frame rate and lost frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from listener_head.dyads.signals import Track, smooth
from listener_head.dyads.speaker import LAYOUT, columns
from listener_head.timing import RATE_HZ

FloatArray = NDArray[np.float32]

# Shapes of a group: gain of the tracked against the true weight (mean, spread) and noise (deviation).
TRACKING_ERRORS: dict[str, tuple[float, float, float]] = {
    "eyeBlink": (0.75, 0.2, 0.06),
    "eyeLook": (0.6, 0.3, 0.08),
    "eyeSquint": (0.5, 0.3, 0.06),
    "eyeWide": (0.5, 0.3, 0.06),
    "brow": (0.85, 0.2, 0.06),
    "jawOpen": (1.0, 0.3, 0.04),
    "jaw": (0.5, 0.3, 0.04),
    "mouthSmile": (0.95, 0.15, 0.04),
    "mouth": (0.7, 0.3, 0.06),
    "cheek": (0.4, 0.3, 0.05),
    "nose": (0.5, 0.3, 0.05),
}
# How much of the lips' movement leaks into any other shape of mouth and jaw (deviation).
MOUTH_CROSSTALK = 0.25
# Noise of rotation [rad] about x, y, z and of translation [m] at one metre.
ROTATION_NOISE = (0.012, 0.007, 0.004)
TRANSLATION_NOISE = (0.001, 0.001, 0.006)

# Largest resting weight that a real face may show without meaning anything by it.
_RESTING_BIAS = {
    "eyeBlink": 0.3, "eyeSquint": 0.35, "mouthSmile": 0.25, "mouthFrown": 0.3, "mouthPress": 0.25,
    "browDown": 0.35, "browInnerUp": 0.45, "browOuterUp": 0.35, "jawOpen": 0.35, "mouthShrugUpper": 0.2,
    "mouthShrugLower": 0.25, "mouthRollLower": 0.2, "mouthRollUpper": 0.2, "mouthPucker": 0.5,
    "mouthStretch": 0.15, "mouthUpperUp": 0.3, "mouthLowerDown": 0.2, "eyeLookDown": 0.4, "eyeLookUp": 0.3,
    "noseSneer": 0.2, "mouthLeft": 0.35, "mouthRight": 0.35, "jawForward": 0.15, "jawLeft": 0.15,
    "jawRight": 0.2, "mouthFunnel": 0.3, "cheekSquint": 0.15, "eyeWide": 0.2,
}  # fmt: skip
_CAMERA_RATES_HZ = (15.0, 24.0, 25.0, 29.97, 30.0, 60.0)
_DEGREE = np.pi / 180


def track(motion: FloatArray, rng: np.random.Generator) -> FloatArray:
    """The face [T, 58] as a random camera in a random place and the tracker report it on the grid."""
    seen = _with_errors(_with_resting_face(motion.astype(np.float64), rng), rng)
    seen = _before_camera(seen, rng)
    seen[:, LAYOUT.expression] = np.clip(seen[:, LAYOUT.expression], 0, 1)
    return _sampled(seen, rng).astype(np.float32)


def _with_resting_face(motion: Track, rng: np.random.Generator) -> Track:
    for name, largest in _RESTING_BIAS.items():
        # Most faces rest near zero, and the two sides are not the same.
        bias = largest * rng.random() ** 2
        for column in columns(name):
            motion[:, column] += bias * rng.uniform(0.5, 1.0)
    return motion


def _with_errors(motion: Track, rng: np.random.Generator) -> Track:
    count = len(motion)
    talk = sum(motion[:, LAYOUT.index(name)] for name in ("jawOpen", "mouthPucker", "mouthFunnel"))
    for position, name in enumerate(LAYOUT.expression_names):
        group = next((group for group in TRACKING_ERRORS if name.startswith(group)), None)
        if group is None:
            continue
        gain, spread, noise = TRACKING_ERRORS[group]
        column = LAYOUT.expression.start + position
        motion[:, column] *= max(0.1, gain + spread * rng.standard_normal())
        motion[:, column] += _tracker_noise((count, 1), rng)[:, 0] * noise * rng.uniform(0.3, 1.3)
        if name.startswith(("mouth", "jaw")):
            motion[:, column] += talk * MOUTH_CROSSTALK * rng.standard_normal() * rng.random()
    noises = np.array((*ROTATION_NOISE, *TRANSLATION_NOISE)) * rng.uniform(0.3, 1.3)
    pose = [*range(LAYOUT.rotation.start, LAYOUT.rotation.stop)]
    pose += [*range(LAYOUT.translation.start, LAYOUT.translation.stop)]
    motion[:, pose] += _tracker_noise((count, 6), rng) * noises
    return motion


def _tracker_noise(shape: tuple[int, int], rng: np.random.Generator) -> Track:
    """Unit noise, half of it quick and half of it slow, as trackers err."""
    quick, slow = rng.standard_normal(shape), rng.standard_normal(shape)
    return np.asarray(0.6 * quick + 0.8 * smooth(slow, 0.5) * np.sqrt(2 * 0.5 * RATE_HZ))


def _before_camera(motion: Track, rng: np.random.Generator) -> Track:
    """Put the head somewhere before the camera, turned towards something beside it."""
    distance = float(np.exp(rng.uniform(np.log(0.3), np.log(1.8))))
    place = np.array([rng.uniform(-0.3, 0.3), rng.uniform(-0.25, 0.25), 1.0]) * distance
    motion[:, LAYOUT.translation] += place - LAYOUT.neutral()[LAYOUT.translation]
    motion[:, LAYOUT.rotation] += rng.uniform(-1, 1, 3) * (24, 32, 14) * _DEGREE
    return motion


def _sampled(motion: Track, rng: np.random.Generator) -> Track:
    """On each grid step the newest camera frame; now and then one is lost."""
    count = len(motion)
    rate = float(rng.choice(_CAMERA_RATES_HZ))
    steps = np.arange(count) / RATE_HZ
    newest = np.floor(steps * rate + rng.random())
    lost = rng.random(int(newest[-1]) + 1) < rng.choice((0.0, 0.01, 0.05))
    kept = np.maximum.accumulate(np.where(lost, 0, np.arange(len(lost))))
    frames = np.clip(kept[newest.astype(int)] / rate * RATE_HZ, 0, count - 1)
    frames = np.minimum(np.round(frames), np.arange(count)).astype(int)
    return np.asarray(motion[frames])
