"""`listener_head record` as a user calls it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from listener_head.bags import open_bag
from listener_head.errors import UserError
from listener_head.graph import NodeSpec
from listener_head.recording_commands import record
from listener_head.runner import GraphRunner, environment, own_domain

DOMAIN = own_domain()
COMMAND = "import typer; from listener_head.recording_commands import record; typer.run(record)"

app = typer.Typer()
app.command()(record)


def call(*arguments: object):
    return CliRunner().invoke(app, [str(each) for each in arguments])


def test_a_clip_becomes_a_recording(tmp_path: Path, write_clip: Callable[..., Path]) -> None:
    clip = write_clip(tmp_path / "clip.mp4", seconds=0.4)

    result = call("--input", clip, "--listener", clip, "--attitude", "positive", "--output", tmp_path / "bag")

    assert result.exit_code == 0, result.output
    assert "0.4 s, 41 messages" in result.output
    with open_bag(tmp_path / "bag") as bag:
        assert {topic.name: topic.count for topic in bag.topics} == {
            "/attitude": 1,
            "/listener_camera/image/compressed": 10,
            "/speaker/audio": 20,
            "/speaker/image/compressed": 10,
        }


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--input", "a.mp4", "--camera", 0], "--input and --camera are both given"),
        (["--input", "a.mp4"], "a.mp4' is not a file"),
        (["--listener", "a.mp4"], "need --input"),
        (["--raw", "--camera", 0], "need --input"),
        (["--microphone"], "--microphone needs --camera"),
        (["--input", "a.mp4", "--topics", "/a"], "leave out --input"),
        (["--input", "a.mp4", "--seconds", 3], "--seconds is for"),
        (["--camera", 250], "camera 250 cannot be opened"),
        (["--topics", "what is this"], "'what is this' is no name of ROS"),
    ],
)
def test_wrong_options_are_refused(tmp_path: Path, arguments: list, text: str) -> None:
    result = call(*arguments, "--output", tmp_path / "bag")

    assert isinstance(result.exception, UserError)
    assert text in str(result.exception)
    assert not list(tmp_path.iterdir())


def test_an_output_that_exists_is_refused(tmp_path: Path) -> None:
    assert "exists already" in str(call("--output", tmp_path).exception)


def test_a_running_graph_is_recorded_until_ctrl_c(tmp_path: Path, write_clip: Callable[..., Path]) -> None:
    clip = write_clip(tmp_path / "clip.mp4", seconds=1.0)
    # The source waits until it is recorded, and the command until there is something to record.
    source = NodeSpec("speaker_source", {"video": str(clip), "wait_for": ["speaker/image", "speaker/audio"]})
    logs = tmp_path / "logs"
    logs.mkdir()
    command = [sys.executable, "-c", COMMAND, "--namespace", "live", "--output", str(tmp_path / "bag")]
    with GraphRunner([source], "live", True, logs, DOMAIN) as runner:
        process = subprocess.Popen(
            command, env=environment(DOMAIN), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        try:
            while not runner.poll():
                assert process.poll() is None, process.communicate()[0]
                try:
                    process.wait(0.2)
                except subprocess.TimeoutExpired:
                    continue
            process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=20)
        finally:
            process.kill()

    assert process.returncode == 0, said
    assert "messages" in said and "Traceback" not in said
    with open_bag(tmp_path / "bag") as bag:
        counts = {topic.name: topic.count for topic in bag.topics}
    assert counts["/live/speaker/image"] == 25
    assert counts["/live/speaker/audio"] == 50
