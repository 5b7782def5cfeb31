"""What tells a voice from other sound: cues of every frame, from the last 46 ms and from what was before.

All cues are ratios, so that neither the level nor the sample rate matters; sound below 100 Hz and above 4 kHz
does not count.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CUES = (
    "band_excess",  # mean over the bands of their level above their noise floor [10 dB]
    "greatest_excess",  # the greatest of these [10 dB]
    "level_excess",  # the whole level above its noise floor [10 dB]
    "flux",  # mean change of the bands' levels since the frame before [10 dB]
    "periodicity",  # greatest autocorrelation at the periods of a voice, 0 to 1
    "period",  # where it is, in octaves against 10 ms
    "flatness",  # geometric over arithmetic mean of the spectrum, natural log
    "low_share",  # level below 300 Hz against the whole [10 dB]
    "high_share",  # level above 1.8 kHz against the whole [10 dB]
)
# Every cue now, its mean over short and over long, and its deviation over long.
SIZE = 4 * len(CUES)

_WINDOW_TIME = 0.046  # [s]
_BAND_EDGES = (100, 200, 300, 400, 520, 660, 840, 1080, 1400, 1800, 2300, 3000, 4000)  # [Hz]
_BANDS = len(_BAND_EDGES) - 1
# All bands, those below 300 Hz, those above 1.8 kHz.
_SUMS = np.array([[1.0] * 12, [1.0] * 2 + [0.0] * 10, [0.0] * 9 + [1.0] * 3])
_MEAN_BAND = np.append(np.full(_BANDS, 1.0 / _BANDS), 0.0)
# Periods of a voice, 400 to 75 Hz [s].
_PERIODS = np.arange(20, 107) / 8000.0
_OCTAVES = np.log2(_PERIODS * 100.0)
# The noise floor is the lowest smoothed level of this time [s]: longer than a phrase between two breaths.
_FLOOR_TIME = 3.0
_SMOOTHING = 0.5  # weight of the newest level
# Power of a band that counts as a noise floor at least (-80 dB of full scale), and the most that it is taken
# to be until the first seconds are heard.
_QUIETEST, _INITIAL_FLOOR = 1e-8, 1e-6
_GREATEST_EXCESS = 4.0  # [10 dB]
_SHORT_TIME, _LONG_TIME = 0.2, 0.6  # [s]


class VoiceCues:
    """State of one stream at ``fps`` frames a second; before it there is silence.

    On vectors this short the form of a call decides its time: ``dot`` takes half of what ``@`` does.
    """

    def __init__(self, sample_rate: int, fps: int) -> None:
        size = round(_WINDOW_TIME * sample_rate)
        self._fft_size = 1 << (size - 1).bit_length()
        window = np.hanning(size + 2)[1:-1]
        # So scaled that the squares of the upper half of the spectrum add up to the mean square.
        self._window = window * math.sqrt(2.0 / (self._fft_size * np.sum(window**2)))
        self._sound = np.zeros(size)
        width = sample_rate / self._fft_size  # of a bin [Hz]
        edges = np.round(np.array(_BAND_EDGES) / width).astype(int)
        self._bins = slice(edges[0], edges[-1])
        self._starts = edges[:-1] - edges[0]
        frequencies = np.arange(edges[0], edges[-1]) * width
        # Autocorrelation from the powers, without the window's own (Boersma, 1993).
        cosines = np.cos(2.0 * np.pi * _PERIODS[:, None] * frequencies)
        self._correlate = cosines / _own_correlation(window, _PERIODS * sample_rate)[:, None]
        self._mean_bin = np.full(len(frequencies), 1.0 / len(frequencies))
        self._least_power = 1e-3 * _QUIETEST / len(frequencies)
        # Levels of the bands and, last, of the whole.
        ones = np.append(np.ones(_BANDS), _BANDS)
        self._levels = np.log10(_QUIETEST * ones)
        self._smooth = self._levels.copy()
        self._past = np.tile(np.log10(_INITIAL_FLOOR * ones)[:, None], max(1, round(_FLOOR_TIME * fps)))
        self._next = 0
        self._weights = 1.0 / (fps * np.array([[_SHORT_TIME], [_LONG_TIME]]))
        self._means = np.zeros((2, len(CUES)))  # over short and over long
        self._variance = np.zeros(len(CUES))

    def step(self, sound: Array) -> Array:
        """Cues [36] of a frame from the sound since the frame before [N samples, full scale 1]."""
        self._sound = np.concatenate((self._sound, sound))[-len(self._sound) :]
        spectrum = np.fft.rfft(self._sound * self._window, self._fft_size)[self._bins]
        powers = spectrum.real**2 + spectrum.imag**2
        bands = np.add.reduceat(powers, self._starts) + _QUIETEST
        total, low, high = _SUMS.dot(bands).tolist()
        correlation = self._correlate.dot(powers)
        best = int(correlation.argmax())
        mean_logarithm = float(self._mean_bin.dot(np.log(powers + self._least_power)))
        now = np.empty(len(CUES))
        now[:4] = self._compare_levels(bands, total)
        now[4] = correlation[best] / total
        now[5] = _OCTAVES[best]
        now[6] = mean_logarithm - math.log(total / len(powers))
        now[7] = math.log10(low / total)
        now[8] = math.log10(high / total)
        return self._with_history(now)

    def _compare_levels(self, bands: Array, total: float) -> tuple[float, float, float, float]:
        """The first four cues, from the powers of the bands and of the whole."""
        levels = np.empty(_BANDS + 1)
        np.log10(bands, out=levels[:-1])
        levels[-1] = math.log10(total)
        flux = float(np.abs(levels - self._levels).dot(_MEAN_BAND))
        self._levels = levels
        self._smooth += _SMOOTHING * (levels - self._smooth)
        self._past[:, self._next] = self._smooth
        self._next = (self._next + 1) % self._past.shape[1]
        excess = np.minimum(np.maximum(levels - np.minimum.reduce(self._past, axis=1), 0.0), _GREATEST_EXCESS)
        *of_bands, of_whole = excess.tolist()
        return sum(of_bands) / _BANDS, max(of_bands), of_whole, flux

    def _with_history(self, now: Array) -> Array:
        difference = now - self._means
        self._means += self._weights * difference
        self._variance += self._weights[1] * (difference[1] ** 2 - self._variance)
        return np.concatenate((now, self._means[0], self._means[1], np.sqrt(self._variance)))


def _own_correlation(window: Array, lags: Array) -> Array:
    """Autocorrelation of the window at lags in samples, against lag 0."""
    correlation = np.fft.irfft(np.abs(np.fft.rfft(window, 2 * len(window))) ** 2)
    return np.asarray(np.interp(lags, np.arange(len(correlation)), correlation / correlation[0]))
