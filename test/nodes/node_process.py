"""A node as a process of its own, with what it says."""

import subprocess
import sys

from listener_head.paths import config_dir
from listener_head.runner import environment, own_domain


def start(executable, *arguments, **options):
    command = [sys.executable, "-m", f"listener_head.nodes.{executable}", "--ros-args"]
    command += ["--params-file", str(config_dir() / "listener_head.yaml"), *arguments]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(own_domain()),
        **options,
    )
