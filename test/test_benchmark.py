import json

import pytest
from rich.console import Console

from listener_head.benchmark import run_benchmarks
from listener_head.errors import UserError


def test_figures_of_one_benchmark_are_written(tmp_path):
    path = tmp_path / "deep" / "bench.json"
    figures = run_benchmarks(path, "mapper_step", Console(quiet=True))
    assert json.loads(path.read_text()) == figures
    row = figures["mapper_step"]
    assert {"ours_ms", "reference_ms", "ratio", "reference", "n"} <= set(row)
    assert 0 < row["ours_ms"] < 10


def test_a_folder_is_measured_as_a_whole():
    measured = run_benchmarks(None, "robot", Console(quiet=True))
    assert set(measured) == {"mapper_step", "mapper_step_face", "mapper_step_platform", "nod_delay"}


def test_unknown_benchmark_is_named():
    with pytest.raises(UserError, match=r"'warp' is unknown; choose one of evaluation, .*mapper_step"):
        run_benchmarks(None, "warp", Console(quiet=True))
