"""The commands as a person types them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from listener_head.errors import EXIT_BAD_INPUT

COMMAND = [sys.executable, "-c", "from listener_head.cli import main; main()", "study"]


def run(*arguments: str) -> tuple[int, str]:
    """Exit status and what was printed."""
    done = subprocess.run(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60
    )
    return done.returncode, done.stdout


def test_from_the_table_to_the_tables(table, tmp_path):
    folder, key = tmp_path / "study", tmp_path / "study.key.json"
    status, text = run("make", str(table), "--output", str(folder), "--questions", "2")
    assert status == 0 and "3 preference questions, 2 for a rater" in text
    manifest = json.loads(key.read_text())["manifest"]
    questions = [each for each in manifest["questions"] if each["test"] == "preference"]
    answers = [
        {
            "question": each["id"],
            "shown": each["videos"],
            "choice": "equal",
            "seconds": 1,
            "at": "2025-01-01T00:00:00Z",
        }
        for each in questions
    ]
    sheet = {
        "format": "listener_head study answers 1",
        "study": manifest["study"],
        "rater": "a",
        "answers": answers,
    }
    (tmp_path / "a.json").write_text(json.dumps(sheet))
    (tmp_path / "cut.json").write_text(json.dumps(sheet)[:-9])
    files = [str(tmp_path / "a.json"), str(tmp_path / "cut.json")]
    status, text = run("analyse", *files, "--key", str(key), "--output", str(tmp_path / "results"))
    assert status == 0 and "100.0 / –" in text
    assert "1 skipped" in text and "cut.json" in text
    assert json.loads((tmp_path / "results" / "study.json").read_text())["answers"] == 3


@pytest.mark.parametrize("name", ["make", "serve", "analyse"])
def test_bad_input_is_one_line_and_status_2(name, tmp_path):
    absent = str(tmp_path / "none")
    more = ("--key", absent) if name == "analyse" else ()
    status, text = run(name, absent, *more, "--output", str(tmp_path / "out"))
    assert status == EXIT_BAD_INPUT
    (line,) = text.strip().splitlines()
    assert line.startswith("error: ") and absent in line
