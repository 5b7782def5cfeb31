"""Runs of the graph to read, for the tests of this folder."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# The tests import `synthetic_run` from here; pytest's importlib mode adds no folder to the path.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def write_run(tmp_path: Path) -> Callable[..., Path]:
    """Write a synthetic run; the arguments are the fields of ``synthetic_run.Run``."""
    from synthetic_run import Run

    def write(name: str = "recording", **fields: Any) -> Path:
        return Run(**fields).write(tmp_path / name)

    return write
