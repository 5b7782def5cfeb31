"""The command, on real processes, for as short as it goes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from listener_head.soak.drift import PARTS
from listener_head.soak.run import SETTLE

COMMAND = [sys.executable, "-c", "import sys; from listener_head.cli import main; sys.exit(main())", "soak"]


def soak(output: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, "--output", str(output), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "COLUMNS": "120"},
    )


@pytest.mark.alone
def test_a_node_that_dies_ends_it_and_what_was_measured_is_kept(tmp_path):
    running = soak(tmp_path / "soak", "--minutes", "0.5")
    killer = threading.Thread(target=kill_the_listener, args=(running, tmp_path))
    killer.start()
    said, _ = running.communicate(timeout=100)
    killer.join()
    assert running.returncode == 1, said
    assert "listener ended with status -9" in said
    metrics = json.loads((tmp_path / "soak" / "metrics.json").read_text())
    assert "listener" in metrics["failure"]
    assert len(metrics["windows"]) >= 1
    row = metrics["windows"][0]
    assert row["lost"]["steps"]["expected"] > 100
    assert row["joint_latency_ms"]["p50"] > 0
    assert set(row["memory_mb"]) >= {"total", "listener", "renderer", "face_fit"}
    assert (tmp_path / "soak" / "drift.png").exists()


def kill_the_listener(soaking: subprocess.Popen[str], folder: Path) -> None:
    """When the first sixth of half a minute has been measured."""
    wait_for_the_speaker(soaking, folder)
    time.sleep(SETTLE + 30.0 / PARTS + 2.0)
    nodes = psutil.Process(soaking.pid).children()
    next(node for node in nodes if "listener_head.nodes.listener" in node.cmdline()).kill()


def wait_for_the_speaker(soaking: subprocess.Popen[str], folder: Path) -> None:
    while not any("playing" in log.read_text() for log in folder.glob(".soak-*/logs/speaker_source.log")):
        assert soaking.poll() is None
        time.sleep(0.2)


@pytest.mark.alone
def test_terminated_it_ends_its_nodes_and_leaves_nothing(tmp_path):
    running = soak(tmp_path / "soak")
    wait_for_the_speaker(running, tmp_path)
    nodes = psutil.Process(running.pid).children()
    running.send_signal(signal.SIGTERM)
    said, _ = running.communicate(timeout=30)
    assert len(nodes) >= 7
    assert not [node for node in nodes if node.is_running()], said
    assert running.returncode not in (0, 2) and "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def test_a_video_without_a_face_is_refused_at_once(tmp_path, write_clip):
    running = soak(tmp_path / "soak", "--input", str(write_clip(tmp_path / "wall.mkv")))
    said, _ = running.communicate(timeout=60)
    assert running.returncode == 2
    assert "shows no face" in said
    assert not (tmp_path / "soak").exists()
