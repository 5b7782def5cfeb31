"""Answer files and databases together: one answer of a rater to a question, and what was left out and why."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from listener_head.checked_json import parse, reason_of
from listener_head.errors import UserError
from listener_head.study.model import Answer, Manifest, Sheet
from listener_head.study.store import MAGIC, read_rows

# Above what the page can give by far.
MAX_FILE_BYTES = 100_000_000


@dataclass
class Answers:
    """``answers`` by (rater, question). ``skipped``: a line per file or answer that does not count.

    ``duplicates`` counts answers that a later one of the same rater to the same question replaces.
    """

    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    duplicates: int = 0

    @property
    def raters(self) -> list[str]:
        """Everybody with an answer, by name."""
        return sorted({rater for rater, _ in self.answers})

    def add(self, rater: str, answer: Answer) -> None:
        """Take an answer; of two to one question the later counts, wherever it was read."""
        where = rater, answer.question
        before = self.answers.get(where)
        if before == answer:
            return
        self.duplicates += before is not None
        # The text decides between two of one instant, so that the order of the files never matters.
        if before is None or _order(before) < _order(answer):
            self.answers[where] = answer


def _order(answer: Answer) -> tuple[object, str]:
    return answer.at, answer.model_dump_json()


def read_answers(paths: Iterable[Path], manifest: Manifest) -> Answers:
    """All answers to the study in the files; UserError where there is not one."""
    found = Answers()
    for path in dict.fromkeys(path.resolve() for path in paths):
        try:
            sheets = list(_sheets(path, found))
        except (OSError, ValueError, sqlite3.Error) as problem:
            found.skipped.append(f"{path}: {reason_of(problem)}")
            continue
        for sheet in sheets:
            if sheet.study != manifest.study:
                found.skipped.append(f"{path}: answers to another study ({sheet.study})")
                continue
            for answer in sheet.answers:
                if wrong := answer.problem(manifest):
                    found.skipped.append(f"{path}: {sheet.rater}: {wrong}")
                else:
                    found.add(sheet.rater, answer)
    if not found.answers:
        why = f" ({found.skipped[0]})" if found.skipped else ""
        raise UserError(f"no answer to study {manifest.study}{why}; give its answer files or database")
    return found


def _sheets(path: Path, found: Answers) -> Iterator[Sheet]:
    """The sheets of one file; a database has one per answer."""
    with path.open("rb") as file:
        is_database = file.read(len(MAGIC)) == MAGIC
    if is_database:
        for study, rater, answer in read_rows(path):
            try:
                yield Sheet(study=study, rater=rater, answers=[parse(Answer, answer)])
            except (ValueError, TypeError) as problem:
                found.skipped.append(f"{path}: an answer of {rater}: {reason_of(problem)}")
        return
    if path.stat().st_size > MAX_FILE_BYTES:
        raise ValueError(f"more than {MAX_FILE_BYTES} bytes")
    yield parse(Sheet, path.read_bytes())
