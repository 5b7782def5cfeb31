"""`listener_head import-checkpoint` on checkpoints of random weights, and on all that is none."""

import hashlib
import json

import numpy as np
import onnx
import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_up_face import STANDARD
from typer.testing import CliRunner

torch = pytest.importorskip("torch", reason="training extra is not installed")

from listener_head.errors import UserError  # noqa: E402
from listener_head.face.deep3d import Deep3DFitter  # noqa: E402
from listener_head.face.deep3d.checkpoint import find_weights, load_weights  # noqa: E402
from listener_head.face.deep3d.published import COUNT, SLICES  # noqa: E402
from listener_head.import_checkpoint import import_checkpoint  # noqa: E402
from listener_head.providers import open_session  # noqa: E402


def outputs_of(path, faces):
    session = open_session(path.read_bytes(), "network", "make it again")
    return session.run(["coefficients"], {"faces": faces})[0]


def test_onnx_equals_torch(network, exported):
    """All 257 numbers, batch by batch, to 1e-5 of the largest."""
    faces = np.random.default_rng(0).uniform(0, 1, (3, 3, 224, 224)).astype(np.float32)
    expected = network(torch.from_numpy(faces)).numpy()
    assert expected.shape == (3, COUNT) and (expected.std(axis=0) > 0).all()
    found = np.concatenate([outputs_of(exported, faces[:2]), outputs_of(exported, faces[2:])])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_state_is_that_of_the_published_checkpoint(network):
    shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    assert len(shapes) == 332 and sum(value.numel() for value in network.parameters()) == 24_034_625
    for key, shape in {
        "backbone.conv1.weight": (64, 3, 7, 7),
        "backbone.bn1.running_mean": (64,),
        "backbone.layer1.0.downsample.0.weight": (256, 64, 1, 1),
        "backbone.layer2.0.conv2.weight": (128, 128, 3, 3),
        "backbone.layer3.5.conv3.weight": (1024, 256, 1, 1),
        "backbone.layer4.2.bn3.num_batches_tracked": (),
        "final_layers.0.weight": (80, 2048, 1, 1),
        "final_layers.5.bias": (2,),
        "final_layers.6.weight": (1, 2048, 1, 1),
    }.items():
        assert shapes[key] == shape, key


def test_heads_come_in_the_published_order(network, exported):
    """Each head alone decides about its own part of the 257."""
    faces = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    numbers = outputs_of(exported, faces.numpy())[0]
    parts = [head(network.backbone(faces)).flatten().numpy() for head in network.final_layers]
    identity, expression, texture, angle, gamma, plane, depth = parts
    for name, part in (
        ("identity", identity),
        ("expression", expression),
        ("texture", texture),
        ("rotation", angle),
        ("lighting", gamma),
        ("translation", np.concatenate([plane, depth])),
    ):
        np.testing.assert_allclose(numbers[SLICES[name]], part, atol=1e-5)


def test_file_says_what_it_is(exported, checkpoint):
    model = onnx.load(exported)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    card = json.loads(metadata["card"])
    assert metadata["format"] == "listener_head.deep3d/1"
    assert card["name"] == "epoch_20" and card["face_model"] == "bfm2009"
    assert card["source_sha256"] == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert sum(size for _, size in card["coefficients"]) == 257
    assert card["input_size"] == 224 and card["rescale"] == 102.0
    np.testing.assert_allclose(card["standard_landmarks"], STANDARD)
    assert not {node.op_type for node in model.graph.node} & {"BatchNormalization"}
    assert not any(tensor.external_data for tensor in model.graph.initializer)


@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize("bare", [False, True])
def test_layouts_of_checkpoints(network, prefix, bare):
    """Under `net_recon` or bare, from several GPUs or one, without the counts of an old torch."""
    state = {key: value for key, value in network.state_dict().items() if "num_batches" not in key}
    weights = {prefix + key: value for key, value in state.items()}
    found = find_weights(weights if bare else {"net_recon": weights, "opt_00": {}})
    loaded = load_weights(found, "checkpoint").state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in state.items())


def without(weights):
    return {key: value for key, value in weights.items() if not key.startswith("backbone.layer4")}


def with_more(weights):
    return {**weights, "backbone.fc.weight": torch.zeros(1), "backbone.fc.bias": torch.zeros(1)}


def reshaped(weights):
    return {**weights, "final_layers.1.weight": torch.zeros(79, 2048, 1, 1)}


def with_text(weights):
    return {**weights, "final_layers.1.bias": "text"}


def with_nan(weights):
    return {**weights, "backbone.bn1.weight": torch.full((64,), torch.nan)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without, r"\d\d missing \(backbone\.layer4\.0\.conv1\.weight, .*, \.\.\.\)"),
        (with_more, r"2 unexpected \(backbone\.fc\.weight, backbone\.fc\.bias\)"),
        (reshaped, r"1 of another shape \(final_layers\.1\.weight is \(79, 2048, 1, 1\) instead of \(64, "),
        (with_text, r"final_layers\.1\.bias is str"),
        (with_nan, r"1 not finite \(backbone\.bn1\.weight\)"),
        (lambda weights: {}, "missing"),
    ],
)
def test_wrong_weights_are_named(network, change, message):
    with pytest.raises(UserError, match=message) as refusal:
        load_weights(change(network.state_dict()), "checkpoint 'wrong.pth'")
    assert "wrong.pth" in str(refusal.value) and "\n" not in str(refusal.value)


def test_wrong_weights_leave_no_file(landmark_file, tmp_path):
    torch.save({"net_recon": {"module.backbone.conv1.weight": torch.zeros(1)}}, tmp_path / "net.pth")
    with pytest.raises(UserError, match=r"net\.pth' is not the ResNet-50"):
        import_checkpoint(tmp_path / "net.pth", None, landmark_file)
    assert not (tmp_path / "net.onnx").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"net_G_ema": {}, "epoch": 3}, r"a dictionary of 2 keys \('net_G_ema', 'epoch'\)"),
        ({f"layer.{i}": torch.zeros(1) for i in range(9)}, r"9 keys \('layer\.0', .*, \.\.\.\)"),
        (torch.zeros(3), "an object of type Tensor"),
        ([1, 2], "type list"),
        ({}, "a dictionary of 0 keys"),
    ],
)
def test_other_checkpoints_are_told_by_what_they_hold(landmark_file, tmp_path, content, message):
    path = tmp_path / "other.pth"
    torch.save(content, path)
    with pytest.raises(UserError, match=message) as refusal:
        import_checkpoint(path, None, landmark_file)
    assert "net_recon" in str(refusal.value)


class Trap:
    """What a checkpoint must never run."""

    def __reduce__(self):
        return exec, ("raise SystemExit('ran')",)


def test_code_in_a_checkpoint_is_not_run(landmark_file, tmp_path):
    torch.save({"net_recon": Trap()}, tmp_path / "trap.pth")
    with pytest.raises(UserError, match=r"trap\.pth.*'exec'; only tensors"):
        import_checkpoint(tmp_path / "trap.pth", None, landmark_file)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400), st.floats(0.0, 0.99))
def test_damaged_files_are_one_clear_line(tmp_path, junk, share):
    torch.save({"weights": torch.zeros(200)}, tmp_path / "whole.pth")
    whole = (tmp_path / "whole.pth").read_bytes()
    for content in (junk, whole[: int(share * len(whole))]):
        (tmp_path / "damaged.pth").write_bytes(content)
        with pytest.raises(UserError, match=r"damaged\.pth"):
            import_checkpoint(tmp_path / "damaged.pth")


def test_what_is_missing_is_named(checkpoint, landmark_file, tmp_path):
    with pytest.raises(UserError, match=r"none\.pth.*not a file"):
        import_checkpoint(tmp_path / "none.pth")
    with pytest.raises(UserError, match="--landmarks"):
        import_checkpoint(checkpoint, tmp_path / "net.onnx")
    with pytest.raises(UserError, match="both checkpoint and output"):
        import_checkpoint(checkpoint, checkpoint, landmark_file)
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written"):
        import_checkpoint(checkpoint, tmp_path / "file" / "net.onnx", landmark_file)


def test_command_line(checkpoint, bfm_file, tmp_path):
    """A BFM file gives the landmarks too; a folder that is not there is made."""
    app = typer.Typer()
    app.command()(import_checkpoint)
    output = tmp_path / "new" / "deep3d.onnx"
    arguments = [str(checkpoint), "--output", str(output), "--landmarks", str(bfm_file)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0 and "deep3d.onnx" in result.output
    points = Deep3DFitter(output).card["standard_landmarks"]
    assert 0.5 < points[1][0] - points[0][0] < 0.8
