"""The baseline's features: against its own output, against Kaldi and librosa, and on the stream's grid."""

import librosa
import numpy as np
import pytest
import scipy.fft
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.audio import FeatureStream, extract_features
from listener_head.errors import UserError

RATE, WINDOW = 44100, 1470


def voice(seconds, rate=RATE, shift=0.0):
    """A gliding buzz under a syllable rhythm over a little hiss that is the same at every rate."""
    time = np.arange(round(seconds * rate)) / rate - shift
    phase = 2 * np.pi * (140 * time + 12 * np.sin(2 * np.pi * 0.7 * time))
    partials = np.arange(1, 20)[:, None]
    sound = np.sum(np.sin(partials * phase + partials**2) / np.sqrt(partials), axis=0)
    return np.where(time >= 0, 0.06 * (1.1 + np.sin(2 * np.pi * 3.1 * time)) * sound, 0.0)


def kaldi_mfcc(window):
    """Kaldi's MFCC of the first 25 ms, written from its definition step by step."""
    frame = window[:1102] - np.mean(window[:1102])
    log_energy = max(np.log(np.sum(frame**2)), 0.0)
    frame = frame - 0.97 * np.concatenate((frame[:1], frame[:-1]))
    frame = frame * np.hanning(1102) ** 0.85
    power = np.abs(np.fft.rfft(frame, 2048)) ** 2
    mel = 1127 * np.log(1 + np.fft.rfftfreq(2048, 1 / RATE) / 700)
    edges = np.linspace(1127 * np.log(1 + 20 / 700), 1127 * np.log(1 + RATE / 2 / 700), 25)
    triangles = [np.interp(mel, edges[i : i + 3], [0, 1, 0]) for i in range(23)]
    bands = np.array([triangle[:-1] @ power[:-1] for triangle in triangles])
    cepstrum = scipy.fft.dct(np.log(np.maximum(bands, np.finfo(np.float32).eps)), norm="ortho")[:13]
    cepstrum *= 1 + 11 * np.sin(np.pi * np.arange(13) / 22)
    return np.concatenate(([log_energy], cepstrum[1:]))


def reference(window):
    """The 45 numbers of one window with librosa's own calls."""
    rms = librosa.feature.rms(y=window)[0]
    crossings = librosa.feature.zero_crossing_rate(window)[0]
    return np.concatenate((kaldi_mfcc(window), np.zeros(26), rms, crossings))


def test_equals_the_published_baseline(real_clips):
    path = real_clips.parent / "golden" / "vico_baseline_audio_features.npz"
    if not path.is_file():
        pytest.skip("the output of the published baseline is not on this machine (LISTENER_HEAD_SHARED)")
    golden = np.load(path)
    ours = extract_features(golden["audio"], int(golden["sample_rate"]), layout="vico45")
    assert ours.shape == (60, 45)
    np.testing.assert_allclose(ours, golden["features"], rtol=0, atol=1e-3)


def test_mfcc_equals_kaldi():
    """Numbers of kaldi-native-fbank 1.23, Kaldi's own code, without dither."""
    n = np.arange(WINDOW)
    sweep = 0.3 * np.sin(2 * np.pi * (300 * n / RATE + 27000 * (n / RATE) ** 2))
    samples = sweep + 0.1 * np.sin(0.9 * n + 2.0) + 0.05 * ((n * 7919) % 101 / 50 - 1) + 0.02
    expected = [4.0295, -21.2057, 9.0896, -18.1635, -70.1132, -72.5123, 19.3000, -27.0707]
    expected += [6.4831, 11.7941, -16.8268, -35.7121, 14.8982]
    ours = extract_features(samples.astype(np.float32), RATE, layout="vico45")
    np.testing.assert_allclose(ours[0, :13], expected, rtol=0, atol=2e-4)


@pytest.mark.parametrize("offset", [0.0, 0.3])
def test_equals_kaldi_and_librosa_window_by_window(offset):
    noise = np.random.default_rng(0).standard_normal(10 * WINDOW)
    samples = np.concatenate((voice(1.0), 0.2 * noise, 1e-4 * noise)) + offset
    ours = extract_features(samples, RATE, layout="vico45")
    expected = np.array([reference(window) for window in samples.reshape(-1, WINDOW)])
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-4)


def test_silence_has_no_energy_and_no_crossings():
    values = extract_features(np.zeros(3 * WINDOW), RATE, layout="vico45")
    np.testing.assert_allclose(values, 0.0, atol=1e-4)


@given(count=st.integers(0, 8 * WINDOW))
@settings(deadline=None, max_examples=30)
def test_a_clip_has_a_row_for_every_whole_window(count):
    values = extract_features(voice(0.3)[:count], RATE, layout="vico45")
    assert values.shape == (count // WINDOW, 45)


def test_row_i_of_a_clip_is_grid_frame_i_plus_one():
    frames = FeatureStream(RATE, "vico45").push_frames(voice(0.5))
    assert frames.first_index == 1
    assert len(frames) == 15


@given(start_ns=st.integers(0, 2 * 10**18))
@settings(deadline=None, max_examples=40)
def test_live_the_window_is_the_1470_samples_before_the_instant(start_ns):
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, 6 * WINDOW)
    frames = FeatureStream(RATE, "vico45", start_ns=start_ns).push_frames(samples)
    assert 5 <= len(frames) <= 6
    for row in range(1, len(frames)):
        # Exact: sample n stands at start_ns + n * 1e9 / 44100, the instant at index * 1e9 / 30.
        ahead = (frames.first_index + row) * 10**9 - start_ns * 30
        end = -(-ahead * RATE // (30 * 10**9))
        expected = reference(samples[end - WINDOW : end])
        np.testing.assert_allclose(frames.values[row], expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 32000, 48000, 96000])
def test_other_rates_hear_the_same_with_the_declared_delay(rate):
    delay = FeatureStream(rate, "vico45").delay
    ours = extract_features(voice(1.0, rate), rate, layout="vico45")
    expected = extract_features(voice(1.0, RATE, shift=delay), RATE, layout="vico45")
    assert 0 < delay <= 0.01
    assert len(ours) == len(expected) == 30
    np.testing.assert_allclose(ours[2:, 39:42], expected[2:, 39:42], rtol=0.02)
    np.testing.assert_allclose(ours[2:, 42:], expected[2:, 42:], atol=0.002)


def test_no_resampling_at_44100():
    assert FeatureStream(RATE, "vico45").delay == 0.0


@pytest.mark.parametrize("fps", [25, 60])
def test_another_frame_rate_is_refused(fps):
    with pytest.raises(UserError, match=f"fps is {fps}.*30"):
        FeatureStream(RATE, "vico45", fps=fps)
