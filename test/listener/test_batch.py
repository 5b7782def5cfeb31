import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listener_head.coefficients import LAYOUTS
from listener_head.errors import UserError
from listener_head.listener import ListenerBatch, load_listener
from listener_head.listener.fade import FADE_FRAMES

LAYOUT = LAYOUTS["arkit52"]
ATTITUDES = ("positive", "neutral", "negative")
DECODERS = ("lstm", "gru", "transformer")


@pytest.fixture
def batch(exported):
    return ListenerBatch(exported[0], 4)


def many(random_signals, count, frames, statistics=None):
    """Other signals for every listener: audio [T, N, 45], speaker [T, N, M]."""
    signals = [random_signals(frames, seed, statistics) for seed in range(count)]
    return tuple(np.stack(part, axis=1) for part in zip(*signals, strict=True))


def run(batch, audio, speaker):
    return np.stack([batch.step(*frame) for frame in zip(audio, speaker, strict=True)])


@pytest.mark.parametrize("decoder", DECODERS)
def test_each_moves_as_it_would_alone(exported_by_decoder, decoder, random_signals):
    path, _, statistics = exported_by_decoder[decoder]
    audio, speaker = many(random_signals, 4, 100, statistics)
    batch = ListenerBatch(path, 4)
    alone = [load_listener(path) for _ in range(4)]
    turned = LAYOUT.neutral()
    turned[LAYOUT.rotation] = 0.2
    batch.reset(1, turned, "positive")
    alone[1].reset(turned, "positive")
    changes = {10: (0, "negative"), 20: (1, "neutral"), 25: (1, "negative"), 26: (3, "positive")}
    for frame in range(100):
        if frame in changes:
            row, attitude = changes[frame]
            batch.set_attitude(row, attitude)
            alone[row].set_attitude(attitude)
        if frame == 60:
            batch.reset(2)
            alone[2].reset()
        motion = batch.step(audio[frame], speaker[frame])
        expected = [
            one.step(*s) for one, s in zip(alone, zip(audio[frame], speaker[frame], strict=True), strict=True)
        ]
        np.testing.assert_allclose(motion, expected, atol=1e-5)
    assert (
        batch.attitudes == [one.attitude for one in alone] == ["negative", "negative", "neutral", "positive"]
    )


def test_a_state_moves_between_batch_and_single(exported, batch, random_signals):
    audio, speaker = many(random_signals, 4, 40)
    run(batch, audio, speaker)
    batch.set_attitude(2, "positive")
    run(batch, audio[: FADE_FRAMES // 2], speaker[: FADE_FRAMES // 2])
    single, other = load_listener(exported[0]), ListenerBatch(exported[0], 2)
    single.restore(batch.state(2))
    other.restore(0, single.state())
    assert single.attitude == other.attitudes[0] == "positive"
    for frame in range(40):
        expected = batch.step(audio[frame], speaker[frame])[2]
        np.testing.assert_allclose(single.step(audio[frame, 2], speaker[frame, 2]), expected, atol=1e-5)
        moved = other.step(audio[frame, [2, 0]], speaker[frame, [2, 0]])
        np.testing.assert_allclose(moved[0], expected, atol=1e-5)


@pytest.mark.parametrize("spoilt", [np.nan, np.inf, -np.inf])
def test_bad_numbers_of_one_are_named_and_change_nobody(batch, random_signals, spoilt):
    audio, speaker = many(random_signals, 4, 20)
    expected = run(batch, audio, speaker)
    batch.reset()
    first = run(batch, audio[:10], speaker[:10])
    broken = audio[10].copy()
    broken[3, 7] = spoilt
    with pytest.raises(UserError, match="for listener 3;"):
        batch.step(broken, speaker[10])
    rest = run(batch, audio[10:], speaker[10:])
    np.testing.assert_array_equal(np.concatenate([first, rest]), expected)


@pytest.mark.parametrize(
    ("audio", "speaker", "message"),
    [
        ((3, 45), (4, 58), r"audio features have shape \(3, 45\).*\(4, 45\)"),
        ((45,), (58,), "audio features"),
        ((4, 45), (4, 73), r"speaker motion have shape \(4, 73\).*\(4, 58\)"),
    ],
)
def test_wrong_shapes_are_named(batch, audio, speaker, message):
    with pytest.raises(UserError, match=message):
        batch.step(np.zeros(audio), np.zeros(speaker))


@pytest.mark.parametrize("index", [-1, 4])
def test_a_listener_that_is_not_there_is_named(batch, index):
    for call in (
        lambda: batch.reset(index),
        lambda: batch.set_attitude(index, "neutral"),
        lambda: batch.state(index),
        lambda: batch.restore(index, b""),
    ):
        with pytest.raises(UserError, match=f"listener {index} is not in the batch"):
            call()


@pytest.mark.parametrize("count", [0, -3])
def test_an_empty_batch_is_refused(exported, count):
    with pytest.raises(UserError, match=f"batch of {count} listeners"):
        ListenerBatch(exported[0], count)


def test_unknown_attitude_and_bad_reference_are_refused(batch):
    with pytest.raises(UserError, match="positive, neutral, negative"):
        batch.set_attitude(0, "angry")
    with pytest.raises(UserError, match="reference motion"):
        batch.reset(0, np.full(58, np.nan))


@given(
    changes=st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(ATTITUDES), st.booleans(), st.integers(0, 40)),
        max_size=8,
    )
)
@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_changed_when_the_attitude_asked_for_last_holds(batch, random_signals, changes):
    audio, speaker = many(random_signals, 4, 40)
    batch.reset()
    wanted = ["neutral"] * 4
    for row, attitude, reset, frames in changes:
        if reset:
            batch.reset(row, attitude=attitude)
        else:
            batch.set_attitude(row, attitude)
        wanted[row] = attitude
        assert batch.attitudes == wanted
        for frame in range(frames):
            assert np.isfinite(batch.step(audio[frame], speaker[frame])).all()
