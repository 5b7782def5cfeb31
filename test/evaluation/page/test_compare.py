"""Evaluations side by side: what differs is told from chance, and no file from outside does harm."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made import metrics
from rich.console import Console

from listener_head.errors import UserError
from listener_head.evaluation.latency import write_metrics
from listener_head.evaluation.page.commands import compare
from listener_head.evaluation.page.compare import Comparison, Row, as_json, compare_evaluations
from listener_head.evaluation.page.comparison import rich_tables, summary, write_comparison
from listener_head.evaluation.page.model import read_evaluation


def compared(tmp_path: Path, a: dict[str, Any], b: dict[str, Any]) -> Comparison:
    for name, one in (("a", a), ("b", b)):
        write_metrics(one, tmp_path / name / "metrics.json")
    return compare_evaluations(
        read_evaluation(tmp_path / "a"), read_evaluation(tmp_path / "b" / "metrics.json")
    )


def row_of(comparison: Comparison, key: str) -> Row:
    (row,) = (row for row in comparison.rows if row.key == key)
    return row


def test_an_evaluation_is_like_itself(tmp_path: Path) -> None:
    same = compared(tmp_path, metrics(), metrics())

    assert same.paired and same.facts == []
    assert {row.difference for row in same.rows} == {0.0}
    assert not any(row.beyond_chance or row.better for row in same.rows)
    assert {row.section for row in same.rows} >= {"Means of windows of 5 s", "Beside the true listener"}


def test_the_same_moments_are_paired_and_a_small_gain_is_found(tmp_path: Path) -> None:
    other = metrics(shift=-0.1)
    other["listener"]["attitude"] = "positive"
    found = compared(tmp_path, metrics(), other)

    row = row_of(found, "distance_rotation")
    assert row.difference == pytest.approx(-0.1, abs=1e-4) and row.interval is not None
    assert row.beyond_chance and row.better == "b"
    assert row_of(found, "head_speed").beyond_chance is False
    assert [(fact.what, fact.a, fact.b) for fact in found.facts] == [
        ("listener attitude", "neutral", "positive")
    ]
    assert "1 of 2 measures differ beyond chance over the same moments of one recording" in summary(found)


def test_other_recordings_are_not_paired_and_a_small_gain_is_chance(tmp_path: Path) -> None:
    other = metrics("meeting", shift=-0.1, versions={"numpy": "2.0"})
    other["bag"]["hash"] = "ffffffffffff"
    other["schedule"]["rule"] = "recorded"
    found = compared(tmp_path, metrics(), other)

    row = row_of(found, "distance_rotation")
    assert not found.paired and row.beyond_chance is False and row.better is None
    assert {fact.what for fact in found.facts} == {
        "recording name",
        "recording hash",
        "schedule rule",
        "version of listener_head",
        "version of numpy",
    }


def test_what_is_better_is_told_where_it_is_known(tmp_path: Path) -> None:
    other = copy.deepcopy(metrics())
    other["statistics"]["nod_frequency"]["value"] = 3.0  # people's, unlike 5.5
    other["statistics"]["smile"]["value"] = 0.5
    other["latency"]["age_ms"]["p99"] = 50.0
    other["separability"]["accuracy"] = 0.9
    found = compared(tmp_path, metrics(), other)

    better = {row.key: row.better for row in found.rows if row.difference}
    assert better == {
        "nod_frequency": "b",
        "smile": None,
        "age_ms_p99": "a",
        "waiting_ms_p99": "a",
        "separability": "b",
    }


def test_the_command_writes_the_same_files_every_time(tmp_path: Path, capsys) -> None:
    write_metrics(metrics(), tmp_path / "a" / "metrics.json")
    write_metrics(metrics("m[red]x", shift=1.0), tmp_path / "b" / "metrics.json")
    found = []
    for run in ("one", "two"):
        compare(tmp_path / "a", tmp_path / "b", tmp_path / run)
        files = {path.name: path.read_bytes() for path in (tmp_path / run).iterdir()}
        assert sorted(files) == ["compare.html", "compare.json"]
        found.append(files)
    assert found[0] == found[1]
    told = json.loads(found[0]["compare.json"])
    assert told["format"] == "listener_head.comparison/1" and told["b"]["bag"]["name"] == "m[red]x"
    printed = capsys.readouterr().out
    assert "A is better" in printed and "m[red]x" in printed


def _damaged(content: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    *parents, last = path.split(".")
    part = content
    for key in parents:
        part = part[key]
    part[last] = value
    return content


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "EOF"),
        (b'{"format": "listener_head.evaluation/1", ', "EOF"),
        (b"\xff\xfe", "Invalid JSON"),
        (b"[1, 2]", "object"),
        (b'{"hello": 1}', "format"),
        (b"[" * 100_000, "recursion"),
        (_damaged(metrics(), "format", "listener_head.evaluation/2"), "this version reads"),
        (_damaged(metrics(), "statistics.smile.value", float("nan")), "statistics.smile.value"),
        (_damaged(metrics(), "statistics.smile.value", 1e300), "statistics.smile.value"),
        (_damaged(metrics(), "windows.start_s", [0.0]), "20 values for 1 windows"),
        (_damaged(metrics(), "listener", None), "listener"),
    ],
)
def test_other_files_are_refused_in_one_line(tmp_path: Path, content: Any, told: str) -> None:
    path = tmp_path / "metrics.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())

    with pytest.raises(UserError, match=told) as refused:
        read_evaluation(path)

    assert "\n" not in str(refused.value) and str(path) in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere.*No such file"):
        read_evaluation(tmp_path / "nowhere")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
PATHS = [
    f"{part}.{key}"
    for part in ("bag", "listener", "windows", "latency", "truth", "statistics")
    for key in metrics()[part]
] + ["live", "versions", "separability", "truth", "windows.values.head_speed", "statistics.smile.value"]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(PATHS), JSON)
def test_whatever_stands_in_a_file_is_compared_or_refused(tmp_path: Path, path: str, value: Any) -> None:
    file = tmp_path / "metrics.json"
    file.write_text(json.dumps(_damaged(metrics(), path, value)))
    write_metrics(metrics(), tmp_path / "good" / "metrics.json")
    try:
        other = read_evaluation(file)
    except UserError as refused:
        assert "\n" not in str(refused)
        return
    found = compare_evaluations(read_evaluation(tmp_path / "good"), other)
    json.dumps(as_json(found), allow_nan=False)
    for table in rich_tables(found):
        Console(quiet=True).print(table)
    write_comparison(found, tmp_path)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JSON)
def test_arbitrary_json_is_refused(tmp_path: Path, value: Any) -> None:
    file = tmp_path / "metrics.json"
    file.write_text(json.dumps(value))
    with pytest.raises(UserError):
        read_evaluation(file)
