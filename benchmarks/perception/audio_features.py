"""Time of one frame of audio features.

- ``audio_features``: paper45, live: a stereo 48 kHz microphone in chunks of 10 ms, voice activity included.
  The reference makes the same features of the same frames, without voice activity, with librosa's calls: each
  of its frames reads the last 0.4 s (twelve frames), which is what the second differences need.
- ``audio_features_vico45``: vico45 of a clip at 44.1 kHz, window by window. The reference does as the
  published baseline does: an MFCC call with its two deltas, then librosa's rms and zero_crossing_rate. The
  baseline calls torchaudio's Kaldi MFCC; librosa's with the same frame, bands, size and lifter stands for it.
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

NAMES = ("audio_features", "audio_features_vico45")  # of the figures that `run` gives

FPS = 30
SECONDS = 5
# Of paper45.
RATE, TARGET_RATE = 48000, 16000
CHUNK = RATE // 100
CONTEXT = 0.4  # [s] nine frames for two differences over five, their windows and the resampler's reach
# Of vico45.
CLIP_RATE = 44100
WINDOW = CLIP_RATE // FPS

Samples = NDArray[np.int16]


def run() -> dict[str, dict[str, Any]]:
    """Medians per frame, a second of ours and a second of the reference in turn on the same sound."""
    return {"audio_features": _run_paper45(), "audio_features_vico45": _run_vico45()}


def _run_paper45() -> dict[str, Any]:
    context = round(CONTEXT * RATE)
    samples = _noise((context + SECONDS * RATE, 2))
    ours = _times_of_ours(samples)
    ends = range(context, len(samples), RATE // FPS)
    weights = librosa.db_to_power(librosa.A_weighting(librosa.fft_frequencies(sr=TARGET_RATE, n_fft=512)[1:]))
    _paper45(samples[:context], weights)  # librosa imports its parts when first used
    ours_ms: list[float] = []
    reference_ms: list[float] = []
    for first in range(0, SECONDS * FPS, FPS):
        ours_ms.extend(islice(ours, FPS))
        for end in ends[first : first + FPS]:
            begin = time.perf_counter()
            _paper45(samples[end - context : end], weights)
            reference_ms.append((time.perf_counter() - begin) * 1e3)
    return _figures(ours_ms, reference_ms, "the same features of each frame")


def _run_vico45() -> dict[str, Any]:
    clip = _noise((SECONDS * CLIP_RATE,)) / 32768.0
    stream = FeatureStream(CLIP_RATE, "vico45", detect_voice=False)  # as the reference
    _vico45(clip[:WINDOW])
    ours_ms: list[float] = []
    reference_ms: list[float] = []
    for start in range(0, len(clip), CLIP_RATE):
        windows = [clip[place : place + WINDOW] for place in range(start, start + CLIP_RATE, WINDOW)]
        for make, spent_ms in ((stream.push, ours_ms), (_vico45, reference_ms)):
            for window in windows:
                begin = time.perf_counter()
                make(window)
                spent_ms.append((time.perf_counter() - begin) * 1e3)
    return _figures(ours_ms, reference_ms, "mfcc, delta, rms and zero_crossing_rate of each window")


def _figures(ours_ms: list[float], reference_ms: list[float], what: str) -> dict[str, Any]:
    return {
        "ours_ms": median(ours_ms),
        "reference_ms": median(reference_ms),
        "ratio": median(reference_ms) / median(ours_ms),
        "reference": f"librosa {version('librosa')}, {what}",
        "n": len(ours_ms),
    }


def _noise(shape: tuple[int, ...]) -> Samples:
    sound = np.random.default_rng(0).normal(0.0, 0.1, shape)
    return (sound * 32767).clip(-32768, 32767).astype(np.int16)


def _times_of_ours(samples: Samples) -> Iterator[float]:
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


def _paper45(samples: Samples, weights: NDArray[np.float64]) -> NDArray[np.float64]:
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


def _vico45(window: NDArray[np.float64]) -> NDArray[np.float64]:
    """The 45 numbers of one window of a clip."""
    cepstrum = librosa.feature.mfcc(
        y=librosa.effects.preemphasis(window),
        sr=CLIP_RATE,
        n_mfcc=13,
        n_fft=1102,
        hop_length=441,
        center=False,
        n_mels=23,
        fmin=20,
        htk=True,
        lifter=22,
    )
    delta = librosa.feature.delta(cepstrum, width=5, mode="nearest")
    delta_delta = librosa.feature.delta(delta, width=5, mode="nearest")
    rms = librosa.feature.rms(y=window)
    crossings = librosa.feature.zero_crossing_rate(window)
    return np.hstack([part.ravel() for part in (cepstrum, delta, delta_delta, rms, crossings)])


if __name__ == "__main__":
    print(run())
