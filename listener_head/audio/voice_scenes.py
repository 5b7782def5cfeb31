"""Noisy recordings of synthetic voices whose speaking times are known: to fit and to score voice activity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, lfilter, sosfilt

from listener_head.dyads.recording import in_a_room
from listener_head.dyads.speech import SAMPLE_RATE, Speech, monologue
from listener_head.dyads.voice import random_voice

Array = NDArray[np.float64]
Generator = np.random.Generator

SECONDS = 12.0  # length of a scene
_LONGEST_LEAD = 6.0  # [s] of noise alone before the voice
_LONGEST_CUT = 4.0  # [s] of the voice's beginning that is left out
_SILENT_SHARE = 0.15  # of the scenes have noise alone
_LATE_NOISE_SHARE = 0.2  # of the noises begin within the scene
_BABBLE_VOICES = 6


@dataclass(frozen=True)
class Scene:
    """A recording at 16 kHz, full scale 1, and the stretches of speech in it, start and end [s].

    Pauses shorter than 0.2 s belong to the stretch. ``snr_db`` compares the voice while it speaks with the
    mean power of the noise.
    """

    samples: Array
    speech: list[tuple[float, float]]
    noise: str
    snr_db: float


def make_scene(rng: Generator, noise: str, snr_db: float) -> Scene:
    """A new voice, text, room, microphone, level (-45 to -12 dB of full scale) and noise.

    It may begin with noise or in the middle of a word; some have no voice at all.
    """
    count = round(SECONDS * SAMPLE_RATE)
    speech = monologue(random_voice(rng), SECONDS + _LONGEST_CUT, rng)
    voice = in_a_room(speech.samples.astype(np.float64), rng)
    voice /= _speaking_level(voice, speech)
    # Where the scene begins on the voice's time line: before its first sound, or after it [samples].
    start = round(rng.uniform(-_LONGEST_LEAD, _LONGEST_CUT) * SAMPLE_RATE)
    voice = np.concatenate((np.zeros(max(0, -start)), voice[max(0, start) :]))[:count]
    offset = -start / SAMPLE_RATE
    spans = [(begin + offset, end + offset) for begin, end in speech.phrases if end + offset > 0.0]
    if rng.random() < _SILENT_SHARE:
        voice, spans = np.zeros(count), []
    background = NOISES[noise](count, rng) * 10.0 ** (-snr_db / 20.0)
    if rng.random() < _LATE_NOISE_SHARE:
        background[: rng.integers(count)] = 0.0
    level = 10.0 ** (rng.uniform(-45.0, -12.0) / 20.0)
    recording = _through_a_microphone(voice + background, rng) * level
    return Scene(np.clip(recording, -1.0, 1.0), spans, noise, snr_db)


def _speaking_level(voice: Array, speech: Speech) -> float:
    """Root mean square while somebody speaks."""
    parts = [voice[round(begin * SAMPLE_RATE) : round(end * SAMPLE_RATE)] for begin, end in speech.phrases]
    return _level(np.concatenate(parts)) if parts else 1.0


def _level(samples: Array) -> float:
    return float(np.sqrt(np.mean(samples**2))) + 1e-12


def _through_a_microphone(samples: Array, rng: Generator) -> Array:
    """Band limits and a tilt of the spectrum."""
    low, high = rng.uniform(20.0, 200.0), rng.uniform(3400.0, 7800.0)
    band = sosfilt(butter(2, (low, high), "bandpass", fs=SAMPLE_RATE, output="sos"), samples)
    return np.asarray(lfilter([1.0, -rng.uniform(-0.4, 0.6)], [1.0], band))


# Noises [count], root mean square 1 (or none).


def _none(count: int, _rng: Generator) -> Array:
    """A gate or a file: between the words nothing at all."""
    return np.zeros(count)


def _white(count: int, rng: Generator) -> Array:
    return rng.standard_normal(count)


def _pink(count: int, rng: Generator) -> Array:
    """Power falls by 3 (pink) to 6 dB an octave (traffic, wind), and swells a little."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    frequency = np.maximum(np.fft.rfftfreq(count, 1.0 / SAMPLE_RATE), 20.0)
    noise = np.fft.irfft(spectrum / frequency ** rng.uniform(0.5, 1.0), count)
    return _normalised(noise * _swell(count, rng, 0.6, 1.4))


def _hum(count: int, rng: Generator) -> Array:
    """Mains hum with its harmonics, or a fan with its blades, over a little hiss."""
    fundamental = rng.choice((50.0, 60.0, rng.uniform(70.0, 180.0)))
    orders = np.arange(1, rng.integers(6, 30))
    weights = rng.uniform(0.1, 1.0, len(orders)) / orders
    partials = _partials(count, fundamental, orders, weights, rng)
    return _normalised(_normalised(partials) + rng.uniform(0.05, 0.5) * rng.standard_normal(count))


def _tones(count: int, rng: Generator) -> Array:
    """Signals of machines: beeps and rings of one or two tones, on and off."""
    period, share = rng.uniform(0.2, 2.0), rng.uniform(0.2, 0.8)
    time = np.arange(count) / SAMPLE_RATE
    pitches = rng.uniform(300.0, 2500.0, 2)
    on = (time / period % 1.0) < share
    alternate = (time / period % 2.0) < 1.0
    first, second = (np.sin(2.0 * np.pi * pitch * time) for pitch in pitches)
    tone = np.where(alternate, first, second)
    return _normalised(np.where(on, tone, 0.0)) + 0.03 * rng.standard_normal(count)


def _music(count: int, rng: Generator) -> Array:
    """Chords and a melody of plucked and of held notes on a scale, with a beat."""
    sound = np.zeros(count)
    beat = rng.uniform(0.25, 0.6)
    scale = 110.0 * 2.0 ** (rng.uniform(0.0, 1.0) + np.array([0, 2, 4, 5, 7, 9, 11, 12, 14, 16, 19]) / 12.0)
    for number in range(int(count / SAMPLE_RATE / beat)):
        start = int(number * beat * SAMPLE_RATE)
        notes = rng.choice(scale, 3) if number % 4 == 0 else rng.choice(scale * 2.0, 1)
        length = min(count - start, int(beat * (4 if len(notes) > 1 else 1) * SAMPLE_RATE))
        time = np.arange(length) / SAMPLE_RATE
        envelope = np.minimum(1.0, time / 0.01) * np.exp(-time * rng.choice((0.5, 5.0)))
        orders = np.arange(1, 9)
        for note in notes:
            sound[start : start + length] += envelope * _partials(
                length, note, orders, 1.0 / orders**1.3, rng
            )
        drum = rng.standard_normal(length) * np.exp(-time * 40.0)
        sound[start : start + length] += rng.uniform(0.0, 1.5) * drum
    return _normalised(sound)


def _babble(count: int, rng: Generator) -> Array:
    """Voices in the distance, too many and too soft to be followed."""
    sound = np.zeros(count)
    for _ in range(_BABBLE_VOICES):
        speech = monologue(random_voice(rng), count / SAMPLE_RATE, rng)
        sound += in_a_room(speech.samples.astype(np.float64), rng) * rng.uniform(0.4, 1.0)
    return _normalised(sound)


def _clicks(count: int, rng: Generator) -> Array:
    """Contacts and drops: single impulses that ring for milliseconds."""
    return _events(count, rng, per_second=rng.uniform(0.5, 6.0), decay_s=(0.0003, 0.004))


def _keyboard(count: int, rng: Generator) -> Array:
    """Typing, knocks, things put on the table."""
    return _events(count, rng, per_second=rng.uniform(1.0, 9.0), decay_s=(0.004, 0.05))


def _events(count: int, rng: Generator, per_second: float, decay_s: tuple[float, float]) -> Array:
    """Bursts of noise of random colour, at random times, over a little hiss."""
    sound = 0.02 * rng.standard_normal(count)
    for start in rng.integers(0, count, max(1, round(per_second * count / SAMPLE_RATE))):
        decay = rng.uniform(*decay_s)
        time = np.arange(min(count - start, int(6.0 * decay * SAMPLE_RATE) + 2)) / SAMPLE_RATE
        burst = lfilter([1.0], [1.0, -rng.uniform(-0.5, 0.95)], rng.standard_normal(len(time)))
        sound[start : start + len(time)] += rng.uniform(0.3, 1.0) * burst * np.exp(-time / decay)
    return _normalised(sound)


def _partials(
    count: int, fundamental: float, orders: NDArray[np.int64], weights: Array, rng: Generator
) -> Array:
    """Sum of sines [count] with random phases."""
    time = np.arange(count) / SAMPLE_RATE
    sound = np.zeros(count)
    for order, weight in zip(orders, weights, strict=True):
        if order * fundamental < SAMPLE_RATE / 2:
            sound += weight * np.sin(2.0 * np.pi * (order * fundamental * time + rng.uniform()))
    return sound


def _swell(count: int, rng: Generator, low: float, high: float) -> Array:
    knots = np.linspace(0, count, max(2, count // SAMPLE_RATE))
    return np.asarray(np.interp(np.arange(count), knots, rng.uniform(low, high, len(knots))))


def _normalised(sound: Array) -> Array:
    return sound / _level(sound)


NOISES: dict[str, Callable[[int, Generator], Array]] = {
    "none": _none,
    "white": _white,
    "pink": _pink,
    "hum": _hum,
    "tones": _tones,
    "music": _music,
    "babble": _babble,
    "clicks": _clicks,
    "keyboard": _keyboard,
}
