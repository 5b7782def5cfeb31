"""Time of one frame of audio features, live: a stereo 48 kHz microphone in chunks of 10 ms.

The reference makes the same features of the same frames with librosa's calls: each of its frames reads the
last 0.4 s (twelve frames), which is what the second differences need.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from importlib.metadata import version
from itertools import islice
from statistics import median
from typing import Any

import librosa
import numpy as np
from numpy.typing import NDArray

from listener_head.audio import FeatureStream

NAMES = ("audio_features",)  # of the figures that `run` gives

RATE = 48000
TARGET_RATE = 16000
FPS = 30
FRAMES = 150
CHUNK = RATE // 100
# Nine frames for two differences over five, their windows and the resampler's reach.
CONTEXT = 0.4  # [s]


def run() -> dict[str, dict[str, Any]]:
    """Medians per frame, a second of ours and a second of the reference in turn on the same sound."""
    context = round(CONTEXT * RATE)
    sound = np.random.default_rng(0).normal(0.0, 0.1, (context + FRAMES * RATE // FPS, 2))
    samples = (sound * 32767).clip(-32768, 32767).astype(np.int16)
    ours = _times_of_ours(samples)
    ends = range(context, len(samples), RATE // FPS)
    weights = librosa.db_to_power(librosa.A_weighting(librosa.fft_frequencies(sr=TARGET_RATE, n_fft=512)[1:]))
    _reference(samples[:context], weights)  # librosa imports its parts when first used
    ours_ms: list[float] = []
    reference_ms: list[float] = []
    for first in range(0, FRAMES, FPS):
        ours_ms.extend(islice(ours, FPS))
        for end in ends[first : first + FPS]:
            begin = time.perf_counter()
            _reference(samples[end - context : end], weights)
            reference_ms.append((time.perf_counter() - begin) * 1e3)
    result = {
        "ours_ms": median(ours_ms),
        "reference_ms": median(reference_ms),
        "ratio": median(reference_ms) / median(ours_ms),
        "reference": f"librosa {version('librosa')}, the same features of each frame",
        "n": len(ours_ms),
    }
    return {"audio_features": result}


def _times_of_ours(samples: NDArray[np.int16]) -> Iterator[float]:
    """Milliseconds spent on each frame: on all chunks since the frame before."""
    stream = FeatureStream(RATE, fps=FPS)
    spent = 0.0
    for position in range(0, len(samples), CHUNK):
        begin = time.perf_counter()
        frames = stream.push_frames(samples[position : position + CHUNK])
        spent += (time.perf_counter() - begin) * 1e3
        if len(frames):
            yield spent
            spent = 0.0


def _reference(samples: NDArray[np.int16], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The 45 numbers of the last frame of this stretch of sound."""
    mono = librosa.to_mono(samples.T / 32768.0)
    sound = librosa.resample(mono, orig_sr=RATE, target_sr=TARGET_RATE)
    hop = TARGET_RATE / FPS
    ends = [len(sound) - round(back * hop) for back in range(8, -1, -1)]
    windows = np.concatenate([sound[end - 512 : end] for end in ends])
    power = np.abs(librosa.stft(windows, n_fft=512, hop_length=512, center=False)) ** 2
    mel = librosa.feature.melspectrogram(S=power, sr=TARGET_RATE, n_mels=26, fmin=50, fmax=7600)
    cepstra = librosa.feature.mfcc(S=np.log(np.maximum(mel, 1e-10)), n_mfcc=14)
    delta = librosa.feature.delta(cepstra, width=5)
    delta_delta = librosa.feature.delta(cepstra, width=5, order=2)
    latest = sound[-round(hop) :]
    energy = np.log(np.mean(latest**2) + 1e-10)
    crossings = librosa.zero_crossings(latest, pad=False).mean()
    loudness = librosa.power_to_db(np.sum(power[1:, -1] * weights))
    return np.hstack((cepstra[:, -1], delta[:, -1], delta_delta[:, -1], energy, crossings, loudness))


if __name__ == "__main__":
    print(run())
