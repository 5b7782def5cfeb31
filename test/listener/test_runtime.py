import subprocess
import sys

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from listener_head.coefficients import LAYOUTS
from listener_head.errors import UserError
from listener_head.listener import load_listener
from listener_head.listener.fade import FADE_FRAMES

LAYOUT = LAYOUTS["arkit52"]
ATTITUDES = ("positive", "neutral", "negative")


def run(listener, audio, speaker):
    motion = [listener.step(*frame) for frame in zip(audio, speaker, strict=True)]
    return np.array(motion, np.float32)


@pytest.fixture(params=["numpy", "onnxruntime"])
def listener(request, monkeypatch, exported):
    """The same network by either stepper of the LSTM."""
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1" if request.param == "numpy" else "2")
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    return load_listener(exported[0])


def expected_motion(network, s, audio, speaker, reference, attitude):
    """The torch network on the whole sequence, in raw units."""
    import torch

    with torch.no_grad():
        motion = network(
            torch.from_numpy((audio - s.audio_mean) / s.audio_std)[None],
            torch.from_numpy((speaker - s.speaker_mean) / s.speaker_std)[None],
            torch.from_numpy((reference - s.listener_mean) / s.listener_std)[None],
            torch.tensor([ATTITUDES.index(attitude)]),
        )[0].numpy()
    motion = motion * s.listener_std + s.listener_mean
    motion[:, LAYOUT.expression] = motion[:, LAYOUT.expression].clip(0, 1)
    return motion


@pytest.mark.parametrize("attitude", ATTITUDES)
def test_steps_equal_the_torch_network_on_the_whole_sequence(exported, listener, attitude, random_signals):
    _, network, s = exported
    audio, speaker = random_signals(120, statistics=s)
    reference = LAYOUT.neutral()
    reference[LAYOUT.rotation] = 0.1
    listener.reset(reference, attitude)
    expected = expected_motion(network, s, audio, speaker, reference, attitude)
    np.testing.assert_allclose(run(listener, audio, speaker), expected, atol=1e-5)


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("decoder", ["lstm", "gru", "transformer"])
def test_networks_of_other_sizes(tmp_path, write_network, random_signals, decoder, layers, monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    sizes = {"decoder": decoder, "layers": layers, "fused_size": 20, "hidden_size": 12, "window": 5}
    network, s = write_network(tmp_path / "small.onnx", **sizes)
    audio, speaker = random_signals(30, statistics=s)
    expected = expected_motion(network, s, audio, speaker, LAYOUT.neutral(), "neutral")
    moved = run(load_listener(tmp_path / "small.onnx"), audio, speaker)
    np.testing.assert_allclose(moved, expected, atol=1e-5)


@pytest.mark.parametrize("decoder", ["lstm", "gru", "transformer"])
def test_ten_thousand_steps_do_not_drift(exported_by_decoder, decoder, random_signals, monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    path, network, s = exported_by_decoder[decoder]
    audio, speaker = random_signals(10_000, statistics=s)
    listener = load_listener(path)
    expected = expected_motion(network, s, audio, speaker, LAYOUT.neutral(), "neutral")
    np.testing.assert_allclose(run(listener, audio, speaker), expected, atol=1e-5)


@pytest.mark.parametrize("decoder", ["lstm", "gru", "transformer"])
def test_an_attitude_change_never_jerks_the_head(exported_by_decoder, decoder, random_signals):
    listener = load_listener(exported_by_decoder[decoder][0])
    audio, speaker = random_signals(1, statistics=exported_by_decoder[decoder][2])
    frames = [(audio[0], speaker[0])] * 60
    motion = [listener.step(*frame) for frame in frames]
    for attitude in ("positive", "negative", "neutral", "positive"):
        listener.set_attitude(attitude)
        motion += [listener.step(*frame) for frame in frames]
    steps = np.diff(np.array(motion)[59:, LAYOUT.rotation], axis=0)
    assert 1e-5 < np.abs(steps).max() < np.deg2rad(2)


def test_bfm_network_without_attitudes(tmp_path, random_signals, write_network):
    layout = LAYOUTS["bfm2009"]
    write_network(tmp_path / "bfm.onnx", attitudes=(), layout=layout)
    listener = load_listener(tmp_path / "bfm.onnx")
    audio, speaker = random_signals(5, layout=layout)
    assert run(listener, audio, speaker).shape == (5, 73)
    assert listener.attitudes == () and listener.attitude is None
    with pytest.raises(UserError, match="no attitude branch"):
        listener.set_attitude("positive")
    with pytest.raises(UserError, match="no attitude branch"):
        listener.reset(attitude="positive")


def test_what_it_says_of_itself(listener):
    assert (listener.name, listener.face_model, listener.audio_layout) == ("random", "arkit52", "paper45")
    assert listener.attitudes == ATTITUDES and listener.attitude == "neutral"
    assert len(listener.hash) == 12 and listener.card["name"] == "random"


def test_reset_starts_the_very_same_listener_again(listener, random_signals):
    audio, speaker = random_signals(30)
    listener.reset(attitude="positive")
    first = run(listener, audio, speaker)
    listener.reset(attitude="positive")
    np.testing.assert_array_equal(run(listener, audio, speaker), first)


def test_motion_handed_out_is_not_overwritten(listener, random_signals):
    audio, speaker = random_signals(2)
    first = listener.step(audio[0], speaker[0])
    kept = first.copy()
    listener.step(audio[1], speaker[1])
    np.testing.assert_array_equal(first, kept)


def test_two_listeners_do_not_share_state(exported, random_signals):
    audio, speaker = random_signals(20)
    alone = load_listener(exported[0])
    expected = run(alone, audio, speaker)
    one, two = load_listener(exported[0]), load_listener(exported[0])
    mixed = []
    for frame in zip(audio, speaker, strict=True):
        mixed.append(one.step(*frame))
        two.step(frame[0] + 1, frame[1])
    np.testing.assert_array_equal(np.stack(mixed), expected)


def test_attitude_change_fades_and_ends_in_the_new_state(listener, random_signals):
    audio, speaker = random_signals(200)
    steady = run(listener, audio, speaker)
    listener.reset()
    before = run(listener, audio[:50], speaker[:50])
    listener.set_attitude("negative")
    assert listener.attitude == "negative"
    fading = run(listener, audio[50:], speaker[50:])
    np.testing.assert_array_equal(before, steady[:50])
    # It begins where the old attitude would have gone on, and is another motion in the end.
    np.testing.assert_allclose(fading[0], steady[50], atol=5e-3)
    listener.reset(before[-1], "negative")
    new = run(listener, audio[50:], speaker[50:])
    np.testing.assert_allclose(fading[FADE_FRAMES:], new[FADE_FRAMES:], atol=1e-6)


def test_attitude_changes_in_quick_succession_end_in_the_last(listener, random_signals):
    audio, speaker = random_signals(4 * FADE_FRAMES)
    listener.set_attitude("positive")
    run(listener, audio[:5], speaker[:5])
    listener.set_attitude("neutral")
    listener.set_attitude("negative")
    motion = run(listener, audio, speaker)
    assert listener.attitude == "negative"
    assert np.abs(np.diff(motion, axis=0)).max() < 0.5


@pytest.mark.parametrize("decoder", ["lstm", "gru", "transformer"])
@pytest.mark.parametrize("since_change", [0, 7, FADE_FRAMES])
def test_a_saved_state_goes_on_in_another_listener(
    exported_by_decoder, decoder, since_change, random_signals
):
    path, _, s = exported_by_decoder[decoder]
    audio, speaker = random_signals(90, statistics=s)
    listener, other = load_listener(path), load_listener(path)
    run(listener, audio[:20], speaker[:20])
    listener.set_attitude("negative")
    listener.set_attitude("positive")
    run(listener, audio[:since_change], speaker[:since_change])
    saved = listener.state()
    run(other, audio, speaker)
    other.restore(saved)
    assert (other.attitude, other.hash) == ("positive", listener.hash)
    np.testing.assert_array_equal(other.reference, listener.reference)
    np.testing.assert_array_equal(run(other, audio, speaker), run(listener, audio, speaker))


def test_a_state_of_another_network_is_refused(listener, exported_by_decoder, random_signals):
    other = load_listener(exported_by_decoder["gru"][0])
    expected = run(listener, *random_signals(5))
    listener.reset()
    with pytest.raises(UserError, match=rf"belongs to network {other.hash}.*{listener.hash}"):
        listener.restore(other.state())
    np.testing.assert_array_equal(run(listener, *random_signals(5)), expected)


@given(data=st.data())
@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_spoilt_state_is_refused_or_gives_no_nonsense(listener, data, random_signals):
    saved = bytearray(listener.state())
    for place in data.draw(st.lists(st.integers(0, len(saved) - 1), min_size=1, max_size=5)):
        saved[place] ^= data.draw(st.integers(1, 255))
    spoilt = bytes(saved[: data.draw(st.integers(0, len(saved)))])
    try:
        listener.restore(spoilt)
    except UserError as problem:
        assert "saved state" in str(problem)
    assert np.isfinite(run(listener, *random_signals(2))).all()


@pytest.mark.parametrize("data", [b"", b"no archive", None])
def test_a_state_that_is_none_is_refused(listener, data):
    with pytest.raises(UserError, match="saved state is broken"):
        listener.restore(data)


@pytest.mark.parametrize("attitude", ["angry", "", "Positive"])
def test_unknown_attitude_is_refused_with_the_known_ones(listener, attitude):
    for call in (listener.set_attitude, lambda name: listener.reset(attitude=name)):
        with pytest.raises(UserError, match="positive, neutral, negative"):
            call(attitude)


@pytest.mark.parametrize(
    ("audio", "speaker"),
    [
        (np.zeros(44), np.zeros(58)),
        (np.zeros(45), np.zeros(73)),
        (np.zeros((1, 45)), np.zeros(58)),
        (0.0, np.zeros(58)),
        (np.full(45, np.nan), np.zeros(58)),
        (np.zeros(45), np.full(58, np.inf)),
    ],
)
def test_bad_input_is_refused_and_leaves_the_state_alone(listener, audio, speaker, random_signals):
    good = random_signals(10)
    expected = run(listener, *good)
    listener.reset()
    first = run(listener, good[0][:5], good[1][:5])
    with pytest.raises(UserError):
        listener.step(audio, speaker)
    rest = run(listener, good[0][5:], good[1][5:])
    np.testing.assert_array_equal(np.concatenate([first, rest]), expected)


@pytest.mark.parametrize("reference", [np.zeros(57), np.zeros((58, 1)), np.full(58, np.nan)])
def test_bad_reference_is_refused(listener, reference):
    with pytest.raises(UserError, match="reference motion"):
        listener.reset(reference)


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
@given(
    arrays(np.float32, 45, elements=st.floats(width=32)),
    arrays(np.float32, 58, elements=st.floats(width=32)),
)
@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_input_makes_it_give_nonsense(listener, audio, speaker):
    try:
        motion = listener.step(audio, speaker)
    except UserError:
        return
    assert np.isfinite(motion).all()
    expression = motion[LAYOUT.expression]
    assert expression.min() >= 0 and expression.max() <= 1


def spoil_text(path, model):
    path.write_text("not a network")


def spoil_half(path, model):
    path.write_bytes(model[: len(model) // 2])


def spoil_nothing_left(path, model):
    path.write_bytes(b"")


@pytest.mark.parametrize("spoil", [spoil_text, spoil_half, spoil_nothing_left])
def test_a_broken_file_is_named(exported, tmp_path, spoil):
    path = tmp_path / "broken.onnx"
    spoil(path, exported[0].read_bytes())
    with pytest.raises(UserError, match=r"broken\.onnx.*broken or no ONNX file.*listener_head train"):
        load_listener(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"none\.onnx.*cannot be read"):
        load_listener(tmp_path / "none.onnx")
    with pytest.raises(UserError, match="cannot be read"):
        load_listener(tmp_path)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("format", "something else", "another kind"),
        ("format", None, "another kind"),
        ("card", None, "broken metadata"),
        ("card", "{", "broken metadata"),
        ("card", '{"name": "x"}', "broken metadata"),
        ("initial_state", "AAAA", "broken"),
        ("initial_state", "?", "broken"),
    ],
)
def test_wrong_metadata_is_refused(exported, tmp_path, key, value, message):
    model = onnx.load(exported[0])
    entries = {entry.key: entry.value for entry in model.metadata_props}
    entries[key] = value
    onnx.helper.set_model_props(model, {name: text for name, text in entries.items() if text is not None})
    path = tmp_path / "other.onnx"
    onnx.save(model, path)
    with pytest.raises(UserError, match=rf"other\.onnx.*{message}"):
        load_listener(path)


def test_running_needs_no_torch():
    script = "import sys, listener_head.listener as l; l.load_listener(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)
