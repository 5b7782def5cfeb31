"""Runs the launch tests beside this file where the launch packages of a ROS installation are there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from listener_head.runner import environment, own_domain

LAUNCH_TESTS = sorted(Path(__file__).parent.glob("*.test.py"))


@pytest.mark.alone
@pytest.mark.timeout(180)
@pytest.mark.parametrize("path", LAUNCH_TESTS, ids=lambda path: path.name)
def test_launch(path):
    pytest.importorskip("launch_testing_ros", reason="launch_testing comes with a ROS installation only")
    done = subprocess.run(
        [sys.executable, "-m", "launch_testing.launch_test", str(path)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment(own_domain())},
    )
    assert done.returncode == 0, done.stdout + done.stderr
