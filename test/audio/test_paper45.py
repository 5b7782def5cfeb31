"""The features against a slow reference made of librosa calls, frame by frame."""

import librosa
import numpy as np
import pytest
import scipy.fft

from listener_head.audio import extract_features
from listener_head.audio.paper45 import a_weighting, dct_matrix, mel_filters

RATE = 16000


def reference(samples: np.ndarray) -> np.ndarray:
    """paper45 of a clip at 16 kHz, written from the specification: one frame after the other."""
    count = -(-len(samples) * 30 // RATE)
    padded = np.concatenate((np.zeros(RATE), samples))
    quiet = np.zeros(8 * 512)  # frames before the start, for the differences
    cepstra = [_cepstrum(quiet[:512])] * 8
    rest = []
    for k in range(count):
        end = RATE + round(k * 1e9 / 30) * RATE // 10**9 + 1
        window, latest = padded[end - 512 : end], padded[end - 533 : end]
        cepstra.append(_cepstrum(window))
        energy = np.log(max(np.mean(latest**2), 1e-10))
        crossings = librosa.zero_crossings(latest, pad=False).sum() / len(latest)
        rest.append((energy, crossings, _loudness(window)))
    mfcc = np.array(cepstra)
    delta = _past_slope(mfcc)
    delta_delta = _past_slope(delta)
    return np.hstack((mfcc, delta, delta_delta, np.vstack((np.zeros((8, 3)), rest))))[8:]


def _past_slope(frames: np.ndarray) -> np.ndarray:
    """librosa's slope stands at the middle of its five frames, ours at the last."""
    centred = librosa.feature.delta(frames, width=5, order=1, axis=0)
    return np.vstack((np.zeros((2, centred.shape[1])), centred[:-2]))


def _power(window: np.ndarray) -> np.ndarray:
    spectrum = librosa.stft(
        window, n_fft=512, hop_length=512, center=False, window="hann", dtype=np.complex128
    )
    return np.abs(spectrum[:, 0]) ** 2


def _cepstrum(window: np.ndarray) -> np.ndarray:
    filters = librosa.filters.mel(sr=RATE, n_fft=512, n_mels=26, fmin=50, fmax=7600, dtype=np.float64)
    return scipy.fft.dct(np.log(np.maximum(filters @ _power(window), 1e-10)), norm="ortho")[:14]


def _loudness(window: np.ndarray) -> float:
    frequencies = librosa.fft_frequencies(sr=RATE, n_fft=512)
    frequencies[0] = 1e-3  # librosa warns about the logarithm of zero
    weights = librosa.db_to_power(librosa.A_weighting(frequencies))
    hann = librosa.filters.get_window("hann", 512)
    power = _power(window) * weights / (512 * np.sum(hann**2))
    mean_square = power[0] + 2 * power[1:-1].sum() + power[-1]
    return max(10 * np.log10(max(mean_square, 1e-30)), -80.0)


def speech_like(seconds: float) -> np.ndarray:
    """Harmonics of a gliding voice under a syllable rhythm."""
    time = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * (140 * time + 12 * np.sin(2 * np.pi * 0.7 * time))
    harmonics = np.arange(1, 21)[:, None]
    voice = np.sum(np.sin(harmonics * phase + harmonics**2) / harmonics, axis=0)
    return 0.15 * (0.55 + 0.45 * np.sin(2 * np.pi * 3.1 * time)) * voice


def test_matches_librosa_on_voice_noise_and_silence():
    generator = np.random.default_rng(1)
    samples = np.concatenate(
        (speech_like(1.0), 0.01 * generator.standard_normal(RATE // 2), np.zeros(RATE // 2))
    )
    ours = extract_features(samples, RATE)
    expected = reference(samples)
    assert ours.shape == expected.shape == (60, 45)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, expected, rtol=1e-6, atol=1e-5)


def test_filters_equal_librosa():
    mel = librosa.filters.mel(sr=RATE, n_fft=512, n_mels=26, fmin=50, fmax=7600, dtype=np.float64)
    np.testing.assert_allclose(mel_filters(RATE), mel, rtol=1e-6, atol=1e-12)
    frequencies = librosa.fft_frequencies(sr=RATE, n_fft=512)[1:]
    np.testing.assert_allclose(
        10 * np.log10(a_weighting(frequencies)), librosa.A_weighting(frequencies), atol=1e-6
    )
    np.testing.assert_allclose(
        dct_matrix(14, 26), scipy.fft.dct(np.eye(26), norm="ortho", axis=0)[:14], atol=1e-12
    )


def test_silence_gives_the_floors():
    values = extract_features(np.zeros(RATE, np.int16), RATE)
    expected = np.zeros(45)
    expected[0] = np.sqrt(26) * np.log(1e-10)
    expected[42], expected[44] = np.log(1e-10), -80.0
    np.testing.assert_allclose(values, np.tile(expected, (30, 1)), atol=1e-4)


def test_tone_has_its_energy_crossings_and_loudness():
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    last = extract_features(tone, RATE)[-1]
    assert last[42] == pytest.approx(np.log(0.125), abs=0.01)
    assert last[43] == pytest.approx(2 * 1000 / RATE, abs=0.003)
    assert last[44] == pytest.approx(10 * np.log10(0.125), abs=0.05)


def test_deltas_of_a_rising_level_are_its_slope():
    """Amplitude grows by a constant factor per frame, so the zeroth coefficient rises by a constant."""
    time = np.arange(RATE) / RATE
    noise = np.sin(2 * np.pi * 100 * time * np.arange(1, 75)[:, None]).sum(axis=0)
    values = extract_features(noise * np.exp(3.0 * time) * 1e-3, RATE)[12:]
    np.testing.assert_allclose(values[:, 14], np.sqrt(26) * 2 * 3.0 / 30, atol=0.05)
    np.testing.assert_allclose(values[:, 28], 0.0, atol=0.05)
