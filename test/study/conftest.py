"""A small study: tiny videos, its page and its key."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from listener_head.dyads.clips import ATTITUDES
from listener_head.study.make import make_study
from listener_head.study.model import GROUND_TRUTH, SPEAKER, Answer, Key, Sheet
from listener_head.study.table import COLUMNS

# The tests import `browser` from here; pytest's importlib mode adds no folder to the path.
sys.path.insert(0, str(Path(__file__).parent))

CLIPS = (("talk 1", "test", "positive"), ("talk 2", "test", "negative"), ("talk 3", "ood", "neutral"))


@dataclass
class Study:
    folder: Path
    key_path: Path
    key: Key

    def answer(self, question: str, choice: str | dict[str, str], minute: float = 0) -> Answer:
        at = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
        shown = self.key.manifest.by_id[question].videos
        return Answer(question=question, shown=shown, choice=choice, seconds=1.5, at=at)

    def sheet(self, rater: str, answers: list[Answer]) -> Sheet:
        return Sheet(study=self.key.manifest.study, rater=rater, answers=answers)

    def questions(self, test: str, of: str) -> list[str]:
        """Those of a test and a set."""
        questions = self.key.manifest.questions
        return [q.id for q in questions if q.test == test and self.key.videos[q.videos[0]].set == of]

    def video(self, question: str, truth: bool) -> str:
        names = self.key.manifest.by_id[question].videos
        return next(name for name in names if (self.key.videos[name].method == GROUND_TRUTH) == truth)


def write_table(path: Path, rows: list[tuple[str, ...]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return path


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory, write_clip) -> Path:
    """Three clips: 3 preference and 3 matching questions."""
    folder = tmp_path_factory.mktemp("clips")
    listener = write_clip(folder / "listener.mp4", 0.4, sound=False)
    speaker = write_clip(folder / "speaker.mp4", 0.4, sound=False)
    rows: list[tuple[str, ...]] = []
    for clip, of, attitude in CLIPS:
        rows.append((clip, of, "", SPEAKER, speaker.name))
        rows.append((clip, of, attitude, GROUND_TRUTH, listener.name))
        rows += [(clip, of, each, "network", listener.name) for each in ATTITUDES]
    return write_table(folder / "videos.csv", rows)


@pytest.fixture
def study(table: Path, tmp_path: Path) -> Study:
    folder, key_path = tmp_path / "study", tmp_path / "study.key.json"
    key = make_study(table, folder, key_path, 30, "A study", lambda *_: None)
    return Study(folder, key_path, key)


@pytest.fixture
def write_rows() -> Callable[[Path, list[tuple[str, ...]]], Path]:
    return write_table
