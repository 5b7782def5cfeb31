import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


DECODERS = ("lstm", "gru", "transformer")


def make(decoder, **sizes):
    torch.manual_seed(0)
    network = ListenerNetwork(NetworkConfig(58, decoder=decoder, **sizes)).eval()
    network.initialise_memory()
    return network


def draw(batch, frames):
    return torch.randn(batch, frames, 45), torch.randn(batch, frames, 58), torch.randn(batch, 58)


@pytest.mark.parametrize("decoder", DECODERS)
def test_attitude_changes_the_motion_and_is_an_added_branch(decoder):
    network = make(decoder)
    audio, speaker, reference = (part.repeat(3, *[1] * (part.ndim - 1)) for part in draw(1, 10))
    with torch.no_grad():
        motion = network(audio, speaker, reference, torch.arange(3))
        network.attitude.weight.zero_()
        without = network(audio, speaker, reference, torch.arange(3))
        bare = network(audio, speaker, reference)
    assert (motion[0] - motion[1]).abs().max() > 1e-3
    torch.testing.assert_close(without, bare)


@pytest.mark.parametrize("decoder", DECODERS)
@given(cuts=st.lists(st.integers(1, 39), max_size=6))
@settings(deadline=None, max_examples=15)
def test_decoding_in_pieces_equals_the_whole(decoder, cuts):
    network = make(decoder, window=7)
    audio, speaker, reference = draw(2, 40)
    attitude = torch.tensor([0, 2])
    with torch.no_grad():
        whole = network(audio, speaker, reference, attitude)
        state = network.initial_state(reference, attitude)
        pieces = []
        for start, stop in pairwise(sorted({0, *cuts, 40})):
            piece, state = network.decode(audio[:, start:stop], speaker[:, start:stop], state)
            pieces.append(piece)
    torch.testing.assert_close(torch.cat(pieces, dim=1), whole, atol=2e-6, rtol=0)


@pytest.mark.parametrize("decoder", DECODERS)
def test_motion_depends_on_the_past_and_present_alone(decoder):
    network = make(decoder, window=7)
    audio, speaker, reference = draw(1, 30)
    changed = audio.clone()
    changed[:, 20:] += 1
    with torch.no_grad():
        change = (network(changed, speaker, reference) - network(audio, speaker, reference)).abs()
    assert change[:, :20].max() == 0
    assert change[:, 20].max() > 1e-4


def test_transformer_sees_no_further_back_than_its_windows_but_always_its_start():
    window, layers = 7, 2
    network = make("transformer", window=window)
    audio, speaker, reference = draw(1, 40)
    changed = audio.clone()
    changed[:, 0] += 1
    # Every layer looks one window less one frame further back.
    reach = layers * (window - 1)
    with torch.no_grad():
        motion = network(audio, speaker, reference)
        change = (network(changed, speaker, reference) - motion).abs().amax(dim=(0, 2))
        other_start = (network(audio, speaker, reference.flip(1)) - motion).abs().amax(dim=(0, 2))
    assert change[reach] > 1e-7 and change[reach + 1 :].max() == 0
    assert other_start[-1] > 1e-3


@pytest.mark.parametrize("decoder", DECODERS)
def test_every_weight_learns(decoder):
    network = make(decoder, window=7).train()
    audio, speaker, reference = draw(2, 20)
    network(audio, speaker, reference, torch.tensor([0, 1])).square().mean().backward()
    idle = [name for name, weight in network.named_parameters() if weight.grad is None]
    assert not idle
