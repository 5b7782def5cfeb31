"""Tables 4 and 5 from answers, and what is wrong with answer files."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from listener_head.dyads.clips import ATTITUDES
from listener_head.errors import UserError
from listener_head.study.analyse import analyse, score
from listener_head.study.answers import Answers, read_answers
from listener_head.study.model import read_key
from listener_head.study.store import AnswerStore

FIXTURES = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def write(folder: Path, name: str, sheet) -> Path:
    path = folder / name
    path.write_text(sheet.model_dump_json())
    return path


def cells(scores) -> dict[tuple[str, str, str], tuple[float, float | None, int]]:
    return {
        (each.test, each.set, each.what): (each.mean_percent, each.variance, each.raters) for each in scores
    }


def right(study, question: str) -> dict[str, str]:
    return {name: study.key.videos[name].attitude for name in study.key.manifest.by_id[question].videos}


def preferring(study, rater: str, outcomes: list[str]):
    """A sheet with the outcome for each preference question of D_test."""
    answers = []
    for question, outcome in zip(study.questions("preference", "test"), outcomes, strict=True):
        choice = "equal" if outcome == "equal" else study.video(question, truth=outcome == "gt")
        answers.append(study.answer(question, choice))
    return study.sheet(rater, answers)


def test_preference_is_the_mean_and_variance_of_the_raters_percentages(study, tmp_path):
    sheets = [preferring(study, "a", ["gt", "gt"]), preferring(study, "b", ["equal", "gt"])]
    sheets.append(preferring(study, "c", ["pd", "equal"]))
    paths = [write(tmp_path, f"{sheet.rater}.json", sheet) for sheet in sheets]
    table = cells(score(read_answers(paths, study.key.manifest), study.key))
    expected = {"Equal": [0, 50, 50], "GT Better": [100, 50, 0], "PD Better": [0, 0, 50]}
    for what, percents in expected.items():
        assert table["preference", "test", what] == pytest.approx(
            (np.mean(percents), np.var(percents, ddof=1), 3)
        )
    assert not any(of == "ood" for _, of, _ in table)


def test_matching_is_the_share_of_listeners_seen_right(study, tmp_path):
    (first, second) = study.questions("matching", "test")
    all_positive = dict.fromkeys(right(study, second), "positive")
    sheet = study.sheet("a", [study.answer(first, right(study, first)), study.answer(second, all_positive)])
    table = cells(score(read_answers([write(tmp_path, "a.json", sheet)], study.key.manifest), study.key))
    assert table == {
        ("matching", "test", "positive"): (100.0, None, 1),
        ("matching", "test", "neutral"): (50.0, None, 1),
        ("matching", "test", "negative"): (50.0, None, 1),
    }


def test_rater_counts_once_with_the_last_answer(study, tmp_path):
    """One rater in two files and the database, spelt in two ways."""
    (question,) = study.questions("preference", "ood")
    truth, generated = study.video(question, True), study.video(question, False)
    old, new = study.answer(question, truth, minute=1), study.answer(question, generated, minute=2)
    paths = [write(tmp_path, "new.json", study.sheet("Anna  B", [new]))]
    paths.append(write(tmp_path, "old.json", study.sheet(" anna b", [old])))
    AnswerStore(tmp_path / "answers.db").put(study.sheet("anna b", [new]))
    paths.append(tmp_path / "answers.db")
    for order in (paths, paths[::-1]):
        found = read_answers(order, study.key.manifest)
        assert found.answers == {("anna b", question): new}
        assert found.duplicates >= 1
        assert cells(score(found, study.key))["preference", "ood", "PD Better"][0] == 100


def test_results_are_written_and_printed(study, tmp_path):
    path = write(tmp_path, "a.json", preferring(study, "a", ["gt", "equal"]))
    console = Console(width=100, record=True, file=io.StringIO())
    analyse([path], study.key_path, tmp_path / "out", console)
    text = console.export_text()
    assert "GT Better" in text and "50.0 / –" in text and "1 rater," in text
    written = json.loads((tmp_path / "out" / "study.json").read_text())
    assert written["raters"] == 1 and written["skipped"] == []
    with (tmp_path / "out" / "study.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["what"] for row in rows] == ["Equal", "GT Better", "PD Better"]
    assert [float(row["mean_percent"]) for row in rows] == [50, 50, 0]


def test_damaged_files_are_named_and_the_rest_counts(study, tmp_path):
    good = write(tmp_path, "good.json", preferring(study, "a", ["gt", "equal"]))
    (tmp_path / "cut.json").write_bytes(good.read_bytes()[:-40])
    (tmp_path / "empty.json").write_bytes(b"")
    other = preferring(study, "b", ["gt", "gt"]).model_copy(update={"study": "another"})
    write(tmp_path, "other.json", other)
    foreign = study.answer(study.questions("preference", "test")[0], "nobody")
    write(tmp_path, "foreign.json", study.sheet("c", [foreign]))
    (tmp_path / "cut.db").write_bytes(b"SQLite format 3\0" + b"\0" * 100)
    with sqlite3.connect(tmp_path / "table.db") as connection:
        connection.execute("CREATE TABLE other (x)")
    connection.close()
    names = ["cut.json", "empty.json", "other.json", "foreign.json", "cut.db", "table.db", "absent.json"]
    found = read_answers([good, *(tmp_path / name for name in names)], study.key.manifest)
    assert found.raters == ["a"] and len(found.answers) == 2
    assert len(found.skipped) == len(names)
    for name, line in zip(names, found.skipped, strict=True):
        assert name in line and "\n" not in line


def test_wrong_row_of_a_database_is_skipped_alone(study, tmp_path):
    path = tmp_path / "answers.db"
    AnswerStore(path).put(preferring(study, "a", ["gt", "equal"]))
    with sqlite3.connect(path) as connection:
        connection.execute(
            "INSERT INTO answers VALUES (?, 'z', 'q', ?, '')", (study.key.manifest.study, b"\xff{")
        )
        connection.execute("INSERT INTO answers VALUES (?, 'y', 'q', '{}', '')", (study.key.manifest.study,))
    connection.close()
    found = read_answers([path], study.key.manifest)
    assert len(found.answers) == 2 and len(found.skipped) == 2
    assert "an answer of y: question: Field required" in found.skipped[1]


def test_no_answer_at_all_is_an_error(study, tmp_path):
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(UserError, match=r"no answer to study .*a\.json.*give its answer files") as caught:
        read_answers([tmp_path / "a.json"], study.key.manifest)
    assert "\n" not in str(caught.value)


def test_file_that_is_no_key(study, tmp_path):
    broken = json.loads(study.key_path.read_text())
    broken["videos"].popitem()
    (tmp_path / "k.json").write_text(json.dumps(broken))
    with pytest.raises(UserError, match=r"is missing.*give the key file"):
        read_key(tmp_path / "k.json")
    with pytest.raises(UserError, match="give the key file"):
        read_key(study.folder / "manifest.js")


@FIXTURES
@given(content=st.binary(max_size=300))
def test_any_bytes_are_a_skip(study, tmp_path, content):
    path = tmp_path / "any.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match="no answer"):
        read_answers([path], study.key.manifest)


@FIXTURES
@given(data=st.data())
def test_any_change_of_a_file_is_a_skip_or_an_answer(study, tmp_path, data):
    """One value anywhere in a sheet becomes something else: nothing but a UserError comes of it."""
    content = json.loads(preferring(study, "a", ["gt", "equal"]).model_dump_json())
    where = data.draw(st.sampled_from([content, content["answers"][0]]))
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    junk = st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2)
    )
    where[data.draw(st.sampled_from(sorted(where)))] = data.draw(junk)
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(content))
    try:
        found = read_answers([path], study.key.manifest)
    except UserError as problem:
        assert "\n" not in str(problem)
        return
    for each in score(found, study.key):
        assert 0 <= each.mean_percent <= 100


@FIXTURES
@given(data=st.data())
def test_tables_hold_together_whatever_is_answered(study, data):
    """Shares of the preference test sum to 100, and the order of the answers is of no account."""
    drawn = []
    for rater in data.draw(st.lists(st.sampled_from("abcd"), min_size=1, max_size=4)):
        for question in data.draw(
            st.lists(st.sampled_from(study.key.manifest.questions), min_size=1, max_size=6)
        ):
            if question.test == "matching":
                choice = {name: data.draw(st.sampled_from(ATTITUDES)) for name in question.videos}
            else:
                choice = data.draw(st.sampled_from(["equal", *question.videos]))
            minute = data.draw(st.integers(0, 3))
            drawn.append((rater, study.answer(question.id, choice, minute)))
    scores = []
    for order in (drawn, drawn[::-1]):
        found = Answers()
        for rater, answer in order:
            found.add(rater, answer)
        scores.append(cells(score(found, study.key)))
    assert scores[0].keys() == scores[1].keys()
    for cell, value in scores[0].items():
        assert value == pytest.approx(scores[1][cell])
    for of in ("test", "ood"):
        shares = [
            value[0] for (test, name, _), value in scores[0].items() if (test, name) == ("preference", of)
        ]
        assert not shares or sum(shares) == pytest.approx(100)
