"""The stream: chunks, grid, rates, flags, bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.audio import FeatureStream, extract_features
from listener_head.errors import UserError
from listener_head.timing import grid_time_ns

LAYOUTS = ["paper45", "vico45"]
RATES = [8000, 11025, 16000, 22050, 44100, 48000, 96000]


def voice(seconds: float, rate: int, shift: float = 0.0) -> np.ndarray:
    """A voice whose pitch and level change, ``shift`` seconds late; all partials are below 3.4 kHz."""
    time = np.arange(round(seconds * rate)) / rate - shift
    phase = 2 * np.pi * (130 * time + 8 * np.sin(4 * time))
    partials = np.arange(1, 17)[:, None]
    sound = np.sum(np.cos(partials * phase + partials**2) / np.sqrt(partials), axis=0)
    return np.where(time >= 0.0, 0.08 * (1.2 + np.sin(2 * np.pi * 3 * time)) * sound, 0.0)


def push_all(stream: FeatureStream, samples: np.ndarray, sizes: list[int]) -> np.ndarray:
    """Push in chunks of the given sizes, again and again."""
    parts, position, turn = [np.zeros((0, stream.size), np.float32)], 0, 0
    while position < len(samples):
        size = sizes[turn % len(sizes)]
        parts.append(stream.push(samples[position : position + size]))
        position, turn = position + size, turn + 1
    return np.concatenate(parts)


@settings(deadline=None, max_examples=60)
@given(
    layout=st.sampled_from(LAYOUTS),
    rate=st.sampled_from(RATES) | st.integers(8000, 96000),
    sizes=st.lists(st.integers(0, 5000), min_size=1, max_size=6).filter(any),
    start_ns=st.integers(0, 2 * 10**18),
    channels=st.integers(1, 3),
    kind=st.sampled_from([np.int16, np.float32, np.float64]),
)
def test_any_chunks_give_the_whole_clip(layout, rate, sizes, start_ns, channels, kind):
    sound = np.random.default_rng(rate).standard_normal((rate // 4, channels)) * 0.1
    samples = (sound * 32767).astype(np.int16) if kind is np.int16 else sound.astype(kind)
    whole = FeatureStream(rate, layout, start_ns=start_ns).push(samples)
    chunked = push_all(FeatureStream(rate, layout, start_ns=start_ns), samples, sizes)
    np.testing.assert_allclose(chunked, whole, rtol=0, atol=1e-5)
    assert 7 <= len(whole) <= 8


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("rate", [16000, 44100])
def test_single_samples_give_the_whole_clip(rate, layout):
    samples = voice(0.3, rate)
    single = push_all(FeatureStream(rate, layout), samples, [1])
    np.testing.assert_allclose(single, extract_features(samples, rate, layout), atol=1e-5)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_memory_that_the_caller_uses_again_changes_nothing(layout):
    samples = (voice(0.5, 16000) * 32767).astype(np.int16)
    stream, buffer, parts = FeatureStream(16000, layout), np.empty(100, np.int16), []
    for start in range(0, len(samples), 100):
        buffer[:] = samples[start : start + 100]
        parts.append(stream.push(buffer))
    np.testing.assert_allclose(np.concatenate(parts), extract_features(samples, 16000, layout), atol=1e-5)


@settings(deadline=None, max_examples=40)
@given(layout=st.sampled_from(LAYOUTS), rate=st.sampled_from(RATES), cut=st.floats(0.01, 0.39))
def test_the_future_changes_nothing(layout, rate, cut):
    samples = voice(0.4, rate)
    changed = samples.copy()
    first_changed = round(cut * rate)
    changed[first_changed:] = np.random.default_rng(0).uniform(-1, 1, len(samples) - first_changed)
    # Frames whose instant lies before the first changed sample: paper45 begins with frame 0, vico45 with 1.
    untouched = -(-first_changed * 30 // rate) - LAYOUTS.index(layout)
    before, after = (FeatureStream(rate, layout).push_frames(sound) for sound in (samples, changed))
    np.testing.assert_array_equal(before.values[:untouched], after.values[:untouched])
    np.testing.assert_array_equal(before.voice_activity[:untouched], after.voice_activity[:untouched])


@pytest.mark.parametrize("rate", RATES)
def test_a_frame_comes_with_the_first_sample_at_or_after_its_instant(rate):
    stream = FeatureStream(rate)
    assert stream.push(np.zeros(1)).shape == (1, 45)
    for index in range(1, 10):
        due = -(-grid_time_ns(index) * rate // 10**9)  # position of that sample
        received = stream.end_ns * rate / 1e9
        assert stream.push(np.zeros(due - round(received))).shape == (0, 45)
        assert stream.push(np.zeros(1)).shape == (1, 45)
        assert stream.next_index == index + 1


@settings(deadline=None, max_examples=60)
@given(start_ns=st.integers(-(10**9), 2 * 10**18), rate=st.sampled_from(RATES))
def test_frames_stand_on_the_absolute_grid(start_ns, rate):
    stream = FeatureStream(rate, start_ns=start_ns)
    frames = stream.push_frames(np.zeros(rate // 10))
    first, last = frames.first_index, frames.first_index + len(frames) - 1
    end_ns = start_ns + (rate // 10 - 1) * 10**9 / rate - start_ns
    assert grid_time_ns(first - 1) < start_ns <= grid_time_ns(first)
    assert grid_time_ns(last) - start_ns <= end_ns < grid_time_ns(last + 1) - start_ns


def test_the_window_ends_at_the_absolute_instant():
    """A click just before t_k is in frame k; one just after t_k is not."""
    start_ns = 1_700_000_000_123_456_789
    index = FeatureStream(16000, start_ns=start_ns).next_index + 3
    position = (grid_time_ns(index) - start_ns) * 16000 // 10**9
    for shift, heard in ((0, True), (1, False)):
        samples = np.zeros(3200)
        samples[position + shift] = 0.5
        frames = FeatureStream(16000, start_ns=start_ns).push_frames(samples)
        energy = frames.values[index - frames.first_index, 42]
        assert (energy > -20.0) == heard


def test_silence_before_the_clip_changes_nothing():
    samples = voice(0.5, 16000)
    later = extract_features(np.concatenate((np.zeros(16000), samples)), 16000)
    np.testing.assert_allclose(later[30:], extract_features(samples, 16000), atol=1e-5)


def test_ten_minutes_at_44100_do_not_drift():
    rate = 44100
    ending = (voice(2.0, rate) * 32767).astype(np.int16)
    stream = FeatureStream(rate)
    count = len(stream.insert_silence(598 * rate))
    values = stream.push(ending)
    assert count + len(values) == 600 * 30
    assert stream.next_index == 600 * 30
    assert stream.end_ns == 600 * 10**9
    np.testing.assert_allclose(values, extract_features(ending, rate), atol=1e-5)


@pytest.mark.parametrize("rate", RATES)
def test_every_rate_hears_the_same(rate):
    """Against 16 kHz, which passes unchanged; hiss fills the bands in which a pure voice has nothing."""
    delay = FeatureStream(rate).delay
    ours = extract_features(voice(1.0, rate), rate)
    expected = extract_features(voice(1.0, 16000, shift=delay), 16000)
    assert ours.shape == expected.shape
    levels = [42, 44]
    np.testing.assert_allclose(ours[3:, levels], expected[3:, levels], atol=0.1)
    np.testing.assert_allclose(ours[3:, 43], expected[3:, 43], atol=0.005)
    assert 0.0 <= delay <= 0.010
    assert (delay == 0.0) == (rate == 16000)


@pytest.mark.parametrize("rate", [22050, 44100, 48000, 96000])
def test_every_rate_gives_the_same_cepstrum(rate):
    """Partials in all bands, so that no band holds only the residue of the filter."""

    def buzz(rate, shift):
        time = np.arange(rate) / rate - shift
        partials = 125.0 * np.arange(1, 61)[:, None]
        phases = np.arange(1, 61)[:, None] ** 2
        sound = np.sum(np.sin(2 * np.pi * partials * time + phases), axis=0)
        return np.where(time >= 0, 0.02 * sound * (1.2 + np.sin(20 * time)), 0.0)

    delay = FeatureStream(rate).delay
    ours, expected = extract_features(buzz(rate, 0.0), rate), extract_features(buzz(16000, delay), 16000)
    np.testing.assert_allclose(ours[10:], expected[10:], atol=0.05)


def test_int16_is_float_with_full_scale_one():
    samples = (voice(0.5, 16000) * 32767).astype(np.int16)
    expected = extract_features(samples / 32768, 16000)
    np.testing.assert_allclose(extract_features(samples, 16000), expected, atol=1e-5)
    np.testing.assert_allclose(
        extract_features((samples / 32768).astype(np.float32), 16000), expected, atol=1e-5
    )


def test_channels_are_averaged():
    left, right = voice(0.5, 48000), np.random.default_rng(0).uniform(-0.2, 0.2, 24000)
    stereo = extract_features(np.stack((left, right), axis=1), 48000)
    np.testing.assert_allclose(stereo, extract_features((left + right) / 2, 48000), atol=1e-5)
    np.testing.assert_allclose(extract_features(left[:, None], 48000), extract_features(left, 48000))


def test_other_frame_rates():
    assert extract_features(voice(1.0, 16000), 16000, fps=25).shape == (25, 45)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("sound", ["silence", "constant", "rail", "square", "loud"])
def test_sound_that_is_none_gives_finite_numbers_and_the_right_flags(layout, sound):
    """Silence, an offset, a stuck converter, clipping at both ends, floats far beyond full scale."""
    tone = np.sin(2 * np.pi * 220 * np.arange(16000) / 16000)
    samples = {
        "silence": np.zeros(16000, np.int16),
        "constant": np.full(16000, 6000, np.int16),
        "rail": np.full(16000, -32768, np.int16),
        "square": (32767 * np.sign(tone)).astype(np.int16),
        "loud": 9e5 * tone,
    }[sound]
    frames = FeatureStream(16000, layout).push_frames(samples)
    assert np.isfinite(frames.values).all()
    assert frames.clipped[1:].all() == (sound in ("rail", "square", "loud"))
    assert frames.silent.all() == (sound == "silence")
    assert ((frames.voice_activity >= 0) & (frames.voice_activity <= 1)).all()
    if sound in ("silence", "constant", "rail"):  # the jump to an offset is a bang
        assert frames.voice_activity[15:].max() < 0.5


def test_flags_stand_on_the_frames_that_they_concern():
    rate = 16000
    samples = 0.3 * np.sin(2 * np.pi * 300 * np.arange(rate) / rate)
    samples[rate // 2 + 10] = 1.0
    samples[rate // 4 + 10] = np.nan
    stream = FeatureStream(rate)
    before = stream.push_frames(samples)
    lost = stream.insert_silence(rate // 2)
    after = stream.push_frames(samples[: rate // 4])
    assert np.flatnonzero(before.clipped).tolist() == [8, 16]
    assert not before.gap.any()
    assert lost.gap.all()
    assert len(lost) == 15
    assert after.gap[0]  # holds the last of the lost samples
    assert not after.gap[1:].any()
    assert np.flatnonzero(before.silent).tolist() == [0]  # one sample, zero
    assert lost.silent[2:].all()
    assert not after.silent[1:].any()
    assert lost.voice_activity[-1] == 0.0


@settings(deadline=None, max_examples=60)
@given(
    layout=st.sampled_from(LAYOUTS),
    values=st.lists(st.floats(allow_nan=True, allow_infinity=True, width=64), max_size=50),
    rate=st.sampled_from([8000, 16000, 44100]),
)
def test_no_sample_makes_a_feature_that_is_no_number(layout, values, rate):
    samples = np.concatenate((np.full(rate // 2, 0.1), values, np.full(rate // 2, 0.1)))
    frames = FeatureStream(rate, layout).push_frames(samples)
    assert np.isfinite(frames.values).all()
    assert np.isfinite(frames.voice_activity).all()
    assert frames.clipped.any() == (not (np.abs(values) < 32767 / 32768).all())


def test_nothing_in_nothing_out():
    assert extract_features(np.zeros(0, np.int16), 16000).shape == (0, 45)
    stream = FeatureStream(48000)
    assert stream.push(np.zeros((0, 2))).shape == (0, 45)
    assert len(stream.insert_silence(0)) == 0
    assert stream.next_index == 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"sample_rate": 7999}, "7999"),
        ({"sample_rate": 192000}, "192000"),
        ({"sample_rate": 44100.5}, "44100.5"),
        ({"sample_rate": 16000, "fps": 0}, "fps is 0"),
        ({"sample_rate": 16000, "layout": "vico45", "fps": 25}, "fps is 25"),
        ({"sample_rate": 16000, "layout": "mfcc"}, "paper45"),
    ],
)
def test_a_stream_that_cannot_be_is_refused(arguments, named):
    with pytest.raises(UserError, match=named):
        FeatureStream(**arguments)


@pytest.mark.parametrize(
    ("samples", "named"),
    [
        (np.zeros(10, np.int32), "int32"),
        (np.zeros(10, np.uint8), "uint8"),
        (np.zeros(10, np.complex128), "complex128"),
        (np.array(["a"]), "<U1"),
        (np.zeros((2, 16000)), "channels"),
        (np.zeros((10, 0)), "channels"),
        (np.zeros((2, 2, 2)), "shape"),
        (np.float64(0.0), "shape"),
    ],
)
def test_samples_that_are_none_are_refused(samples, named):
    with pytest.raises(UserError, match=named):
        extract_features(samples, 16000)


def test_a_change_of_channels_is_refused_and_does_no_harm():
    stream = FeatureStream(16000)
    stream.push(np.zeros((100, 2)))
    with pytest.raises(UserError, match="3 channels where the stream began with 2"):
        stream.push(np.zeros((100, 3)))
    assert stream.push(np.zeros((16000 - 100, 2))).shape == (29, 45)


def test_negative_silence_is_refused():
    with pytest.raises(UserError, match="-1"):
        FeatureStream(16000).insert_silence(-1)
