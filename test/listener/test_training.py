import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import yaml

torch = pytest.importorskip("torch", reason="training extra is not installed")

import typer  # noqa: E402
from typer.testing import CliRunner  # noqa: E402

from listener_head.coefficients import LAYOUTS  # noqa: E402
from listener_head.dyads import commands as dyads  # noqa: E402
from listener_head.errors import UserError  # noqa: E402
from listener_head.listener import load_listener  # noqa: E402
from listener_head.listener.batches import Batcher, measure  # noqa: E402
from listener_head.listener.card import card_markdown  # noqa: E402
from listener_head.listener.commands import train as train_command  # noqa: E402
from listener_head.listener.configuration import LossConfig, TrainingConfig, load_config  # noqa: E402
from listener_head.listener.dataset import gather  # noqa: E402
from listener_head.listener.training import listener_loss, saved_path, train  # noqa: E402

LAYOUT = LAYOUTS["arkit52"]
TINY = {
    "name": "tiny",
    "seed": 3,
    "data": {"clips": 9, "seconds": 4},
    "network": {"fused_size": 16, "hidden_size": 8},
    "optimiser": {
        "learning_rate": 0.005, "decay": 0.8, "decay_every": 1, "weight_decay": 0.01, "epochs": 4, "batch": 4,
        "sequence": 90, "windows": [30, 60],
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A set of dyads in ViCo's layout."""
    folder = tmp_path_factory.mktemp("dyads") / "set"
    arguments = ["synthesize", "--output", str(folder), "--clips", "9", "--seconds", "4"]
    result = CliRunner().invoke(dyads.app, arguments)
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def config(folder):
    """The function that makes a configuration of a small run on that set."""

    def make(**changes):
        settings = {**TINY, "data": {"folder": str(folder)}}
        for section, entries in changes.items():
            settings[section] = {**settings[section], **entries}
        return TrainingConfig.model_validate(settings)

    return make


@pytest.fixture
def app():
    app = typer.Typer()
    app.command()(train_command)
    return app


@pytest.fixture
def write_config(tmp_path):
    def write(**changes):
        path = tmp_path / "training.yaml"
        path.write_text(yaml.safe_dump(TINY | changes))
        return path

    return write


def ignore(progress):
    """Nobody watches."""


def weights(path):
    """All weights in a run's saved state."""
    return torch.load(saved_path(path), weights_only=True)["state"]["network"]


def equal(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


class Interrupted(Exception):
    """Somebody stopped the run."""


def interrupt_after(epochs):
    def report(progress):
        if progress.stage == "training" and progress.done == epochs:
            raise Interrupted

    return report


def test_synthetic_dyads_give_a_network_with_its_card(app, write_config, tmp_path, monkeypatch):
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
    assert set(card["scores"]) == {"unit", "test", "ood"}
    assert "average" in card["scores"]["test"]["feature_distance"]
    assert "| average |" in (tmp_path / "out" / "one.md").read_text()
    # The same configuration gives the same network.
    rng = np.random.default_rng(0)
    for _ in range(5):
        audio = rng.standard_normal(45).astype(np.float32)
        speaker = LAYOUT.neutral() + np.float32(0.1) * rng.standard_normal(58).astype(np.float32)
        np.testing.assert_array_equal(first.step(audio, speaker), second.step(audio, speaker))


def test_a_set_in_files_is_trained_on_and_logged(app, folder, write_config, tmp_path):
    output, logs = tmp_path / "net.onnx", tmp_path / "logs"
    arguments = ["--config", str(write_config()), "--data", str(folder), "--output", str(output)]
    result = CliRunner().invoke(app, [*arguments, "--tensorboard", str(logs)])
    assert result.exit_code == 0, result.output
    card = load_listener(output).card
    assert "'set'" in card["data"] and f"--data {folder}" in card["command"]
    assert "synthetic" not in output.with_suffix(".md").read_text()
    reading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = reading.EventAccumulator(str(logs))
    events.Reload()
    assert {"loss/training", "loss/validation", "feature_distance/rotation"} <= set(events.Tags()["scalars"])
    assert [event.step for event in events.Scalars("loss/training")] == [1, 2, 3, 4]


def test_a_damaged_clip_is_skipped_and_named_on_the_card(config, folder, tmp_path):
    damaged = tmp_path / "set"
    shutil.copytree(folder, damaged)
    clip = sorted((damaged / "features" / "audio_feats").iterdir())[0]
    clip.write_bytes(b"")
    settings = config(data={"folder": str(damaged)}, optimiser={"epochs": 1})
    card = train(settings, tmp_path / "net.onnx", "train", ignore)
    assert card["skipped"].startswith("1 clips, the first: ") and clip.stem in card["skipped"]
    assert card["skipped"] in card_markdown(card)


def test_logs_without_tensorboard_are_refused(app, folder, write_config, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    arguments = ["--config", str(write_config()), "--output", str(tmp_path / "net.onnx")]
    result = CliRunner().invoke(app, [*arguments, "--tensorboard", str(tmp_path / "logs")])
    assert isinstance(result.exception, UserError) and "package 'tensorboard'" in str(result.exception)


@pytest.mark.parametrize("decoder", ["lstm", "gru", "transformer"])
def test_it_learns(config, tmp_path, decoder):
    losses = []
    settings = config(network={"decoder": decoder, "window": 20}, optimiser={"epochs": 30, "decay": 1.0})
    train(settings, tmp_path / "net.onnx", "", lambda progress: losses.append(progress.loss))
    assert losses[-1] < 0.9 * losses[0]
    listener = load_listener(tmp_path / "net.onnx")
    assert listener.card["decoder"] == decoder and listener.attitudes == ("positive", "neutral", "negative")


def test_an_interrupted_run_ends_as_if_it_had_not_been(config, tmp_path):
    whole, parts = tmp_path / "whole.onnx", tmp_path / "parts.onnx"
    settings = config()
    card = train(settings, whole, "train", ignore)
    with pytest.raises(Interrupted):
        train(settings, parts, "train", interrupt_after(2))
    assert not parts.exists()
    epochs = []
    resumed = train(settings, parts, "train", lambda progress: epochs.append(progress.done), resume=True)
    assert epochs == [3, 4]
    assert equal(weights(whole), weights(parts)) and resumed == card
    assert whole.read_bytes() == parts.read_bytes()


def test_a_run_is_resumed_with_what_it_was_begun_with_alone(config, folder, tmp_path):
    output = tmp_path / "net.onnx"
    with pytest.raises(UserError, match="no run to resume"):
        train(config(), output, "", ignore, resume=True)
    with pytest.raises(Interrupted):
        train(config(), output, "", interrupt_after(1))
    with pytest.raises(UserError, match="another configuration in optimiser"):
        train(config(optimiser={"learning_rate": 0.1}), output, "", ignore, resume=True)
    saved = saved_path(output)
    saved.write_bytes(saved.read_bytes()[:-2000])
    with pytest.raises(UserError, match="damaged"):
        train(config(), output, "", ignore, resume=True)


def test_it_ends_early_and_keeps_the_best_network(config, tmp_path):
    losses = []
    settings = config(optimiser={"epochs": 60, "patience": 2, "learning_rate": 0.3, "decay": 1.0})
    card = train(
        settings, tmp_path / "net.onnx", "", lambda progress: losses.append(progress.validation_loss)
    )
    assert card["epochs"] == len(losses) < 60
    assert min(losses[-2:]) >= min(losses[:-2])
    state = torch.load(saved_path(tmp_path / "net.onnx"), weights_only=True)["state"]
    assert state["least_loss"] == min(losses) and not equal(state["best"], state["network"])


FULL_DISK = """
import resource, sys
from pathlib import Path
from listener_head.errors import UserError
from listener_head.listener.configuration import load_config
from listener_head.listener.training import saved_path, train
output = Path(sys.argv[2])

def fill_up(progress):
    if progress.done == 2:
        size = saved_path(output).stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2))

try:
    train(load_config(Path(sys.argv[1])), output, "", fill_up)
except UserError as problem:
    print(problem)
    sys.exit(2)
"""


def run(command):
    return subprocess.run(command, capture_output=True, text=True, timeout=100, env=os.environ | ONE_THREAD)


ONE_THREAD = {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def test_a_full_disk_leaves_the_last_good_state(config, tmp_path):
    path, output, whole = tmp_path / "training.yaml", tmp_path / "net.onnx", tmp_path / "whole.onnx"
    path.write_text(yaml.safe_dump(config().model_dump(mode="json")))
    ended = run([sys.executable, "-c", FULL_DISK, str(path), str(output)])
    assert ended.returncode == 2 and "cannot write" in ended.stdout, ended.stderr
    assert sorted(each.name for each in tmp_path.iterdir()) == ["net.run.pt", "training.yaml"]
    assert torch.load(saved_path(output), weights_only=True)["state"]["epoch"] == 2
    train(config(), output, "", ignore, resume=True)
    train(config(), whole, "", ignore)
    assert equal(weights(output), weights(whole))


def test_two_processes_train_the_network_of_one(config, tmp_path):
    """Batches of equal clips, evenly shared: the mean gradient is the same but for rounding."""
    path, output, alone = tmp_path / "training.yaml", tmp_path / "net.onnx", tmp_path / "alone.onnx"
    path.write_text(yaml.safe_dump(config().model_dump(mode="json")))
    code = "from listener_head.cli import main; main()"
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--no-python"]
    command = ["train", "--config", str(path), "--output", str(output)]
    ended = run([*torchrun, sys.executable, "-c", code, *command])
    assert ended.returncode == 0, ended.stderr
    assert output.with_suffix(".md").exists() and ended.stdout.count("# tiny") == 1
    train(config(), alone, "", ignore)
    for name, expected in weights(alone).items():
        torch.testing.assert_close(weights(output)[name], expected, atol=1e-4, rtol=1e-3)


def test_more_processes_than_clips_are_refused(config, monkeypatch):
    from listener_head.listener.processes import Processes
    from listener_head.listener.training import Trainer

    settings = config()
    data = gather(settings.data, settings.seed, lambda done, total: None)
    with pytest.raises(UserError, match="9 processes cannot share"):
        Trainer(settings, data, Processes(0, 9))


@pytest.fixture
def clips():
    """Clips of many lengths, some without attitude."""
    from listener_head.dyads.clips import DyadClip

    rng = np.random.default_rng(0)

    def make(number):
        length = int(rng.integers(2, 200))
        audio, speaker, listener = (
            rng.standard_normal((length, size)).astype(np.float32) for size in (45, LAYOUT.size, LAYOUT.size)
        )
        attitude = ("positive", "negative")[number % 2]
        return DyadClip(f"{number}", audio, speaker, listener, attitude, "s", f"{number // 4}", "train")

    return [make(number) for number in range(20)]


def test_sequences_of_any_length_are_told_apart_from_padding(clips):
    statistics = measure(clips, LAYOUT, "paper45")
    batcher = Batcher(clips, LAYOUT, ("positive", "negative"), statistics)
    for chosen, batch in batcher.whole(6):
        assert batch.present.sum(dim=1).tolist() == [len(clip) - 1 for clip in chosen]
        for clip, audio, truth, reference in zip(
            chosen, batch.audio, batch.truth, batch.reference, strict=True
        ):
            raw = truth[: len(clip) - 1].numpy() * statistics.listener_std + statistics.listener_mean
            np.testing.assert_allclose(raw, clip.listener[1:], atol=1e-5)
            np.testing.assert_allclose(
                reference.numpy() * statistics.listener_std + statistics.listener_mean,
                clip.listener[0],
                atol=1e-5,
            )
            assert audio[len(clip) - 1 :].abs().sum() == 0


def test_processes_share_every_batch_at_equal_length(clips):
    statistics = measure(clips, LAYOUT, "paper45")
    batcher = Batcher(clips, LAYOUT, ("positive", "negative"), statistics)
    whole = list(batcher.drawn(np.random.default_rng(1), 5, 60))
    shares = [list(batcher.drawn(np.random.default_rng(1), 5, 60, rank, 2)) for rank in range(2)]
    assert sum(len(batch.audio) for batch in whole) >= 20
    for batch, first, second in zip(whole, *shares, strict=True):
        assert first.audio.shape[1] == second.audio.shape[1] == batch.audio.shape[1] <= 60
        torch.testing.assert_close(batch.truth[::2], first.truth, rtol=0, atol=0)
        torch.testing.assert_close(batch.truth[1::2], second.truth, rtol=0, atol=0)


def test_a_set_without_parts_or_attitudes(folder, config, tmp_path):
    table = folder / "metadata" / "data.csv"
    rows = [line.split(",") for line in table.read_text().splitlines()]

    def without(*columns):
        other = tmp_path / "_".join(columns)
        (other / "metadata").mkdir(parents=True)
        (other / "features").symlink_to(folder / "features")
        keep = [index for index, name in enumerate(rows[0]) if name not in columns]
        (other / "metadata" / table.name).write_text(
            "\n".join(",".join(row[i] for i in keep) for row in rows) + "\n"
        )
        return str(other)

    with pytest.raises(UserError, match="dyads split"):
        train(config(data={"folder": without("data_split")}), tmp_path / "a.onnx", "", ignore)
    train(config(data={"folder": without("attitude")}), tmp_path / "b.onnx", "", ignore)
    listener = load_listener(tmp_path / "b.onnx")
    assert listener.attitudes == () and np.isfinite(listener.step(np.zeros(45), LAYOUT.neutral())).all()


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
        ({"data": {"clips": 9, "seconds": "long"}}, r"data\.seconds"),
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
    tensors = torch.from_numpy(predicted), torch.from_numpy(truth)
    loss = listener_loss(*tensors, torch.ones(2, 7), LAYOUT, weights)
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    # What is after the end of a sequence does not count.
    longer = [torch.nn.functional.pad(part, (0, 0, 0, 5), value=9.0) for part in tensors]
    longer[0][:, 7:] -= 3
    present = torch.nn.functional.pad(torch.ones(2, 7), (0, 5))
    assert float(listener_loss(*longer, present, LAYOUT, weights)) == pytest.approx(expected, rel=1e-5)
