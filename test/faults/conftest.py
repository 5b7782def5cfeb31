"""One graph for all faults: what does not fall over once must not fall over the next time."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from listener_head.demo import shipped_clip
from listener_head.runner import own_domain

# The tests import `wired` from here; pytest's importlib mode adds no folder to the path.
sys.path.insert(0, str(Path(__file__).parent))

# `make faults`: as many and as long as they are meant, and the time to recover is judged.
FULL = os.environ.get("LISTENER_HEAD_FAULTS") == "full"


@pytest.fixture(scope="session")
def full() -> bool:
    return FULL


@pytest.fixture(scope="session")
def running(ros, tmp_path_factory) -> Iterator:
    from wired import Wired

    graph = Wired(ros, shipped_clip(), tmp_path_factory.mktemp("graph"), own_domain())
    try:
        graph.until_whole()
        yield graph
    finally:
        graph.close()


@pytest.fixture
def graph(running) -> Iterator:
    """The graph, whole; mended and whole again afterwards."""
    running.wrong.clear()
    yield running
    running.mend()
    running.until_whole()
