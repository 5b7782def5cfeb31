"""The replay as a user runs it: real processes, real DDS, a recording of the clip that ships."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from listener_head.bags import open_bag
from listener_head.errors import UserError
from listener_head.evaluation.latency import FLAGS
from listener_head.evaluation.recording import read_recording
from listener_head.replay.commands import replay

# This machine may be busy: what counts here is that limits are kept and exceeded, not which.
NO_LIMITS = [
    *("--max-frames-lost-percent", "inf", "--max-joint-p50-ms", "inf", "--max-joint-p99-ms", "inf"),
    *("--max-image-p99-ms", "inf", "--max-joint-grid-p99-ms", "inf", "--max-image-grid-p99-ms", "inf"),
    *("--max-memory-mb", "inf"),
]


def run(*arguments: str | Path):
    app = typer.Typer()
    app.command()(replay)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def output(speaker_bag, tmp_path_factory) -> Path:
    """What a replay leaves whose recording was played twice."""
    folder = tmp_path_factory.mktemp("run") / "replay"
    done = run(speaker_bag, "--loops", "2", "--no-renderer", "--output", folder, *NO_LIMITS)
    assert done.exit_code == 0, done.output + str(done.exception)
    return folder


@pytest.mark.alone
@pytest.mark.timeout(240)
def test_live_is_what_offline_is_in_both_passes(output):
    metrics = json.loads((output / "metrics.json").read_text())
    assert metrics["schedule"]["rule"] == "recorded"
    agreement = metrics["agreement"]
    assert agreement["largest"] <= 1e-4
    assert agreement["missing"] == agreement["extra"] == 0
    assert agreement["compared"] > 2 * 30 * 4.5  # with the seconds before and after


@pytest.mark.alone
def test_the_listener_begins_anew_once_and_says_so(output):
    states = read_recording(output / "recording").states
    assert int((states.flags & FLAGS["clock_jumped"] > 0).sum()) == 1
    assert int((states.frame == 0).sum()) == 2
    for node in ("listener", "face_fit", "audio_features"):
        said = (output / "logs" / f"{node}.log").read_text()
        assert said.count("anew") == 1, said


@pytest.mark.alone
def test_the_report_has_what_was_measured(output, speaker_bag):
    metrics = json.loads((output / "metrics.json").read_text())
    live = metrics["live"]
    assert live["passes"] == 2
    with open_bag(speaker_bag) as bag:
        assert live["frames_in"] == next(t.count for t in bag.topics if t.name == "/robot/camera/image_raw")
    assert 0 < live["processing_ms"]["joint"]["p50"] < live["joint_latency_ms"]["p99"] < 500
    assert 0 < live["jitter_ms"]["joint"]["deviation"] < 100
    nodes = {"audio_features", "face_fit", "listener", "joint_mapper", "simulated_robot", "recorder"}
    for kind in ("cpu_percent", "memory_mb"):
        assert set(live[kind]) == {*nodes, "bag_player", "total"}
    assert [each["name"] for each in metrics["thresholds"]] == ["agreement"]
    assert (output / "report.html").stat().st_size > 10_000


@pytest.mark.alone
def test_a_limit_that_is_exceeded_is_named_and_ends_with_status_1(output, speaker_bag, tmp_path):
    recording = shutil.copytree(output / "recording", tmp_path / "recording")
    limits = [*NO_LIMITS, "--max-joint-p99-ms", "0.5"]
    # As replay.launch.py does it: the graph is not this process's.
    arguments = ["--loops", "2", "--no-renderer", "--launched", recording, "--output", tmp_path / "again"]
    done = run(speaker_bag, *arguments, *limits)
    assert done.exit_code == 1
    named = [line for line in done.stdout.splitlines() if line.startswith("exceeded:")]
    assert len(named) == 1
    assert "limit 0.5 ms (max_joint_p99_ms)" in named[0]
    exceeded = json.loads((tmp_path / "again" / "metrics.json").read_text())["thresholds"]
    assert [each["name"] for each in exceeded if each["exceeded"]] == ["joint_p99_ms"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--image", "/no/such/topic"], "/no/such/topic"),
        (["--audio", "/robot/camera/image_raw"], "/robot/camera/image_raw"),
        (["--max-jitter-ms", "-1"], "max_jitter_ms"),
        (["--robot", "hal9000"], "hal9000"),
        (["--attitude", "sarcastic"], "sarcastic"),
        (["--network", "/nowhere.onnx"], "/nowhere.onnx"),
    ],
)
def test_wrong_input_is_named_before_anything_starts(speaker_bag, tmp_path, arguments, named):
    done = run(speaker_bag, *arguments, "--output", tmp_path / "out")
    assert isinstance(done.exception, UserError)
    assert named in str(done.exception)
    assert "\n" not in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_a_recording_that_is_not_there_is_named(tmp_path):
    done = run(tmp_path / "nothing", "--output", tmp_path / "out")
    assert isinstance(done.exception, UserError)
    assert "nothing" in str(done.exception)
