import os
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training extra is not installed")

from listener_head.listener.network import ListenerNetwork, NetworkConfig  # noqa: E402

# Names and shapes as published checkpoints have them, at bfm2009 sizes.
PUBLISHED = {
    "fusion.layernorm_init.weight": (73,),
    "fusion.layernorm_init.bias": (73,),
    "fusion.layernorm_driven.weight": (118,),
    "fusion.layernorm_driven.bias": (118,),
    "fusion.get_initial_state.0.weight": (73, 73),
    "fusion.get_initial_state.0.bias": (73,),
    "fusion.get_initial_state.2.weight": (384, 73),
    "fusion.get_initial_state.2.bias": (384,),
    "fusion.fusion.0.weight": (192, 118),
    "fusion.fusion.0.bias": (192,),
    "fusion.lstm_layers.weight_ih_l0": (384, 192),
    "fusion.lstm_layers.weight_hh_l0": (384, 96),
    "fusion.lstm_layers.weight_ih_l1": (384, 96),
    "fusion.lstm_layers.weight_hh_l1": (384, 96),
    "dynam_3dmm_fc.weight": (73, 96),
    "dynam_3dmm_fc.bias": (73,),
}


def test_published_structure_without_attitudes():
    network = ListenerNetwork(NetworkConfig(73, attitudes=()))
    assert {key: tuple(value.shape) for key, value in network.state_dict().items()} == PUBLISHED
    assert sum(parameter.numel() for parameter in network.parameters()) == 248_449


def test_published_outputs_on_golden_data():
    shared = os.environ.get("LISTENER_HEAD_SHARED", Path(__file__).parents[2].parent / "shared")
    golden = Path(shared) / "golden" / "vico_baseline_listener.npz"
    if not golden.exists():
        pytest.skip(f"golden data of the published baseline is absent ({golden})")
    data = np.load(golden)
    network = ListenerNetwork(NetworkConfig(73, attitudes=()))
    network.load_state_dict({key: torch.from_numpy(data[f"state.{key}"]) for key in PUBLISHED})
    with torch.no_grad():
        output = network(*(torch.from_numpy(data[key]) for key in ("audio", "speaker", "init")))
    np.testing.assert_allclose(output.numpy(), data["output"], atol=1e-5)


def test_attitude_changes_the_motion_and_is_an_added_branch():
    torch.manual_seed(0)
    network = ListenerNetwork(NetworkConfig(58))
    audio, speaker, reference = (
        torch.randn(3, 10, 45),
        torch.randn(3, 10, 58),
        torch.randn(1, 58).repeat(3, 1),
    )
    audio, speaker = audio[:1].repeat(3, 1, 1), speaker[:1].repeat(3, 1, 1)
    with torch.no_grad():
        motion = network(audio, speaker, reference, torch.arange(3))
        network.attitude.weight.zero_()
        without = network(audio, speaker, reference, torch.arange(3))
        bare = network(audio, speaker, reference)
    assert (motion[0] - motion[1]).abs().max() > 1e-3
    torch.testing.assert_close(without, bare)


def test_decoding_in_pieces_equals_the_whole():
    torch.manual_seed(0)
    network = ListenerNetwork(NetworkConfig(58))
    audio, speaker, reference = torch.randn(2, 20, 45), torch.randn(2, 20, 58), torch.randn(2, 58)
    attitude = torch.tensor([0, 2])
    with torch.no_grad():
        whole = network(audio, speaker, reference, attitude)
        state = network.initial_state(reference, attitude)
        first, state = network.decode(audio[:, :7], speaker[:, :7], state)
        second, _ = network.decode(audio[:, 7:], speaker[:, 7:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole, atol=1e-6, rtol=0)
