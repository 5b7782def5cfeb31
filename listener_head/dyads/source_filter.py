"""A voice of our own: a glottal source and hiss shaped by formants, for where espeak-ng is absent.

Plain and robotic, but with real pitch, stress, formants and timing, which is what a listener hears.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from listener_head.dyads.phonemes import sound_of
from listener_head.dyads.speech import SAMPLE_RATE, Phoneme, Speech

FloatArray = NDArray[np.float32]

_HOP = 80  # 5 ms
_WINDOW = 320
_BANDWIDTHS = (70.0, 100.0, 150.0)

# Spelling to sounds, longest first: crude for any language, but regular.
_SPELLING = (
    ("tion", "ʃən"), ("igh", "aɪ"), ("th", "θ"), ("sh", "ʃ"), ("ch", "tʃ"), ("ph", "f"), ("wh", "w"),
    ("ck", "k"), ("ng", "ŋ"), ("qu", "kw"), ("ee", "i"), ("ea", "i"), ("oo", "u"), ("ou", "aʊ"),
    ("ow", "oʊ"), ("ai", "eɪ"), ("ay", "eɪ"), ("oy", "ɔɪ"), ("er", "ə"), ("a", "æ"), ("b", "b"), ("c", "k"),
    ("d", "d"), ("e", "ɛ"), ("f", "f"), ("g", "g"), ("h", "h"), ("i", "ɪ"), ("j", "ʒ"), ("k", "k"),
    ("l", "l"), ("m", "m"), ("n", "n"), ("o", "ɒ"), ("p", "p"), ("r", "ɹ"), ("s", "s"), ("t", "t"),
    ("u", "ʌ"), ("v", "v"), ("w", "w"), ("x", "ks"), ("y", "i"), ("z", "z"),
)  # fmt: skip
# Words that carry no stress.
_LIGHT = {"the", "a", "an", "of", "to", "and", "in", "on", "is", "it", "was", "that", "my", "we", "as", "at"}


@dataclass(frozen=True)
class SourceFilterVoice:
    """A voice by its mean pitch, its size (formants scale with it), its speed and its own ``seed``."""

    pitch_hz: float = 120.0
    formant_scale: float = 1.0
    speed: float = 1.0
    seed: int = 0

    def say(self, text: str) -> Speech:
        """Speak one phrase; the same text always sounds the same."""
        rng = np.random.default_rng([self.seed, *text.encode()])
        phonemes = self._time(_sounds(text), rng)
        duration = phonemes[-1].end if phonemes else 0.0
        return Speech(self._synthesise(phonemes, duration, rng), phonemes)

    def _time(self, sounds: list[tuple[str, bool]], rng: np.random.Generator) -> tuple[Phoneme, ...]:
        phonemes, now = [], 0.0
        for position, (symbol, stressed) in enumerate(sounds):
            stretch = (1.35 if stressed else 0.9) * (1.4 if position >= len(sounds) - 2 else 1.0)
            length = sound_of(symbol).duration * stretch * rng.uniform(0.85, 1.15) / self.speed
            phonemes.append(Phoneme(symbol, now, now + length, stressed))
            now += length
        return tuple(phonemes)

    def _synthesise(
        self, phonemes: tuple[Phoneme, ...], duration: float, rng: np.random.Generator
    ) -> FloatArray:
        count = round(duration * SAMPLE_RATE)
        if count == 0:
            return np.zeros(0, np.float32)
        times = np.arange(count) / SAMPLE_RATE
        centres = np.array([(p.start + p.end) / 2 for p in phonemes])
        stress = np.interp(times, centres, [1.0 if p.stressed else 0.0 for p in phonemes])
        # Pitch falls over the phrase and rises on stressed syllables.
        pitch = self.pitch_hz * (1.12 - 0.25 * times / duration + 0.18 * stress)
        # One spike where each period begins; glottis and lips together make it fall 6 dB an octave.
        spikes = np.diff(np.floor(np.cumsum(pitch / SAMPLE_RATE)), prepend=0.0)
        source = lfilter([1.0, -1.0], [1.0, -0.92 - 0.97, 0.92 * 0.97], spikes) * (0.6 + 0.5 * stress)
        voiced = self._shape(source, phonemes, voiced=True)
        hissed = self._shape(0.3 * rng.standard_normal(count), phonemes, voiced=False)
        mixed = voiced + hissed
        return (0.25 * mixed / (np.abs(mixed).max() + 1e-9)).astype(np.float32)

    def _shape(self, source: NDArray[np.float64], phonemes: tuple[Phoneme, ...], voiced: bool) -> FloatArray:
        """Filter the source frame by frame in the frequency domain: overlap-add of Hann windows."""
        padded = np.pad(source, (_WINDOW, _WINDOW))
        starts = np.arange(0, len(padded) - _WINDOW, _HOP)
        centres = (starts + _WINDOW / 2 - _WINDOW) / SAMPLE_RATE
        window = np.hanning(_WINDOW + 1)[:-1]
        frames = np.stack([padded[s : s + _WINDOW] * window for s in starts])
        response = self._response(centres, phonemes, voiced)
        shaped = np.fft.irfft(np.fft.rfft(frames, axis=1) * response, _WINDOW, axis=1)
        output = np.zeros(len(padded))
        for start, frame in zip(starts, shaped, strict=True):
            output[start : start + _WINDOW] += frame
        return (output[_WINDOW:-_WINDOW] * (2 * _HOP / _WINDOW)).astype(np.float32)

    def _response(
        self, times: NDArray[np.float64], phonemes: tuple[Phoneme, ...], voiced: bool
    ) -> NDArray[np.float64]:
        """Gain [frames, bins]; each sound is steady in its middle half and glides to the next."""
        sounds = [sound for p in phonemes for sound in (sound_of(p.symbol),) * 2]
        centres = [
            time for p in phonemes for time in (0.75 * p.start + 0.25 * p.end, 0.25 * p.start + 0.75 * p.end)
        ]
        frequency = np.fft.rfftfreq(_WINDOW, 1 / SAMPLE_RATE)[None, :]
        if not voiced:
            place = np.interp(times, centres, [s.hiss_hz for s in sounds])[:, None]
            gain = np.interp(times, centres, [s.hiss for s in sounds])[:, None]
            return np.asarray(gain * np.exp(-0.5 * ((frequency - place) / (0.25 * place)) ** 2))
        gain = np.interp(times, centres, [s.voice for s in sounds])[:, None]
        total = np.zeros((len(times), frequency.shape[1]))
        for number, (bandwidth, weight) in enumerate(zip(_BANDWIDTHS, (1.0, 0.6, 0.3), strict=True)):
            place = (
                self.formant_scale * np.interp(times, centres, [s.formants[number] for s in sounds])[:, None]
            )
            total += weight / np.sqrt(1 + ((frequency - place) / bandwidth) ** 2)
        return np.asarray(gain * (total + 0.02))


def _sounds(text: str) -> list[tuple[str, bool]]:
    """Sounds of a text with their stress: the first vowel of every word that is not a light one."""
    sounds: list[tuple[str, bool]] = []
    for word in text.lower().split():
        letters = "".join(letter for letter in word if letter.isalpha())
        free = letters not in _LIGHT
        while letters:
            match = next(((s, i) for s, i in _SPELLING if letters.startswith(s)), (letters[0], "ə"))
            for symbol in match[1]:
                stressed = free and sound_of(symbol).is_vowel
                free = free and not stressed
                sounds.append((symbol, stressed))
            letters = letters[len(match[0]) :]
    return sounds
