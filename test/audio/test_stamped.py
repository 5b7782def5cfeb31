import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.audio import StampedFeatures, extract_features
from listener_head.errors import UserError

RATE = 16000
SECOND_NS = 10**9
NOISE = (2000 * np.random.default_rng(1).standard_normal(3 * RATE)).astype(np.int16)


def values(frames):
    return np.concatenate([frame.values for frame in frames])


def push_all(features, chunks):
    return [frames for start_ns, samples in chunks for frames in features.push(start_ns, samples, RATE)]


def chunks_of(samples, size=160):
    return [(i * SECOND_NS // RATE, samples[i : i + size]) for i in range(0, len(samples), size)]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(-15_000_000, 15_000_000), min_size=100, max_size=100))
def test_stamps_that_wander_change_nothing(wander):
    samples = NOISE[:RATE]
    chunks = chunks_of(samples)
    wandering = [chunks[0]] + [(s + w, x) for (s, x), w in zip(chunks[1:], wander[1:], strict=True)]
    result = values(push_all(StampedFeatures(), wandering))
    assert np.array_equal(result, extract_features(samples, RATE))


def test_lost_chunks_become_silence_that_is_flagged_and_the_grid_stays():
    chunks = chunks_of(NOISE[:RATE])
    lost = push_all(StampedFeatures(), chunks[:40] + chunks[60:])
    with_silence = NOISE[:RATE].copy()
    with_silence[40 * 160 : 60 * 160] = 0
    np.testing.assert_allclose(values(lost), extract_features(with_silence, RATE), atol=1e-5)
    flagged = np.concatenate([frames.gap for frames in lost])
    # The gap lasts from 0.4 to 0.6 s: frames 12 (0.4 s) to 18 (0.6 s).
    assert flagged[13:18].all()
    assert not flagged[:12].any()
    assert not flagged[20:].any()


def test_sound_that_comes_twice_counts_once():
    chunks = chunks_of(NOISE[:RATE])
    frames = push_all(StampedFeatures(), chunks[:50] + chunks[25:])
    # A quarter of a second came twice; what is left of it is within the tolerance of 20 ms.
    assert len(values(frames)) in (30, 31)
    assert not np.concatenate([part.gap for part in frames]).any()


@pytest.mark.parametrize("jump_ns", [-5 * SECOND_NS, 5 * SECOND_NS])
def test_a_jump_of_the_clock_starts_anew(jump_ns):
    features = StampedFeatures()
    push_all(features, chunks_of(NOISE[:RATE]))
    after = push_all(features, [(s + SECOND_NS + jump_ns, x) for s, x in chunks_of(NOISE[:RATE])])
    assert features.restarts == 1
    assert after[0].first_index == 30 * (SECOND_NS + jump_ns) // SECOND_NS
    assert np.array_equal(values(after), extract_features(NOISE[:RATE], RATE))


def test_another_sample_rate_starts_anew():
    features = StampedFeatures()
    features.push(0, NOISE[:RATE], RATE)
    frames = features.push(SECOND_NS, NOISE[: 2 * RATE], 2 * RATE)
    assert features.restarts == 1
    assert len(frames[0]) == 30


def test_wrong_chunk_is_refused_and_the_stream_goes_on():
    features = StampedFeatures()
    features.push(0, NOISE[:160], RATE)
    with pytest.raises(UserError):
        features.push(10_000_000, NOISE[:160].astype(np.int64), RATE)
    assert len(features.push(10_000_000, NOISE[:RATE], RATE)[0]) >= 29
