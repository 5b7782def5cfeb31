"""Answers in SQLite: each is on the disk before the page hears so."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter

from listener_head.errors import UserError
from listener_head.study.model import Answer, Rater, Sheet

MAGIC = b"SQLite format 3\0"
_BUSY_S = 10.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    study TEXT NOT NULL, rater TEXT NOT NULL, question TEXT NOT NULL,
    answer TEXT NOT NULL, received TEXT NOT NULL,
    PRIMARY KEY (study, rater, question)
)
"""
_PUT = "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)"


class AnswerStore:
    """The database of a study's server; may be used from several threads."""

    def __init__(self, path: Path) -> None:
        """Open or make the file; UserError where that is not possible or it is something else."""
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with self._connection() as connection:
                connection.execute(_SCHEMA)
        except (OSError, sqlite3.Error) as problem:
            raise UserError(f"cannot keep answers in '{path}': {problem}; choose another file") from None

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=_BUSY_S)) as connection, connection:
            connection.execute("PRAGMA synchronous = FULL")
            yield connection

    def put(self, sheet: Sheet) -> None:
        """Keep the sheet's answers, each in a transaction; a later one to a question replaces the earlier."""
        now = datetime.now(UTC).isoformat()
        for answer in sheet.answers:
            with self._connection() as connection:
                row = (sheet.study, sheet.rater, answer.question, answer.model_dump_json(), now)
                connection.execute(_PUT, row)

    def get(self, study: str, rater: str) -> Sheet:
        """What a rater has answered so far; ValueError for what is no rater's name."""
        rater = TypeAdapter(Rater).validate_python(rater)
        query = "SELECT answer FROM answers WHERE study = ? AND rater = ?"
        with self._connection() as connection:
            rows = connection.execute(query, (study, rater)).fetchall()
        return Sheet(
            study=study, rater=rater, answers=[Answer.model_validate_json(answer) for (answer,) in rows]
        )


def read_rows(path: Path) -> list[tuple[str, str, str]]:
    """(study, rater, answer's JSON) of a database; sqlite3.Error for one that is damaged or not ours."""
    # Read and write: a server that was killed may have left a transaction to take back.
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True)) as connection:
        return connection.execute("SELECT study, rater, answer FROM answers").fetchall()
