"""The launch file, with the launch packages of a ROS installation, and the status that it ends with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from listener_head.runner import environment, own_domain

# What `ros2 launch listener_head replay.launch.py NAME:=VALUE ...` does.
LAUNCH = """
import sys
from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource

path = get_package_share_directory("listener_head") + "/launch/replay.launch.py"
arguments = [argument.split(":=", 1) for argument in sys.argv[1:]]
service = LaunchService()
service.include_launch_description(
    LaunchDescription(
        [IncludeLaunchDescription(PythonLaunchDescriptionSource(path), launch_arguments=arguments)]
    )
)
sys.exit(service.run())
"""
# A busy machine keeps none of these.
NO_LIMITS = [
    f"max_{name}:=inf"
    for name in (
        *("frames_lost_percent", "joint_p50_ms", "joint_p99_ms", "image_p99_ms"),
        *("joint_grid_p99_ms", "image_grid_p99_ms", "memory_mb"),
    )
]


def launch(*arguments: str) -> subprocess.CompletedProcess[str]:
    pytest.importorskip("launch_ros", reason="launch comes with a ROS installation only")
    return subprocess.run(
        [sys.executable, "-c", LAUNCH, *arguments],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, **environment(own_domain()), "COLUMNS": "120"},
    )


@pytest.mark.alone
@pytest.mark.timeout(300)
def test_it_ends_with_0_while_the_limits_are_kept(speaker_bag, tmp_path):
    output = tmp_path / "out"
    done = launch(f"bag:={speaker_bag}", f"output:={output}", "render:=false", *NO_LIMITS)
    assert done.returncode == 0, done.stdout + done.stderr
    metrics = json.loads((output / "metrics.json").read_text())
    assert metrics["agreement"]["largest"] <= 1e-4
    measured = metrics["live"]["cpu_percent"]
    assert len(measured) == 1 + 7  # the total and the nodes
    assert min(measured.values()) > 0
    assert list(tmp_path.iterdir()) == [output]


@pytest.mark.alone
@pytest.mark.timeout(300)
def test_it_ends_with_an_error_when_one_is_exceeded(speaker_bag, tmp_path):
    limits = [*NO_LIMITS, "max_joint_p99_ms:=0.5"]
    done = launch(f"bag:={speaker_bag}", f"output:={tmp_path / 'out'}", "render:=false", *limits)
    assert done.returncode != 0
    assert "limit 0.5 ms (max_joint_p99_ms)" in done.stdout
    assert Path(tmp_path / "out" / "report.html").exists()


@pytest.mark.parametrize(
    ("argument", "named"),
    [
        ("bag:=/nowhere.mcap", "/nowhere.mcap"),
        ("loops:=often", "loops"),
        ("max_jitter_ms:=small", "max_jitter_ms"),
    ],
)
def test_wrong_input_is_one_line_and_nothing_starts(speaker_bag, argument, named):
    done = launch(f"bag:={speaker_bag}", argument)
    assert done.returncode != 0
    errors = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line]
    assert len(errors) == 1
    assert named in errors[0]
    assert "process started" not in done.stdout + done.stderr
