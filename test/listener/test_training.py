import numpy as np
import pytest
import yaml

torch = pytest.importorskip("torch", reason="training extra is not installed")

from typer.testing import CliRunner  # noqa: E402

from listener_head.coefficients import LAYOUTS  # noqa: E402
from listener_head.errors import UserError  # noqa: E402
from listener_head.listener import load_listener  # noqa: E402
from listener_head.listener.configuration import LossConfig, load_config  # noqa: E402
from listener_head.listener.scores import feature_distance  # noqa: E402
from listener_head.listener.training import listener_loss  # noqa: E402

LAYOUT = LAYOUTS["arkit52"]
TINY = {
    "name": "tiny",
    "seed": 3,
    "data": {"training_dyads": 2, "held_out_dyads": 1, "seconds": 25},
    "network": {"fused_size": 16, "hidden_size": 8},
    "optimiser": {
        "learning_rate": 0.002, "decay": 0.8, "decay_every": 1, "weight_decay": 0.01, "epochs": 2, "batch": 3,
        "windows": [100, 200],
    },
}  # fmt: skip


@pytest.fixture
def app():
    import typer

    from listener_head.listener.commands import train

    app = typer.Typer()
    app.command()(train)
    return app


@pytest.fixture
def write_config(tmp_path):
    def write(**changes):
        path = tmp_path / "training.yaml"
        path.write_text(yaml.safe_dump(TINY | changes))
        return path

    return write


def test_training_gives_a_network_with_its_card(app, write_config, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    networks = []
    for name in ("one", "two"):
        output = tmp_path / "out" / f"{name}.onnx"
        result = CliRunner().invoke(app, ["--config", str(write_config()), "--output", str(output)])
        assert result.exit_code == 0, result.output
        networks.append(load_listener(output))
    first, second = networks
    card = first.card
    assert card["name"] == "tiny" and card["seed"] == 3 and card["date"] and "--config" in card["command"]
    assert set(card["scores"]["feature_distance"]) == {"positive", "neutral", "negative", "average"}
    assert "| average |" in (tmp_path / "out" / "one.md").read_text()
    # The same configuration gives the same network.
    rng = np.random.default_rng(0)
    for _ in range(5):
        audio = rng.standard_normal(45).astype(np.float32)
        speaker = LAYOUT.neutral() + np.float32(0.1) * rng.standard_normal(58).astype(np.float32)
        np.testing.assert_array_equal(first.step(audio, speaker), second.step(audio, speaker))


def test_a_folder_that_is_no_folder_is_named(app, write_config, tmp_path):
    (tmp_path / "file").write_text("")
    output = tmp_path / "file" / "net.onnx"
    result = CliRunner().invoke(app, ["--config", str(write_config()), "--output", str(output)])
    assert isinstance(result.exception, UserError) and "file" in str(result.exception)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": -1}, "seed"),
        ({"surprise": 1}, "surprise"),
        ({"data": {"training_dyads": 2, "held_out_dyads": 1, "seconds": "long"}}, r"data\.seconds"),
        ({"optimiser": {}}, r"optimiser\."),
    ],
)
def test_a_wrong_entry_is_named(write_config, changes, message):
    with pytest.raises(UserError, match=rf"training\.yaml.*{message}"):
        load_config(write_config(**changes))


@pytest.mark.parametrize("text", ["[1, 2", "just words", "", "\x00"])
def test_a_file_of_another_kind_is_named(tmp_path, text):
    path = tmp_path / "other.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=r"other\.yaml"):
        load_config(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"none\.yaml.*cannot be read"):
        load_config(tmp_path / "none.yaml")


def test_the_loss_is_that_of_the_paper():
    rng = np.random.default_rng(0)
    predicted, truth = rng.standard_normal((2, 2, 7, 58))
    weights = LossConfig(expression_change=0.1, pose_change=0.5)
    expected = 0.0
    for part, weight in ((slice(3, 55), 0.1), ([0, 1, 2, 55, 56, 57], 0.5)):
        error = (predicted - truth)[..., part]
        expected += np.linalg.norm(error, axis=-1).mean()
        expected += weight * np.linalg.norm(np.diff(error, axis=1), axis=-1).mean()
    loss = listener_loss(torch.from_numpy(predicted), torch.from_numpy(truth), LAYOUT, weights)
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_the_distance_is_a_hundred_times_the_mean_difference():
    predicted = np.zeros((4, 58), np.float32)
    truth = predicted.copy()
    truth[:, LAYOUT.rotation] = (0.1, -0.2, 0.3)
    truth[:, LAYOUT.index("jawOpen")] = 0.52
    distance = feature_distance(predicted, truth, LAYOUT)
    assert distance == {"rotation": pytest.approx(20), "expression": pytest.approx(1), "translation": 0}
