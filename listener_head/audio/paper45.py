"""The feature vector ``paper45``: 45 numbers about the sound just heard.

Zhou et al., "Responsive Listening Head Generation" (ECCV 2022) names the features (MFCC with first and
second differences, energy, zero-crossing rate, loudness); here they are causal: a vector depends on the past
only. The order is ``mfcc 14 | delta 14 | delta-delta 14 | energy | zero-crossing rate | loudness``.

- mfcc: power spectrum of the last 512 samples (32 ms at 16 kHz) under a periodic Hann window; 26 bands from
  50 to 7600 Hz on Slaney's mel scale with Slaney's normalisation (equal area; librosa's default), natural
  log with a floor of 1e-10, orthonormal DCT-II, coefficients 0 to 13.
- delta: slope, per frame, of the least-squares line through the last five frames; delta-delta: the same
  of the deltas.
- energy: natural log of the mean square of the last ``1 / fps`` seconds, floor 1e-10.
- zero-crossing rate: sign changes within the same samples, divided by their number; a sample within 1e-10 of
  zero counts as positive (as in librosa), so that rounding is never counted.
- loudness: A-weighted level (IEC 61672) of that power spectrum in dB, floor -80; a full-scale sine of 1 kHz
  has -3 dB.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

WINDOW_SIZE = 512
BAND_COUNT = 26
LOWEST_FREQUENCY = 50.0  # [Hz]
HIGHEST_FREQUENCY = 7600.0  # [Hz]
CEPSTRUM_SIZE = 14
POWER_FLOOR = 1e-10
LOUDNESS_FLOOR_DB = -80.0
_LOUDNESS_FLOOR = 10.0 ** (LOUDNESS_FLOOR_DB / 10.0)
CROSSING_THRESHOLD = 1e-10

# Slope of the least-squares line through five equally spaced values, oldest first.
_SLOPE = np.array([-2.0, -1.0, 0.0, 1.0, 2.0]) / 10.0


class Paper45:
    """State of one stream of feature vectors at ``fps`` frames a second; before it there is silence."""

    name = "paper45"
    size = 3 * CEPSTRUM_SIZE + 3
    sample_rate = 16000
    # The sample at a frame's instant is the last of its window.
    includes_instant = True
    energy = 3 * CEPSTRUM_SIZE
    loudness = energy + 2

    def __init__(self, fps: int) -> None:
        self._hop = round(self.sample_rate / fps)
        self._sound = np.zeros(max(WINDOW_SIZE, self._hop))
        self._window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(WINDOW_SIZE) / WINDOW_SIZE)
        # A-weighting is one more band beside those of the mel scale.
        self._bands = np.vstack((mel_filters(self.sample_rate), self._loudness_filter()))
        self._dct = dct_matrix(CEPSTRUM_SIZE, BAND_COUNT)
        silence = self._dct @ np.full(BAND_COUNT, np.log(POWER_FLOOR))
        self._cepstra = np.tile(silence, (len(_SLOPE), 1))
        self._deltas = np.zeros_like(self._cepstra)

    def step(self, sound: Array) -> Array:
        """One vector [45] from the sound since the vector before [N samples, full scale 1]."""
        self._sound = np.concatenate((self._sound, sound))[-len(self._sound) :]
        spectrum = np.fft.rfft(self._sound[-WINDOW_SIZE:] * self._window)
        powers = self._bands @ (spectrum.real**2 + spectrum.imag**2)
        cepstrum = self._dct @ np.log(np.maximum(powers[:BAND_COUNT], POWER_FLOOR))
        delta = _slope(self._cepstra, cepstrum)
        latest = self._sound[-self._hop :]
        positive = latest >= -CROSSING_THRESHOLD

        values = np.empty(self.size)
        values[:CEPSTRUM_SIZE] = cepstrum
        values[CEPSTRUM_SIZE : 2 * CEPSTRUM_SIZE] = delta
        values[2 * CEPSTRUM_SIZE : self.energy] = _slope(self._deltas, delta)
        values[self.energy] = math.log(max(float(latest @ latest) / self._hop, POWER_FLOOR))
        values[self.energy + 1] = np.count_nonzero(positive[1:] != positive[:-1]) / self._hop
        values[self.loudness] = 10.0 * math.log10(max(float(powers[BAND_COUNT]), _LOUDNESS_FLOOR))
        return values

    def mean_square(self, values: Array) -> float:
        """Mean square of the last 1 / fps seconds, from their vector [45]; at least 1e-10."""
        return math.exp(values[self.energy])

    def _loudness_filter(self) -> Array:
        """Weights of the power spectrum [257] whose sum is the A-weighted mean square of the window."""
        both_sides = np.full(WINDOW_SIZE // 2 + 1, 2.0)
        both_sides[[0, -1]] = 1.0
        scale = both_sides / (WINDOW_SIZE * np.sum(self._window**2))
        return scale * a_weighting(_bin_frequencies(self.sample_rate))


def _slope(history: Array, newest: Array) -> Array:
    """Move the history [5, n] on by one frame and return its slope per frame [n]."""
    history[:-1] = history[1:]
    history[-1] = newest
    return np.asarray(_SLOPE @ history)


def _bin_frequencies(sample_rate: int) -> Array:
    return np.arange(WINDOW_SIZE // 2 + 1) * (sample_rate / WINDOW_SIZE)


def mel_filters(sample_rate: int) -> Array:
    """Triangular bands of equal area [26, 257], evenly spaced on Slaney's mel scale.

    Slaney, Auditory Toolbox (Interval Research, 1998): linear up to 1 kHz, logarithmic above.
    """
    edges = _mel_to_hz(
        np.linspace(_hz_to_mel(LOWEST_FREQUENCY), _hz_to_mel(HIGHEST_FREQUENCY), BAND_COUNT + 2)
    )
    lower, centre, upper = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    frequencies = _bin_frequencies(sample_rate)
    rising = (frequencies - lower) / (centre - lower)
    falling = (upper - frequencies) / (upper - centre)
    return np.asarray(np.maximum(np.minimum(rising, falling), 0.0) * 2.0 / (upper - lower))


_MEL_STEP = 200.0 / 3.0  # [Hz] per mel below the break
_MEL_BREAK = 1000.0  # [Hz]
_MEL_LOG_STEP = np.log(6.4) / 27.0  # above the break 27 mels are a factor of 6.4


def _hz_to_mel(frequency: float) -> float:
    if frequency < _MEL_BREAK:
        return frequency / _MEL_STEP
    return float(_MEL_BREAK / _MEL_STEP + np.log(frequency / _MEL_BREAK) / _MEL_LOG_STEP)


def _mel_to_hz(mel: Array) -> Array:
    above = np.maximum(mel - _MEL_BREAK / _MEL_STEP, 0.0)
    linear = np.minimum(mel * _MEL_STEP, _MEL_BREAK)
    return np.asarray(linear * np.exp(above * _MEL_LOG_STEP))


def a_weighting(frequencies: Array) -> Array:
    """Factor on the power at each frequency [Hz], one at 1 kHz and at least 1e-8 (IEC 61672-1, annex E)."""
    squared = frequencies**2
    gain = (12194.217**2 * squared**2) / (
        (squared + 20.598997**2)
        * np.sqrt((squared + 107.65265**2) * (squared + 737.86223**2))
        * (squared + 12194.217**2)
    )
    return np.asarray(np.maximum((gain * 10.0**0.1) ** 2, 1e-8))


def dct_matrix(coefficients: int, size: int) -> Array:
    """First rows of the orthonormal DCT-II [coefficients, size]."""
    rows = np.arange(coefficients)[:, None]
    matrix = np.sqrt(2.0 / size) * np.cos(np.pi / size * rows * (np.arange(size) + 0.5))
    matrix[0] /= np.sqrt(2.0)
    return np.asarray(matrix)
