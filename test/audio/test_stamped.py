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


CHUNKS = st.lists(
    st.tuples(
        st.integers(-1_500_000_000, 1_500_000_000)
        | st.integers(-30_000_000, 30_000_000)
        | st.just(0),  # late
        st.sampled_from([8000, 16000, 16000, 16000, 44100, 96000, 100]),  # rate
        st.integers(0, 3000),  # samples
        st.sampled_from([0, 0, 1, 2, 3, 5, 65]),  # channels, 0 for an array of one dimension
        st.sampled_from([np.int16, np.int16, np.float32, np.float64, np.int32]),
        st.sampled_from([0.0, 1e-6, 0.1, 3.0, 1e30, np.inf, np.nan]),  # level
    ),
    max_size=25,
)


@pytest.mark.parametrize("layout", ["paper45", "vico45"])
@settings(deadline=None, max_examples=60)
@given(chunks=CHUNKS)
def test_whatever_comes_the_frames_are_sound(layout, chunks):
    """Clocks that jump both ways, rates and channels that change, numbers that are none, unknown types."""
    features, now_ns, random = StampedFeatures(layout), 10 * SECOND_NS, np.random.default_rng(2)
    restarts, last_index = 0, -1
    for late_ns, rate, count, channels, kind, level in chunks:
        now_ns += late_ns
        shape = (count, channels) if channels else (count,)
        with np.errstate(invalid="ignore", over="ignore"):
            samples = (random.uniform(-1, 1, shape) * level).astype(kind)
        try:
            frames = features.push(now_ns, samples, rate)
        except UserError:
            assert kind is np.int32 or rate == 100 or channels == 65
            assert features.restarts == restarts
            continue
        if features.restarts != restarts:
            restarts, last_index = features.restarts, -1
        for part in frames:
            assert np.isfinite(part.values).all()
            assert part.values.shape == (len(part), 45)
            assert ((part.voice_activity >= 0.0) & (part.voice_activity <= 1.0)).all()
            # Instants of the grid, one after the other, between two restarts.
            assert len(part) == 0 or last_index in (-1, part.first_index - 1)
            last_index = part.first_index + len(part) - 1 if len(part) else last_index
        heard = frames[-1]
        if kind is not np.int16 and count and (np.isnan(level) or level >= 1e30):
            assert heard.clipped[1:].all()
        now_ns += count * SECOND_NS // rate


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


def test_another_number_of_channels_starts_anew():
    features = StampedFeatures()
    features.push(0, NOISE[:RATE], RATE)
    stereo = np.stack((NOISE[:RATE], NOISE[:RATE]), axis=1)
    frames = features.push(SECOND_NS, stereo, RATE)
    assert features.restarts == 1
    np.testing.assert_allclose(values(frames), extract_features(NOISE[:RATE], RATE), atol=1e-5)


def test_wrong_chunk_is_refused_and_the_stream_goes_on():
    features = StampedFeatures()
    features.push(0, NOISE[:160], RATE)
    with pytest.raises(UserError):
        features.push(10_000_000, NOISE[:160].astype(np.int64), RATE)
    assert len(features.push(10_000_000, NOISE[:RATE], RATE)[0]) >= 29
