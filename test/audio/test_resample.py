"""The resampler alone: what it lets through, what it keeps out, when, and that chunks do not matter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.audio.resample import Resampler

RATES = [8000, 11025, 12000, 22050, 24000, 32000, 44099, 44100, 48000, 88200, 96000]
OUTPUT_RATE = 16000


def tone(frequency: float, rate: int, count: int, delay: float = 0.0) -> np.ndarray:
    return np.sin(2 * np.pi * frequency * (np.arange(count) / rate - delay))


def resample(samples: np.ndarray, rate: int) -> np.ndarray:
    return Resampler(rate, OUTPUT_RATE).advance(samples, (len(samples) - 1) * OUTPUT_RATE // rate)


@pytest.mark.parametrize("rate", RATES)
def test_passband_keeps_amplitude_and_has_the_declared_delay(rate):
    for frequency in (100, 1000, 3400, 7500):
        if frequency > rate / 2 - 400:
            continue
        produced = resample(tone(frequency, rate, rate // 4), rate)
        expected = tone(frequency, OUTPUT_RATE, len(produced), Resampler(rate, OUTPUT_RATE).delay)
        np.testing.assert_allclose(produced[200:], expected[200:], atol=3e-4)


@pytest.mark.parametrize("rate", [22050, 44100, 48000, 96000])
def test_frequencies_that_16_khz_cannot_hold_are_kept_out(rate):
    for frequency in (8450, 9500, rate / 2 - 500):
        produced = resample(tone(frequency, rate, rate // 4), rate)
        assert np.abs(produced[200:]).max() < 3e-4


@pytest.mark.parametrize("rate", RATES)
def test_impulse_arrives_after_the_delay(rate):
    assert 0.0 < Resampler(rate, OUTPUT_RATE).delay <= 0.010
    samples = np.zeros(rate // 4)
    position = rate // 8
    samples[position] = 1.0
    produced = resample(samples, rate)
    time = np.arange(len(produced)) / OUTPUT_RATE
    centre = np.sum(time * produced) / np.sum(produced)
    assert centre == pytest.approx(position / rate + Resampler(rate, OUTPUT_RATE).delay, abs=1e-6)
    assert np.all(produced[time < position / rate] == 0.0)


def test_equal_rates_pass_unchanged():
    samples = np.random.default_rng(0).standard_normal(1000)
    resampler = Resampler(OUTPUT_RATE, OUTPUT_RATE)
    assert resampler.delay == 0.0
    np.testing.assert_array_equal(resampler.advance(samples, 999), samples)


@settings(deadline=None, max_examples=50)
@given(
    rate=st.integers(8000, 96000) | st.sampled_from(RATES),
    cuts=st.lists(st.integers(1, 700), min_size=1, max_size=8),
)
def test_pieces_give_the_same_as_the_whole(rate, cuts):
    ends = np.cumsum(cuts)
    count = int(ends[-1]) * rate // OUTPUT_RATE + 1
    samples = np.random.default_rng(0).standard_normal(count)
    whole = Resampler(rate, OUTPUT_RATE).advance(samples, int(ends[-1]))
    pieces, resampler, given_so_far = [], Resampler(rate, OUTPUT_RATE), 0
    for end in ends.tolist():
        needed = end * rate // OUTPUT_RATE + 1
        pieces.append(resampler.advance(samples[given_so_far:needed], end))
        given_so_far = needed
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-12)
