"""Networks with random weights, exported: everything but the training."""

import numpy as np
import pytest

from listener_head.coefficients import LAYOUTS
from listener_head.listener import load_listener

LAYOUT = LAYOUTS["arkit52"]


@pytest.fixture(scope="session")
def random_signals():
    """The function that draws audio and speaker motion."""
    return _random_signals


@pytest.fixture(scope="session")
def write_network():
    """The function that exports an untrained network."""
    pytest.importorskip("torch", reason="training extra is not installed")
    return _write_network


@pytest.fixture(scope="session")
def exported(tmp_path_factory, write_network):
    """Path, network and statistics of an exported network with random weights."""
    path = tmp_path_factory.mktemp("network") / "random.onnx"
    network, statistics = write_network(path)
    return path, network, statistics


@pytest.fixture(scope="session")
def exported_by_decoder(tmp_path_factory, write_network):
    """The same by decoder: lstm, gru, transformer."""
    folder = tmp_path_factory.mktemp("networks")
    networks = {}
    for decoder in ("lstm", "gru", "transformer"):
        path = folder / f"{decoder}.onnx"
        networks[decoder] = (path, *write_network(path, decoder=decoder, window=30))
    return networks


@pytest.fixture
def listener(exported):
    return load_listener(exported[0])


def _statistics(layout=LAYOUT, seed=0):
    from listener_head.listener.export import Statistics

    rng = np.random.default_rng(seed)

    def draw(low, high, size):
        return rng.uniform(low, high, size).astype(np.float32)

    neutral = layout.neutral()
    return Statistics(
        audio_mean=draw(-5, 5, 45),
        audio_std=draw(0.5, 3, 45),
        speaker_mean=neutral + draw(0, 0.1, layout.size),
        speaker_std=draw(0.05, 0.3, layout.size),
        listener_mean=neutral,
        listener_std=draw(0.02, 0.1, layout.size),
        quiet_audio=draw(-5, 5, 45),
    )


def _write_network(path, attitudes=("positive", "neutral", "negative"), layout=LAYOUT, **sizes):
    """Export an untrained network; returns it with its statistics."""
    import torch

    from listener_head.listener.export import export_network, make_card
    from listener_head.listener.network import ListenerNetwork, NetworkConfig

    torch.manual_seed(1)
    config = NetworkConfig(layout.size, attitudes=attitudes, **sizes)
    network = ListenerNetwork(config).eval()
    statistics = _statistics(layout)
    card = make_card("random", layout, attitudes, "paper45", statistics)
    export_network(network, layout, statistics, card, path)
    return network, statistics


def _random_signals(count, seed=0, statistics=None, layout=LAYOUT):
    """Audio [T, 45] and speaker motion [T, M] within the statistics' range."""
    statistics = statistics or _statistics(layout)
    rng = np.random.default_rng(seed)
    audio = statistics.audio_mean + statistics.audio_std * rng.standard_normal((count, 45))
    speaker = statistics.speaker_mean + statistics.speaker_std * rng.standard_normal((count, layout.size))
    return audio.astype(np.float32), speaker.astype(np.float32)
