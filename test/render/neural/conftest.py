"""A generator with random weights, its checkpoint and networks, and a portrait of the built-in head."""

import sys
from pathlib import Path

import pytest

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.render.head_renderer import HeadRenderer

# The tests import `listeners` from here; pytest's importlib mode adds no folder to the path.
sys.path.append(str(Path(__file__).parent))

SMALL = 64  # px: the whole network, a sixteenth of the work


@pytest.fixture(scope="session")
def generator():
    """The torch network with random weights, and a flow of a few pixels."""
    torch = pytest.importorskip("torch", reason="training extra is not installed")
    from listener_head.render.neural.network import FaceGenerator

    torch.manual_seed(0)
    network = FaceGenerator()
    for name, parameter in network.named_parameters():
        if "mlp_gamma" in name or "mlp_beta" in name or name.endswith(".bias"):
            torch.nn.init.normal_(parameter, 0.0, 0.3)
        elif parameter.shape[1:] == (1, 1):
            torch.nn.init.normal_(parameter, 1.0, 0.3)
    torch.nn.init.normal_(network.warpping_net.flow_out[2].weight, 0.0, 0.02)
    return network.eval().requires_grad_(False)


@pytest.fixture(scope="session")
def checkpoint(generator, tmp_path_factory):
    """A checkpoint file laid out as the published one."""
    import torch

    path = tmp_path_factory.mktemp("checkpoint") / "epoch_00190_iteration_000400000_checkpoint.pt"
    state = generator.state_dict()
    content = {"net_G": state, "net_G_ema": state, "current_epoch": 190, "current_iteration": 400000}
    torch.save(content, path)
    return path


@pytest.fixture(scope="session")
def small_network(generator, tmp_path_factory):
    """The ONNX file of that network for small pictures."""
    from listener_head.render.neural.card import make_card
    from listener_head.render.neural.export import export_network

    path = tmp_path_factory.mktemp("network") / "small.onnx"
    export_network(generator, make_card("small", "0" * 64, SMALL), path)
    return path


@pytest.fixture(scope="session")
def head_picture():
    """The built-in head in RGB, 320 x 320."""
    renderer = HeadRenderer(320)
    picture = renderer.render(Coefficients.from_motion("arkit52", LAYOUTS["arkit52"].neutral()))
    renderer.close()
    return picture
