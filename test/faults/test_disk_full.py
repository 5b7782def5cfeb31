"""A disk that becomes full ends the recorder, and nothing else."""

from __future__ import annotations

import shutil

import pytest
from wired import NAMESPACE

from listener_head.evaluation import read_recording
from listener_head.graph import TOPICS, NodeSpec
from listener_head.runner import GraphRunner

SIZE = 300_000  # bytes that fit on the disk
RECORDED = [topic for topic in TOPICS if not topic.endswith("image")]  # a few seconds fit, of pictures less


def test_the_others_go_on_and_what_was_recorded_is_kept(graph, tmp_path):
    if shutil.which("prlimit") is None:
        pytest.skip("prlimit (util-linux), which limits the size of files, is not on this machine")
    pids = graph.runner.pids
    output = tmp_path / "recording"
    recorder = NodeSpec("recorder", {"output": str(output), "topics": RECORDED})
    (tmp_path / "logs").mkdir()
    domain = graph.runner.domain
    limited = GraphRunner(
        [recorder], NAMESPACE, True, tmp_path / "logs", domain, prefix=["prlimit", f"--fsize={SIZE}"]
    )
    with limited:
        graph.until(lambda: not limited.pids, "the disk to be full")
        # It is not started again, which would write over what is there.
        log = (tmp_path / "logs" / "recorder.log").read_text()
        assert f"cannot write {output}" in log
        assert "free some space" in log
        assert "Traceback" not in log
    assert len(read_recording(output).states.stamp_ns) > 10
    graph.until_whole()
    graph.unharmed(pids)
