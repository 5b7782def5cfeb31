"""A study from rendered clips: a folder with a static page, and the key that stays at home."""

from __future__ import annotations

import os
import secrets
import shutil
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from listener_head.dyads.clips import ATTITUDES
from listener_head.errors import UserError
from listener_head.files import replacing
from listener_head.progress import Report
from listener_head.study.model import (
    GROUND_TRUTH,
    MANIFEST,
    MANIFEST_VARIABLE,
    SPEAKER,
    Attitude,
    Key,
    Manifest,
    Question,
    Source,
    Test,
)
from listener_head.study.table import Video, read_table

_PAGE = Path(__file__).parent / "page"
PAGE_FILES = ("index.html", "study.css", "study.js", "server.js", MANIFEST)


def make_study(
    table: Path, folder: Path, key_path: Path, questions_each: int, title: str, report: Report
) -> Key:
    """Write the page into ``folder`` and the key to ``key_path``; returns what the key holds.

    A preference question for each clip and method that has the ground truth's attitude, a matching question
    for each that has all three (paper, section 5, user study). The names of the videos are random: neither a
    name nor an order tells what a video is. UserError for a bad table, a table that has no question in it,
    a folder in use, or a key inside the folder.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(
            f"'{folder}' is in use; a study never takes the place of another: choose a new folder"
        )
    if key_path.resolve().is_relative_to(folder.resolve()):
        raise UserError(f"key '{key_path}' would be in the folder that raters get; keep it elsewhere")
    if key_path.exists():
        raise UserError(f"key '{key_path}' exists; answers need it: choose another name")
    draft = _draft(read_table(table))
    if not draft.questions:
        raise UserError(
            f"'{table}' has no question in it; a clip needs its {GROUND_TRUTH} and one generated listener of "
            "the same attitude, or one generated listener in all three attitudes"
        )
    manifest = Manifest(
        study=_random_name(),
        title=title,
        questions_each=questions_each,
        questions=sorted(draft.questions, key=lambda question: question.id),
    )
    key = Key(manifest=manifest, videos=draft.sources)
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    try:
        _write_page(manifest, draft.files, partial, report)
        with replacing(key_path) as partial_key:
            partial_key.write_text(key.model_dump_json(indent=1) + "\n", "utf-8")
        partial.replace(folder)
    except OSError as problem:
        reason = problem.strerror or problem
        raise UserError(
            f"cannot write {folder}: {reason}; free some space or choose another folder"
        ) from problem
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return key


def _random_name() -> str:
    return secrets.token_hex(8)


@dataclass
class _Draft:
    """Questions as they grow. ``files`` has the video of each name on the page, ``sources`` what it is."""

    questions: list[Question] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    _strata: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, test: Test, method: str, videos: Iterable[Video], speaker: str | None) -> None:
        """One question. Each video gets a name of its own: one that is in both tests is not known again."""
        named = {self.name(video): video for video in videos}
        for name, video in named.items():
            attitude = cast(Attitude, video.attitude)
            self.sources[name] = Source(
                clip=video.clip, set=video.set, attitude=attitude, method=video.method
            )
        first = next(iter(named.values()))
        question = Question(
            id=_random_name(),
            test=test,
            stratum=self._strata.setdefault((first.set, method), len(self._strata)),
            speaker=speaker,
            attitude=cast(Attitude, first.attitude) if test == "preference" else None,
            videos=sorted(named),
        )
        self.questions.append(question)

    def name(self, video: Video) -> str:
        name = _random_name() + video.path.suffix.lower()
        self.files[name] = video.path
        return name


def _draft(videos: Iterable[Video]) -> _Draft:
    clips: dict[tuple[str, str], list[Video]] = defaultdict(list)
    for video in videos:
        clips[video.set, video.clip].append(video)
    draft = _Draft()
    for members in clips.values():
        speaker = next((draft.name(video) for video in members if video.method == SPEAKER), None)
        truths = [video for video in members if video.method == GROUND_TRUTH]
        for method in dict.fromkeys(video.method for video in members):
            if method in (SPEAKER, GROUND_TRUTH):
                continue
            generated = {video.attitude: video for video in members if video.method == method}
            for truth in truths:
                if truth.attitude in generated:
                    draft.add("preference", method, (truth, generated[truth.attitude]), speaker)
            if generated.keys() == set(ATTITUDES):
                draft.add("matching", method, generated.values(), speaker)
    return draft


def _write_page(manifest: Manifest, files: dict[str, Path], folder: Path, report: Report) -> None:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_PAGE), autoescape=True, keep_trailing_newline=True, undefined=StrictUndefined
    )
    (folder / "videos").mkdir(parents=True)
    page = environment.get_template("index.html").render(title=manifest.title)
    (folder / "index.html").write_text(page, "utf-8")
    for name in ("study.css", "study.js", "server.js"):
        shutil.copyfile(_PAGE / name, folder / name)
    for done, (name, path) in enumerate(files.items(), 1):
        shutil.copyfile(path, folder / "videos" / name)
        report("copying videos", done, len(files))
    script = f"{MANIFEST_VARIABLE}{manifest.model_dump_json()};\n"
    (folder / MANIFEST).write_text(script, "utf-8")
