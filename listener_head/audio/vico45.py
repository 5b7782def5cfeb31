"""The feature vector ``vico45``: 45 numbers as the published ViCo baseline makes them, for its checkpoints.

The baseline (github.com/dc3ea9f/vico_challenge_baseline, preprocess/extract.py) cuts a clip at 44.1 kHz into
windows of 1470 samples, one per video frame, and calls Kaldi's MFCC and librosa on each. The order is
``mfcc 13 | delta 13 | delta-delta 13 | rms 3 | zero-crossing rate 3``.

- mfcc: of the window's first 25 ms (1102 samples; a second frame 10 ms later does not fit) as in Kaldi's
  compute-mfcc-feats without dither: mean removed, pre-emphasis 0.97, Povey window, power spectrum of 2048
  points, 23 triangles on the mel scale ``1127 ln(1 + f / 700)`` from 20 Hz to 22.05 kHz, natural log with the
  float32 epsilon as floor, orthonormal DCT-II, lifter 22. The zeroth is the natural log of the sum of squares
  after the mean is removed, at least 0. Full scale is 1, not 32768.
- delta, delta-delta: differences over frames of the same window; it has one frame, so they are zero.
- rms, zero-crossing rate: librosa's frames of 2048 samples every 512, centred, zeros (rms) or the last value
  (crossings) beyond the window: the first sees 1024 samples of it, the second and third the whole window.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from listener_head.audio.paper45 import CROSSING_THRESHOLD, dct_matrix
from listener_head.errors import UserError

Array = NDArray[np.float64]

WINDOW_SIZE = 1470
CEPSTRUM_SIZE = 13
_FPS = 30
_KALDI_FRAME = 1102  # 25 ms, cut to whole samples
_FFT_SIZE = 2048
_PRE_EMPHASIS = 0.97
_POVEY_EXPONENT = 0.85
_BAND_COUNT = 23
_LOWEST_FREQUENCY = 20.0  # [Hz]
_LIFTER = 22.0
_POWER_FLOOR = float(np.finfo(np.float32).eps)
_LIBROSA_FRAME = 2048
_LIBROSA_REACH = 1024  # samples of the window in librosa's first frame


class Vico45:
    """State of one stream of feature vectors; before it there is silence.

    Raises:
        UserError: ``fps`` is not 30; at another rate the baseline's vector has another length.
    """

    name = "vico45"
    size = 3 * CEPSTRUM_SIZE + 6
    sample_rate = 44100
    # Windows tile the clip: the sample at a frame's instant is the first of the next frame's window.
    includes_instant = False

    def __init__(self, fps: int) -> None:
        if fps != _FPS:
            raise UserError(f"fps is {fps}: vico45 is defined at {_FPS} frames a second only; use paper45")
        self._sound = np.zeros(WINDOW_SIZE)
        place = np.arange(_KALDI_FRAME) / (_KALDI_FRAME - 1)
        self._window = (0.5 - 0.5 * np.cos(2.0 * np.pi * place)) ** _POVEY_EXPONENT
        starts, self._rising = mel_slopes(self.sample_rate)
        self._lowest_bin, self._starts = starts[0], starts - starts[0]
        self._emphasised = np.empty(_KALDI_FRAME)
        lifter = 1.0 + 0.5 * _LIFTER * np.sin(np.pi * np.arange(CEPSTRUM_SIZE) / _LIFTER)
        self._dct = lifter[:, None] * dct_matrix(CEPSTRUM_SIZE, _BAND_COUNT)

    def step(self, sound: Array) -> Array:
        """One vector [45] from the sound since the vector before [N samples, full scale 1]."""
        if len(sound) < WINDOW_SIZE:
            sound = np.concatenate((self._sound, sound))
        self._sound = sound[-WINDOW_SIZE:]
        values = np.zeros(self.size)
        values[:CEPSTRUM_SIZE] = self._cepstrum(self._sound[:_KALDI_FRAME])
        first, rest = self._sound[:_LIBROSA_REACH], self._sound[_LIBROSA_REACH:]
        first_power = float(first.dot(first))
        values[-6] = math.sqrt(first_power / _LIBROSA_FRAME)
        values[-5:-3] = math.sqrt((first_power + float(rest.dot(rest))) / _LIBROSA_FRAME)
        positive = self._sound >= -CROSSING_THRESHOLD
        crossed = positive[1:] != positive[:-1]
        values[-3] = np.count_nonzero(crossed[: _LIBROSA_REACH - 1]) / _LIBROSA_FRAME
        values[-2:] = np.count_nonzero(crossed) / _LIBROSA_FRAME
        return values

    def mean_square(self, values: Array) -> float:
        """Mean square of the last 1 / fps seconds, from their vector [45]."""
        return float(values[-4]) ** 2 * (_LIBROSA_FRAME / WINDOW_SIZE)

    def _cepstrum(self, frame: Array) -> Array:
        """Kaldi's MFCC [13] of one frame [1102]."""
        mean = float(np.add.reduce(frame)) / _KALDI_FRAME
        energy = float(frame.dot(frame)) - _KALDI_FRAME * mean**2
        # Pre-emphasis leaves 0.03 of the mean; the sample before the first is taken to be like it.
        emphasised = self._emphasised
        np.multiply(frame[:-1], -_PRE_EMPHASIS, out=emphasised[1:])
        emphasised[0] = -_PRE_EMPHASIS * frame[0]
        emphasised += frame
        emphasised -= (1.0 - _PRE_EMPHASIS) * mean
        emphasised *= self._window
        spectrum = np.fft.rfft(emphasised, _FFT_SIZE)[self._lowest_bin : -1]
        powers = (spectrum * spectrum.conj()).real
        rising = np.add.reduceat(powers * self._rising, self._starts)
        falling = np.add.reduceat(powers, self._starts) - rising
        cepstrum = self._dct.dot(np.log(np.maximum(rising[:-1] + falling[1:], _POWER_FLOOR)))
        cepstrum[0] = math.log(max(energy, 1.0))
        return np.asarray(cepstrum)


def mel_slopes(sample_rate: int) -> tuple[NDArray[np.int64], Array]:
    """Kaldi's triangular bands: of height one, straight and evenly spaced on its mel scale.

    They overlap by half, so that between the 25 edges of the 23 bands each bin of the spectrum lies on the
    rising side of one, with the weight w, and on the falling side of the one before, with 1 - w. Returned are
    the first bin after each of the 24 lower edges, and w of the bins from the first of them to the Nyquist
    frequency, which no band counts.
    """
    lowest, highest = _hz_to_mel(np.array([_LOWEST_FREQUENCY, sample_rate / 2.0]))
    mel = _hz_to_mel(np.arange(_FFT_SIZE // 2) * (sample_rate / _FFT_SIZE))
    place = (mel - lowest) / (highest - lowest) * (_BAND_COUNT + 1)
    starts = np.searchsorted(place, np.arange(_BAND_COUNT + 1))
    return starts, place[starts[0] :] % 1.0


def _hz_to_mel(frequency: Array) -> Array:
    return np.asarray(1127.0 * np.log1p(frequency / 700.0))
