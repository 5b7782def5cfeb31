"""What a room and a microphone do to a voice, so that real recordings lie inside the training range."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

from listener_head.dyads.speech import SAMPLE_RATE

FloatArray = NDArray[np.float32]
Sound = NDArray[np.float64]

# Root mean square of the voice and its distance from the noise [dB].
_LEVELS, _SIGNAL_TO_NOISE = (-44, -10), (8, 60)
_BELLS, _BELL_GAIN = 4, 12.0  # of a microphone's frequency response [dB]
_NEAR_GAIN = 15.0  # of the bass [dB]
_SILENT = 1e-4  # below it nobody speaks


def record(samples: FloatArray, rng: np.random.Generator) -> FloatArray:
    """The voice as a random microphone in a random room hears it; same length, within -1 to 1.

    Level, reverberation, frequency response, noise, hum and automatic gain vary.
    """
    voice = _levelled(_microphone(in_a_room(np.asarray(samples, np.float64), rng), rng), rng)
    spoken = voice[np.abs(voice) > _SILENT]
    loudness = np.sqrt(np.mean(spoken**2)) if len(spoken) else 1.0
    level, ratio = (10 ** (rng.uniform(*range_db) / 20) for range_db in (_LEVELS, _SIGNAL_TO_NOISE))
    heard = voice * (level / loudness) + _noise(len(voice), rng) * (level / ratio)
    return np.clip(heard, -1, 1).astype(np.float32)


def in_a_room(samples: Sound, rng: np.random.Generator) -> Sound:
    """Direct sound and an exponentially decaying tail of a random room; 16 kHz, same length."""
    reverberation = rng.uniform(0.08, 0.6)  # RT60 [s]
    times = np.arange(int(reverberation * SAMPLE_RATE)) / SAMPLE_RATE
    response = rng.standard_normal(len(times)) * 10 ** (-3 * times / reverberation)
    response *= rng.uniform(0.0, 0.8) / np.sqrt(np.sum(response**2))
    response[0] += 1.0
    return np.asarray(fftconvolve(samples, response)[: len(samples)])


def _microphone(samples: Sound, rng: np.random.Generator) -> Sound:
    """Band limits, a tilt of the spectrum, and bells and dips in it."""
    low, high = rng.uniform(30, 250), rng.uniform(3400, 7800)
    sound = sosfilt(butter(2, (low, high), "bandpass", fs=SAMPLE_RATE, output="sos"), samples)
    tilt = rng.uniform(-0.95, 0.85)  # towards the bass or the treble
    sound = lfilter([1.0, -max(tilt, 0.0)], [1.0, min(tilt, 0.0)], sound)
    centres = np.exp(rng.uniform(np.log(120), np.log(6500), _BELLS))
    bells = [_bell(f, rng.uniform(-_BELL_GAIN, _BELL_GAIN), rng.uniform(0.6, 2.5)) for f in centres]
    # A microphone near the mouth favours the bass (proximity effect), a small one has little.
    bells.append(_bell(rng.uniform(90, 260), rng.uniform(-_NEAR_GAIN, _NEAR_GAIN), 0.7))
    return np.asarray(sosfilt(np.array(bells), sound))


def _bell(frequency: float, gain_db: float, quality: float) -> list[float]:
    """Second-order section of a peaking equaliser (Bristow-Johnson, Audio EQ Cookbook)."""
    angle = 2 * np.pi * frequency / SAMPLE_RATE
    width, gain = np.sin(angle) / (2 * quality), 10 ** (gain_db / 40)
    above = [1 + width * gain, -2 * np.cos(angle), 1 - width * gain]
    below = [1 + width / gain, -2 * np.cos(angle), 1 - width / gain]
    return [value / below[0] for value in above + below]


def _levelled(samples: Sound, rng: np.random.Generator) -> Sound:
    """Automatic gain, as telephones and recorders have it: loud moments are turned down."""
    amount, seconds = rng.choice((0.0, 0.0, 0.3, 0.6)), rng.uniform(0.05, 0.4)
    keep = np.exp(-1 / (seconds * SAMPLE_RATE))
    power = lfilter([1 - keep], [1.0, -keep], samples**2)
    return np.asarray(samples * (power + _SILENT) ** (-amount / 2))


def _noise(count: int, rng: np.random.Generator) -> Sound:
    """Noise of root mean square 1 between hissing and rumbling, that swells and ebbs; at times mains hum."""
    coloured = lfilter([1.0], [1.0, -rng.uniform(-0.3, 0.98)], rng.standard_normal(count))
    knots = np.linspace(0, count, max(2, count // (2 * SAMPLE_RATE)))
    swell = np.interp(np.arange(count), knots, rng.uniform(0.6, 1.4, len(knots)))
    noise = coloured / max(coloured.std(), 1e-9) * swell
    hum = 2 * np.pi * rng.choice((50, 60)) / SAMPLE_RATE * np.arange(count)
    noise += rng.choice((0.0, 0.0, 0.3, 1.0)) * (np.sin(hum) + 0.5 * np.sin(3 * hum + 1))
    return np.asarray(noise / max(np.sqrt(np.mean(noise**2)), 1e-9))
