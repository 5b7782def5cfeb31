"""`listener_head evaluate` on recordings."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from listener_head.cli import app
from listener_head.errors import EXIT_PARTIAL, UserError

NOT_THE_SAME = ("times",)


def evaluate(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["evaluate", *map(str, arguments)])
    if isinstance(result.exception, UserError):
        raise result.exception
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout


def metrics_in(folder: Path) -> dict:
    return json.loads((folder / "metrics.json").read_text())


@pytest.fixture(scope="module")
def evaluated(talk_bag: Path, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("evaluated") / "out"
    status, text = evaluate(talk_bag, "--output", output, "--video-seconds", 1, "--attitude", "positive")
    assert status == 0 and "report.html" in text and "Network" in text
    return output


def test_everything_is_there(evaluated: Path, talk_bag: Path) -> None:
    assert {path.name for path in evaluated.iterdir()} == {"metrics.json", "report.html", "listener.mp4"}
    metrics = metrics_in(evaluated)
    assert metrics["bag"]["topics"]["image"] == "/speaker/image/compressed"
    assert metrics["listener"]["attitude"] == "positive"
    assert metrics["frames"]["with_speaker"] >= 118 and metrics["frames"]["with_face"] == 120
    assert metrics["problems"] == []
    assert 0.1 < metrics["statistics"]["smile"]["value"] < 1.0
    assert metrics["versions"]["face model"]


def test_two_runs_give_the_same_numbers(evaluated: Path, talk_bag: Path, tmp_path: Path) -> None:
    evaluate(talk_bag, "--output", tmp_path / "again", "--video-seconds", 0, "--attitude", "positive")
    one, two = metrics_in(evaluated), metrics_in(tmp_path / "again")
    for name in NOT_THE_SAME:
        one.pop(name), two.pop(name)
    assert one == two


def test_policies_stand_beside_the_true_listener(evaluated: Path) -> None:
    """The true listener here does at every moment what the speaker does: a mirror is nearest."""
    distances = metrics_in(evaluated)["truth"]["distances"]
    assert set(distances) == {"random", "simulation", "simulation_attitude", "mean", "mirror", "network"}
    assert all(np.isfinite(list(row.values())).all() for row in distances.values())
    assert distances["mirror"]["rotation"] == min(row["rotation"] for row in distances.values())


def test_a_folder_that_is_not_ours_is_not_replaced(talk_bag: Path, tmp_path: Path) -> None:
    (tmp_path / "photographs").mkdir()
    (tmp_path / "photographs" / "me.jpg").write_bytes(b"dear")
    with pytest.raises(UserError, match="no result of an earlier run"):
        evaluate(talk_bag, "--output", tmp_path / "photographs")
    assert (tmp_path / "photographs" / "me.jpg").exists()


def test_of_several_recordings_what_can_be_evaluated_is(write_run, tmp_path: Path) -> None:
    good = write_run(seconds=3.0, speaker_images=False)
    empty = tmp_path / "empty.mcap"
    empty.touch()
    status, text = evaluate(good, empty, "--output", tmp_path / "out", "--video-seconds", 0)
    assert status == EXIT_PARTIAL
    assert "empty is not evaluated" in text
    metrics = metrics_in(tmp_path / "out")
    assert list(metrics["bags"]) == [good.name] and "empty" in metrics["together"]["failures"]
    assert (tmp_path / "out" / good.name / "report.html").is_file()
    assert (tmp_path / "out" / "index.html").is_file()


def test_a_live_run_is_repeated_by_its_own_choices(write_run, tmp_path: Path) -> None:
    run = write_run(seconds=3.0, speaker_images=False, lose={"listener/state": {40, 41}})
    status, _ = evaluate(run, "--schedule", "recorded", "--output", tmp_path / "out", "--video-seconds", 0)
    assert status == 0
    metrics = metrics_in(tmp_path / "out")
    assert metrics["schedule"]["rule"] == "recorded" and metrics["frames"]["steps"] == 88


def test_a_recording_that_was_cut_off_is_evaluated_and_said(talk_bag: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut"
    shutil.copytree(talk_bag, cut)
    file = next(cut.glob("*.mcap"))
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    status, text = evaluate(cut, "--output", tmp_path / "out", "--video-seconds", 0)
    assert status == EXIT_PARTIAL and "cut off" in text
    assert "cut off" in " ".join(metrics_in(tmp_path / "out")["problems"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give recordings, or --dyads"),
        (("nowhere",), "nowhere does not exist"),
        (("BAG", "--image", "/front"), "has no topic '/front'; it has .*speaker/image"),
        (("BAG", "--image", "/speaker/audio"), "has type listener_head/msg/AudioChunk; it needs sensor_msgs"),
        (("BAG", "--clock", "moon"), "clock 'moon' is unknown"),
        (("BAG", "--schedule", "recorded"), "has no listener/state"),
        (("BAG", "--schedule", "never"), "schedule 'never' is unknown"),
        (("BAG", "--attitude", "bored"), "attitude 'bored' is unknown"),
        (("BAG", "--policy", "parrot"), "policy 'parrot' is unknown"),
        (("BAG", "--policies", "parrot"), "policy 'parrot' is unknown"),
        (("BAG", "--network", "/no/net.onnx"), "/no/net.onnx"),
        (("BAG", "--renderer", "oil"), "oil"),
        (("BAG", "--dyads", "set"), "give recordings, or --dyads"),
    ],
)
def test_wrong_input_is_one_line(talk_bag: Path, tmp_path: Path, arguments, message) -> None:
    given = [talk_bag if each == "BAG" else each for each in arguments]
    with pytest.raises(UserError, match=message) as problem:
        evaluate(*given, "--output", tmp_path / "out")
    assert "\n" not in str(problem.value)
    assert not (tmp_path / "out").exists()
