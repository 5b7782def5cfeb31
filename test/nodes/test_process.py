"""Each node as a process of its own: it comes up by itself and ends when it is told to."""

import signal

import pytest
from node_process import start

from listener_head.graph import DemoOptions, demo_nodes

NODES = [*(spec.executable for spec in demo_nodes(DemoOptions(record="x"))), "live_link"]
PARAMETERS = {
    "joint_mapper": ["-p", "allow_unverified:=true"],
    "speaker_source": ["-p", "camera:=-1", "-p", "microphone:=none"],
}


def read_until_active(process):
    for line in process.stdout:
        if line.rstrip().endswith("active"):
            return
    raise AssertionError(f"ended with status {process.wait()} before it was active")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.parametrize("executable", NODES)
def test_it_ends_cleanly_when_told_to(executable, number, tmp_path):
    process = start(executable, *PARAMETERS.get(executable, []), cwd=tmp_path)
    try:
        read_until_active(process)
        process.send_signal(number)
        said, _ = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 0, said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("executable", "arguments", "expected"),
    [
        ("joint_mapper", ["-p", "robot:=hal9000"], "hal9000"),
        ("joint_mapper", ["-p", "robot:=3"], "robot"),
        ("live_link", ["-p", "host:=no.such.host.invalid"], "no.such.host.invalid"),
        ("live_link", ["-p", "port:=0"], "port"),
        ("listener", ["-p", "network:=/nowhere.onnx"], "/nowhere.onnx"),
        ("listener", ["-p", "attitude:=sarcastic"], "sarcastic"),
        ("renderer", ["-p", "size:=100000"], "size"),
        ("face_fit", ["-p", "face_model:=flame"], "flame"),
        ("audio_features", ["-p", "layout:=mel80"], "mel80"),
        ("speaker_source", ["-p", "video:=/nowhere.mp4"], "/nowhere.mp4"),
        ("bag_player", ["-p", "bag:=/nowhere.mcap"], "/nowhere.mcap"),
        ("recorder", ["-p", "topics:=[weather]", "-p", "wait_timeout:=0.1"], "weather"),
    ],
)
def test_wrong_parameter_is_one_line_and_status_2(executable, arguments, expected, tmp_path):
    process = start(executable, *arguments, cwd=tmp_path)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 2, said
    assert "Traceback" not in said
    assert expected in said.strip().splitlines()[-1]
