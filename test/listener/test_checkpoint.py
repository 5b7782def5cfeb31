import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="training extra is not installed")

from listener_head.coefficients import LAYOUTS  # noqa: E402
from listener_head.errors import UserError  # noqa: E402
from listener_head.import_checkpoint import read_checkpoint  # noqa: E402
from listener_head.listener import ListenerBatch, ListenerSession, load_listener  # noqa: E402
from listener_head.listener.checkpoint import (  # noqa: E402
    AUDIO_STATISTICS,
    VIDEO_STATISTICS,
    find_listener_weights,
    import_listener,
)
from listener_head.listener.network import ListenerNetwork, NetworkConfig  # noqa: E402
from listener_head.listener.reference import optical_motion  # noqa: E402

LAYOUT = LAYOUTS["bfm2009"]
NESTS = ("state_dict", "model", "net")


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    return ListenerNetwork(NetworkConfig(LAYOUT.size, attitudes=())).eval()


@pytest.fixture
def weights(network):
    return {key: value.clone() for key, value in network.state_dict().items()}


@pytest.fixture
def file(tmp_path, weights):
    path = tmp_path / "Epoch_500.bin"
    torch.save({f"module.{key}": value for key, value in weights.items()}, path)
    return path


@pytest.fixture
def statistics(tmp_path):
    """Folder of statistics as the baseline's script writes them, and their numbers."""
    rng = np.random.default_rng(0)

    def entry(size):
        mean, std = rng.normal(size=size), rng.uniform(0.1, 2, size)
        return {
            "mean": torch.tensor(mean, dtype=torch.float32),
            "std": torch.tensor(std, dtype=torch.float32),
        }

    audio, motion = entry(45), entry(73)
    # A number that is the same in every frame.
    audio["std"][20] = 0.0
    torch.save(audio, tmp_path / AUDIO_STATISTICS)
    torch.save({"angle.exp.trans": motion, "id.gamma.tex": entry(187)}, tmp_path / VIDEO_STATISTICS)
    return tmp_path, {k: v.numpy() for k, v in audio.items()}, {k: v.numpy() for k, v in motion.items()}


def signals(seed=0, frames=60):
    rng = np.random.default_rng(seed)
    sizes = (frames, 45), (frames, LAYOUT.size), (LAYOUT.size,)
    return tuple(rng.standard_normal(size).astype(np.float32) for size in sizes)


def whole(network, audio, speaker, reference):
    with torch.no_grad():
        return network(*(torch.from_numpy(part)[None] for part in (audio, speaker, reference)))[0].numpy()


def run(listener, audio, speaker):
    return np.stack([listener.step(*frame) for frame in zip(audio, speaker, strict=True)])


@settings(deadline=None, max_examples=8)
@given(prefixed=st.booleans(), nests=st.lists(st.sampled_from(NESTS), max_size=2))
def test_weights_are_found_bare_prefixed_and_nested(network, prefixed, nests):
    weights = network.state_dict()
    content = {("module." if prefixed else "") + key: value for key, value in weights.items()}
    for nest in nests:
        content = {nest: content, "epoch": 7}
    assert find_listener_weights(content) == weights


@pytest.mark.parametrize("content", [None, [], {}, {"net_recon": {"conv1.weight": 1}}, {"state_dict": {}}, 3])
def test_other_things_are_no_listener(content):
    assert find_listener_weights(content) is None


def test_without_statistics_it_takes_standardised_units_and_says_so(tmp_path, network, file):
    path = tmp_path / "net.onnx"
    card = import_listener(file, find_listener_weights(read_checkpoint(file)), None, path)
    assert "standardised units" in card["warning"] and "--statistics" in card["warning"]
    listener = load_listener(path)
    assert listener.card["warning"] == card["warning"]
    audio, speaker, reference = signals()
    listener.reset(reference)
    expected = whole(network, audio, speaker, reference)
    np.testing.assert_allclose(run(listener, audio, speaker), expected, atol=1e-5)


def test_with_statistics_it_takes_raw_units_in_the_cameras_frame(
    tmp_path, network, weights, file, statistics
):
    folder, sound, motion = statistics
    path = tmp_path / "net.onnx"
    assert "warning" not in import_listener(file, weights, folder, path)
    audio, speaker, reference = signals()

    def raw(standardised):
        return optical_motion(standardised * motion["std"] + motion["mean"], LAYOUT)

    listener = load_listener(path)
    listener.reset(raw(reference))
    deviation = np.where(sound["std"] == 0, 1, sound["std"])
    moved = run(listener, audio * deviation + sound["mean"], raw(speaker))
    np.testing.assert_allclose(moved, raw(whole(network, audio, speaker, reference)), atol=1e-5)


def test_what_an_imported_network_is(tmp_path, weights, file, statistics):
    path = tmp_path / "net.onnx"
    import_listener(file, weights, statistics[0], path)
    listener = load_listener(path)
    assert (listener.face_model, listener.audio_layout) == ("bfm2009", "vico45")
    assert listener.attitudes == () and listener.attitude is None
    assert "Epoch_500.bin" in listener.card["data"]
    for refused in (lambda: listener.set_attitude("positive"), lambda: listener.reset(attitude="neutral")):
        with pytest.raises(UserError, match="no attitude branch"):
            refused()
    # It starts from the mean face of the training data, and idles on plausible numbers.
    mean = optical_motion(statistics[2]["mean"], LAYOUT)
    np.testing.assert_allclose(listener.reference, mean, rtol=1e-6)
    far = np.abs(listener.quiet_audio - statistics[1]["mean"]) / np.maximum(statistics[1]["std"], 1e-6)
    assert far[statistics[1]["std"] > 0].max() < 3.01
    session = ListenerSession(listener)
    assert all(np.isfinite(session.step(index, None).motion).all() for index in range(60))


def test_missing_unexpected_and_misshapen_weights_are_named(tmp_path, weights, file):
    del weights["dynam_3dmm_fc.bias"]
    weights["fusion.extra"] = torch.zeros(3)
    weights["fusion.fusion.0.bias"] = torch.zeros(64)
    weights["fusion.layernorm_init.bias"] = "text"
    with pytest.raises(UserError) as caught:
        import_listener(file, weights, None, tmp_path / "net.onnx")
    message = str(caught.value)
    assert "1 missing (dynam_3dmm_fc.bias)" in message
    assert "1 unexpected (fusion.extra)" in message
    assert "fusion.fusion.0.bias is (64,) instead of (192,)" in message
    assert "fusion.layernorm_init.bias is no tensor of floats" in message
    assert "Epoch_500.bin" in message and not (tmp_path / "net.onnx").exists()


def test_weights_that_are_nan_are_refused(tmp_path, weights, file):
    weights["fusion.fusion.0.bias"][5] = torch.nan
    with pytest.raises(UserError, match=r"damaged: 1 not finite \(fusion\.fusion\.0\.bias\)"):
        import_listener(file, weights, None, tmp_path / "net.onnx")


def absent(folder):
    (folder / VIDEO_STATISTICS).unlink()


def cut(folder):
    path = folder / AUDIO_STATISTICS
    path.write_bytes(path.read_bytes()[:100])


def of_another_size(folder):
    torch.save({"mean": torch.zeros(45), "std": torch.ones(44)}, folder / AUDIO_STATISTICS)


def without_key(folder):
    torch.save({"mean": torch.zeros(73), "std": torch.ones(73)}, folder / VIDEO_STATISTICS)


def negative(folder):
    torch.save({"mean": torch.zeros(45), "std": -torch.ones(45)}, folder / AUDIO_STATISTICS)


def not_numbers(folder):
    mean = torch.full((73,), torch.nan)
    torch.save({"angle.exp.trans": {"mean": mean, "std": torch.ones(73)}}, folder / VIDEO_STATISTICS)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (absent, f"{VIDEO_STATISTICS}' is missing"),
        (cut, f"{AUDIO_STATISTICS}' is damaged"),
        (of_another_size, r"'std' is \(44,\); it must be a tensor \(45,\)"),
        (without_key, r"\['angle\.exp\.trans'\]: 'mean' is missing"),
        (negative, "damaged"),
        (not_numbers, "not finite"),
    ],
)
def test_bad_statistics_are_named(tmp_path, weights, file, statistics, spoil, message):
    spoil(statistics[0])
    with pytest.raises(UserError, match=message):
        import_listener(file, weights, statistics[0], tmp_path / "net.onnx")
    assert not (tmp_path / "net.onnx").exists()


def golden(name):
    shared = os.environ.get("LISTENER_HEAD_SHARED", Path(__file__).parents[2].parent / "shared")
    path = Path(shared) / "golden" / name
    if not path.exists():
        pytest.skip(f"golden data of the published baseline is absent ({path})")
    return path


@pytest.mark.parametrize("stepper", ["numpy", "onnxruntime", "batch", "torch"])
def test_a_published_checkpoint_gives_the_published_output(tmp_path, monkeypatch, stepper):
    file, data = (
        golden("vico_baseline_listener_checkpoint.bin"),
        np.load(golden("vico_baseline_listener.npz")),
    )
    path = tmp_path / "net.onnx"
    weights = find_listener_weights(read_checkpoint(file))
    import_listener(file, weights, None, path)
    audio, speaker, init = data["audio"], data["speaker"], data["init"]
    if stepper == "torch":
        motion = torch_steps(weights, audio, speaker, init)
    elif stepper == "batch":
        batch = ListenerBatch(path, len(audio))
        for index, reference in enumerate(init):
            batch.reset(index, reference)
        motion = np.stack([batch.step(audio[:, t], speaker[:, t]) for t in range(audio.shape[1])], axis=1)
    else:
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1" if stepper == "numpy" else "2")
        monkeypatch.setattr("os.cpu_count", lambda: 2)
        listener, sequences = load_listener(path), []
        for index, reference in enumerate(init):
            listener.reset(reference)
            sequences.append(run(listener, audio[index], speaker[index]))
        motion = np.stack(sequences)
    np.testing.assert_allclose(motion, data["output"], atol=1e-5)


@torch.no_grad()
def torch_steps(weights, audio, speaker, init):
    network = ListenerNetwork(NetworkConfig(LAYOUT.size, attitudes=()))
    network.load_state_dict(weights)
    audio, speaker = torch.from_numpy(audio), torch.from_numpy(speaker)
    state, motion = network.initial_state(torch.from_numpy(init)), []
    for t in range(audio.shape[1]):
        frame, state = network.decode(audio[:, t : t + 1], speaker[:, t : t + 1], state)
        motion.append(frame)
    return torch.cat(motion, dim=1).numpy()
