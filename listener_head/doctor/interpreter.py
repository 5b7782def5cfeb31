"""The Python that runs this."""

from __future__ import annotations

import platform
import sys

from listener_head.doctor.finding import Finding, failure, ok

# As pyproject.toml's requires-python. MediaPipe 0.10.21 has builds for these, and for this processor alone.
SUPPORTED = ((3, 11), (3, 12))
MACHINE = "x86_64"


def interpreter(
    version: tuple[int, int] = sys.version_info[:2], machine: str = platform.machine()
) -> Finding:
    """Whether the packages that listener_head needs exist for this Python and this processor."""
    found = f"Python {version[0]}.{version[1]} on {machine}, {sys.executable}"
    if version not in SUPPORTED:
        known = " or ".join(f"{major}.{minor}" for major, minor in SUPPORTED)
        return failure(
            f"{found}: MediaPipe has no build for it", f"use Python {known}: python3.12 -m venv ..."
        )
    if machine != MACHINE:
        return failure(
            f"{found}: MediaPipe and the ROS wheels have no build for it",
            f"run perception on an {MACHINE} computer; the nodes talk over the network",
        )
    return ok(found)
