"""`listener_head import-checkpoint` on PIRenderer's checkpoint, of random weights."""

import base64
import hashlib
import json

import numpy as np
import onnx
import pytest
import typer
from typer.testing import CliRunner

torch = pytest.importorskip("torch", reason="training extra is not installed")

from torch import nn  # noqa: E402
from torch.nn.utils import spectral_norm  # noqa: E402

from listener_head.errors import UserError  # noqa: E402
from listener_head.import_checkpoint import import_checkpoint  # noqa: E402
from listener_head.providers import open_session  # noqa: E402
from listener_head.render.neural.checkpoint import find_generator_weights, load_generator  # noqa: E402
from listener_head.render.neural.network import FaceGenerator  # noqa: E402


@pytest.fixture(scope="module")
def exported(checkpoint, tmp_path_factory):
    """The ONNX file that the command writes."""
    path = tmp_path_factory.mktemp("network") / "pirenderer.onnx"
    import_checkpoint(checkpoint, path)
    return path


def inputs(size, seed=0):
    generator = torch.Generator().manual_seed(seed)
    portrait = torch.rand(1, 3, size, size, generator=generator) * 2 - 1
    return portrait, torch.randn(1, 73, 27, generator=generator)


def run(path, portrait, motion):
    """`image` and `picture` of both graphs in turn."""
    session = open_session(path.read_bytes(), "network", "make it again")
    graph = base64.b64decode(session.get_modelmeta().custom_metadata_map["portrait_graph"])
    parts = open_session(graph, "portrait graph", "").run(None, {"portrait": portrait.numpy()})
    fed = dict(zip(("normalised", "portrait_part"), parts, strict=True))
    fed |= {"portrait": portrait.numpy(), "motion": motion[0].numpy()}
    return session.run(["image", "picture"], fed)


def check_equal(generator, path, size):
    portrait, motion = inputs(size)
    expected = generator(portrait, motion).numpy()
    image, picture = run(path, portrait, motion)
    assert expected.std() > 0.1
    np.testing.assert_allclose(image, expected, rtol=0, atol=1e-4)
    # As published, fractions of a level are cut off, so that rounding may change one.
    levels = ((expected[0].transpose(1, 2, 0) + 1) / 2 * 255).astype(np.uint8)
    assert picture.dtype == np.uint8 and np.abs(picture.astype(int) - levels).max() <= 1


def test_onnx_equals_torch(generator, exported):
    check_equal(generator, exported, 256)


def test_onnx_equals_torch_in_small(generator, small_network):
    check_equal(generator, small_network, 64)


def test_portrait_and_all_of_the_window_count(generator):
    portrait, motion = inputs(64)
    before = generator(portrait, motion)
    for frame in (0, 13, 26):
        other = motion.clone()
        other[:, :, frame] += 1
        assert not torch.allclose(generator(portrait, other), before, atol=1e-5)
    assert not torch.allclose(generator(portrait.flip(3), motion), before, atol=1e-2)


def test_state_is_that_of_the_published_checkpoint():
    state = FaceGenerator().state_dict()
    shapes = {key: tuple(value.shape) for key, value in state.items()}
    assert len(shapes) == 304 and sum(value.numel() for value in state.values()) == 22_519_109
    for key, shape in {
        "mapping_net.first.0.weight": (256, 73, 7),
        "mapping_net.encoder2.1.weight": (256, 256, 3),
        "warpping_net.hourglass.encoder.input_layer.weight": (32, 3, 7, 7),
        "warpping_net.hourglass.encoder.encoder0.conv_0.weight": (64, 32, 4, 4),
        "warpping_net.hourglass.encoder.encoder4.norm_1.mlp_shared.0.weight": (128, 256),
        "warpping_net.hourglass.decoder.decoder4.norm_s.mlp_gamma.bias": (256,),
        "warpping_net.hourglass.decoder.decoder2.conv_s.weight": (512, 128, 3, 3),
        "warpping_net.flow_out.0.weight": (256, 1, 1),
        "warpping_net.flow_out.2.weight": (2, 256, 7, 7),
        "editing_net.encoder.first.model.0.weight": (64, 6, 7, 7),
        "editing_net.encoder.down2.model.1.bias": (256, 1, 1),
        "editing_net.decoder.res0.res1.conv1.weight": (128, 128, 3, 3),
        "editing_net.decoder.up0.model.0.weight": (64, 128, 3, 3),
        "editing_net.decoder.jump1.model.0.bias": (128,),
        "editing_net.decoder.final.model.0.weight": (3, 64, 7, 7),
    }.items():
        assert shapes[key] == shape, key


def test_file_says_what_it_is(exported, checkpoint):
    model = onnx.load(exported)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    card = json.loads(metadata["card"])
    assert metadata["format"] == "listener_head.pirenderer/1"
    assert card["name"] == checkpoint.stem and card["size"] == 256 and card["window"] == 27
    assert card["face_model"] == "bfm2009" and sum(size for _, size in card["motion"]) == 73
    assert card["source_sha256"] == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert not any(tensor.external_data for tensor in model.graph.initializer)


def test_what_nothing_reads_is_left_out(exported):
    names = {tensor.name for tensor in onnx.load(exported).graph.initializer}
    assert "editing_net.decoder.res1.res0.conv2.weight" in names
    assert not any("res1.res0.conv1" in name or "norm1" in name for name in names)


@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize("bare", [False, True])
def test_layouts_of_checkpoints(generator, prefix, bare):
    state = generator.state_dict()
    weights = {prefix + key: value for key, value in state.items()}
    content = weights if bare else {"net_G": {}, "net_G_ema": weights, "current_epoch": 1}
    loaded = load_generator(find_generator_weights(content), "checkpoint").state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in state.items())


@pytest.mark.parametrize(
    "content", [None, [], {}, {"net_G_ema": {}}, {"net_G_ema": 3}, {"net_G_ema": {"style.0": 1}}, {"x": 1}]
)
def test_other_things_are_no_generator(content):
    assert find_generator_weights(content) is None


def test_spectral_normalisation_is_folded(generator):
    """A checkpoint trained with it draws what the normalised network draws."""
    network = FaceGenerator()
    network.load_state_dict(generator.state_dict())
    for name, layer in network.named_modules():
        outside = name.endswith("input_layer") or "flow_out" in name
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) and not outside:
            spectral_norm(layer)
    portrait, motion = inputs(64)
    network.eval().requires_grad_(False)
    weights = network.state_dict()
    assert "editing_net.decoder.up0.model.0.weight_orig" in weights
    loaded = load_generator(weights, "checkpoint")
    assert set(loaded.state_dict()) == set(generator.state_dict())
    expected = network(portrait, motion)
    assert not torch.allclose(expected, generator(portrait, motion), atol=1e-2)
    torch.testing.assert_close(loaded(portrait, motion), expected, rtol=0, atol=1e-5)


def without(weights):
    return {key: value for key, value in weights.items() if not key.startswith("mapping_net")}


def with_more(weights):
    return {**weights, "editing_net.decoder.up3.model.0.bias": torch.zeros(1)}


def reshaped(weights):
    return {**weights, "warpping_net.flow_out.0.weight": torch.zeros(128, 1, 1)}


def with_text(weights):
    return {**weights, "mapping_net.first.0.bias": "text"}


def with_nan(weights):
    return {**weights, "mapping_net.first.0.bias": torch.full((256,), torch.nan)}


def without_a_vector(weights):
    weights = dict(weights)
    kernel = weights.pop("editing_net.encoder.first.model.0.weight")
    return {**weights, "editing_net.encoder.first.model.0.weight_orig": kernel}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without, r"8 missing \(mapping_net\.first\.0\.weight, mapping_net\.first\.0\.bias, .*, \.\.\.\)"),
        (with_more, r"1 unexpected \(editing_net\.decoder\.up3\.model\.0\.bias\)"),
        (reshaped, r"flow_out\.0\.weight is \(128, 1, 1\) instead of \(256, 1, 1\)"),
        (with_text, r"mapping_net\.first\.0\.bias is str"),
        (with_nan, r"damaged: 1 not finite \(mapping_net\.first\.0\.bias\)"),
        (without_a_vector, r"2 missing \(editing_net\.encoder\.first\.model\.0\.weight_u, "),
    ],
)
def test_wrong_weights_are_named(generator, change, message):
    with pytest.raises(UserError, match=message) as refusal:
        load_generator(change(generator.state_dict()), "checkpoint 'wrong.pt'")
    assert "wrong.pt" in str(refusal.value) and "\n" not in str(refusal.value)


def test_wrong_weights_leave_no_file(tmp_path):
    torch.save({"net_G_ema": {"mapping_net.first.0.bias": torch.zeros(256)}}, tmp_path / "net.pt")
    with pytest.raises(UserError, match=r"net\.pt' is not the generator of PIRenderer: 303 missing"):
        import_checkpoint(tmp_path / "net.pt")
    assert not (tmp_path / "net.onnx").exists()


def test_command_line(checkpoint, tmp_path):
    app = typer.Typer()
    app.command()(import_checkpoint)
    output = tmp_path / "new" / "pirenderer.onnx"
    result = CliRunner().invoke(app, [str(checkpoint), "--output", str(output)])
    assert result.exit_code == 0 and "PIRenderer" in result.output and output.is_file()
