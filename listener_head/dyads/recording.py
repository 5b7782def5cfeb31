"""What a room and a microphone do to a voice, so that real recordings lie inside the training range."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

from listener_head.dyads.speech import SAMPLE_RATE

FloatArray = NDArray[np.float32]


def record(samples: FloatArray, rng: np.random.Generator) -> FloatArray:
    """The voice as a random microphone in a random room hears it; same length, within -1 to 1."""
    voice = _microphone(_room(np.asarray(samples, np.float64), rng), rng)
    loudness = np.sqrt(np.mean(voice[np.abs(voice) > 1e-4] ** 2)) if np.any(np.abs(voice) > 1e-4) else 1.0
    level = 10 ** (rng.uniform(-36, -10) / 20)
    signal_to_noise = 10 ** (rng.uniform(12, 55) / 20)
    voice = voice * (level / loudness)
    return np.clip(voice + _noise(len(voice), rng) * (level / signal_to_noise), -1, 1).astype(np.float32)


def _room(samples: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Direct sound and an exponentially decaying tail."""
    reverberation = rng.uniform(0.08, 0.5)  # RT60 [s]
    times = np.arange(int(reverberation * SAMPLE_RATE)) / SAMPLE_RATE
    response = rng.standard_normal(len(times)) * 10 ** (-3 * times / reverberation)
    response *= rng.uniform(0.0, 0.7) / np.sqrt(np.sum(response**2))
    response[0] += 1.0
    return np.asarray(fftconvolve(samples, response)[: len(samples)])


def _microphone(samples: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Band limits and a tilt of the spectrum."""
    low, high = rng.uniform(30, 180), rng.uniform(3600, 7800)
    band = sosfilt(butter(2, (low, high), "bandpass", fs=SAMPLE_RATE, output="sos"), samples)
    return np.asarray(lfilter([1.0, -rng.uniform(-0.4, 0.6)], [1.0], band))


def _noise(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Noise of root mean square 1 between white and rumbling, that swells and ebbs a little."""
    white = rng.standard_normal(count)
    coloured = lfilter([1.0], [1.0, -rng.uniform(0.0, 0.97)], white)
    knots = np.linspace(0, count, max(2, count // (2 * SAMPLE_RATE)))
    swell = np.interp(np.arange(count), knots, rng.uniform(0.6, 1.4, len(knots)))
    noise = coloured * swell
    return np.asarray(noise / np.sqrt(np.mean(noise**2)))
