"""What a camera and a face tracker make of a face: place, bias, gain, noise, frame rate and lost frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from listener_head.dyads.signals import Track, wander
from listener_head.dyads.speaker import LAYOUT, columns
from listener_head.face.tracking_error import load_tracking_error
from listener_head.timing import RATE_HZ

FloatArray = NDArray[np.float32]

# Trackers differ, and so do faces: the gain is as measured, up to this factor larger or smaller; noise and
# offset are times a factor within these bounds, for the measurement moves all shapes at once, and what a
# speaker's few shapes suffer is less.
_GAIN_FACTOR, _NOISE_FACTORS, _OFFSET_FACTORS = 1.6, (0.2, 0.9), (0.0, 1.0)
# How much of the lips' movement leaks into any other shape of mouth, jaw, cheeks and nose on a real face.
_MOUTH_CROSSTALK = 0.3
_CROSSTALK_SHAPES = ("mouth", "jaw", "cheek", "nose")
# Real faces also move in ways of their own that mean nothing to a listener: the largest deviation of such
# movement, and of that of the shapes which a listener answers.
_OWN_MOVEMENT, _OWN_MOVEMENT_ANSWERED = 0.22, 0.06
_ANSWERED_SHAPES = ("mouthSmile", "browOuterUp", "browDown", "eyeBlink", "jawOpen", "mouthClose")
_OWN_TIMES = (0.15, 1.5)  # time constants [s]

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
    """Gain, offset, delay and noise of the tracker as measured, and what real mouths add."""
    error, neutral = load_tracking_error(), LAYOUT.neutral()
    count, size = motion.shape
    talk = sum(motion[:, LAYOUT.index(name)] for name in ("jawOpen", "mouthPucker", "mouthFunnel"))
    delays = np.round(error.delay).astype(int)
    late = np.maximum(np.arange(count)[:, None] - delays, 0)
    gain = error.gain * _GAIN_FACTOR ** rng.uniform(-1, 1, size)
    # Pose is measured well: its gain is what it is.
    gain[LAYOUT.rotation], gain[LAYOUT.translation] = error.gain[LAYOUT.rotation], 1.0
    seen = neutral + gain * (motion[late, np.arange(size)] - neutral)
    seen += error.offset * rng.uniform(*_OFFSET_FACTORS)
    seen += _tracker_noise(count, error.noise_memory, rng) * error.noise * rng.uniform(*_NOISE_FACTORS)
    for name in LAYOUT.expression_names:
        if name.startswith(_CROSSTALK_SHAPES):
            seen[:, LAYOUT.index(name)] += talk * _MOUTH_CROSSTALK * rng.standard_normal() * rng.random()
    seen[:, LAYOUT.expression] += _own_movement(count, rng)
    return np.asarray(seen)


def _own_movement(count: int, rng: np.random.Generator) -> Track:
    """What a face does beside all that the generator means by it [T, E]; more on lively faces."""
    liveliness = rng.random()
    names = LAYOUT.expression_names
    movement = np.empty((count, len(names)))
    for column, name in enumerate(names):
        answered = name.startswith(_ANSWERED_SHAPES)
        largest = _OWN_MOVEMENT_ANSWERED if answered else _OWN_MOVEMENT
        deviation = largest * liveliness * rng.random()
        movement[:, column] = wander(count, deviation, rng.uniform(*_OWN_TIMES), rng)
    return movement


def _tracker_noise(count: int, memory: FloatArray, rng: np.random.Generator) -> Track:
    """Unit noise [T, 58] with each number's own correlation from one frame to the next."""
    noise = rng.standard_normal((count, len(memory)))
    fresh = np.sqrt(1 - memory**2)
    for frame in range(1, count):
        noise[frame] = memory * noise[frame - 1] + fresh * noise[frame]
    return noise


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
