"""What the files of a study hold: the manifest that the page reads, the key, and a rater's answers."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)

from listener_head.checked_json import Model, parse, reason_of
from listener_head.errors import UserError

EQUAL = "equal"  # the choice of a preference test where both are as good
SPEAKER, GROUND_TRUTH = "speaker", "ground_truth"  # methods with a meaning of their own
MANIFEST = "manifest.js"
# Makes the manifest a script: a page from a disk may load scripts, but no other data.
MANIFEST_VARIABLE = "window.STUDY = "

Attitude = Literal["positive", "neutral", "negative"]
Test = Literal["preference", "matching"]
Name = Annotated[str, Field(min_length=1, max_length=64)]


def rater_name(name: str) -> str:
    """One spelling for a rater's name, as the page's ``raterName``: case and spaces make no other rater."""
    return " ".join(name.split()).lower()


def _known_rater(name: str) -> str:
    if not (name := rater_name(name)):
        raise ValueError("the rater has no name")
    if not name.isprintable():
        raise ValueError("the rater's name has control characters")
    return name


def _in_range(when: datetime) -> datetime:
    try:
        return when.astimezone(UTC)
    except OverflowError:
        raise ValueError("no such time") from None


Rater = Annotated[str, Field(max_length=80), AfterValidator(_known_rater)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Question(_Strict):
    """One question. ``stratum`` numbers the (set, method) it is of: a rater's questions come from all alike.

    ``videos`` are names that tell nothing, in an order that tells nothing. ``attitude`` is what the rater
    may know: the listener's in the preference test, none in the matching test.
    """

    id: Name
    test: Test
    stratum: int
    speaker: Name | None
    attitude: Attitude | None
    videos: list[Name]


class Manifest(_Strict):
    """All that the page knows. ``questions_each``: of each test, at most so many for one rater."""

    study: Name
    title: str
    questions_each: int
    questions: list[Question]

    @cached_property
    def by_id(self) -> dict[str, Question]:
        """The questions by their names."""
        return {question.id: question for question in self.questions}


class Source(_Strict):
    """What a video of the page is."""

    clip: str
    set: str
    attitude: Attitude
    method: str


class Key(_Strict):
    """What raters must not see: what each listener's video is, by the name it has on the page."""

    format: Literal["listener_head study key 1"] = "listener_head study key 1"
    manifest: Manifest
    videos: dict[Name, Source]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        for question in self.manifest.questions:
            methods = [self.videos[name].method for name in question.videos if name in self.videos]
            if len(methods) != len(question.videos):
                raise ValueError(f"a video of question '{question.id}' is missing")
            if question.test == "preference" and sorted(each == GROUND_TRUTH for each in methods) != [
                False,
                True,
            ]:
                raise ValueError(f"question '{question.id}' is not of one ground truth and one other")
        return self


class Answer(_Strict):
    """One answer: the video preferred, or EQUAL; in the matching test the attitude seen in each video.

    ``shown`` is the order on the screen, ``seconds`` how long the question stood there.
    """

    question: Name
    shown: list[Name] = Field(max_length=8)
    choice: Name | dict[Name, Attitude]
    seconds: float = Field(ge=0, allow_inf_nan=False)
    at: Annotated[AwareDatetime, AfterValidator(_in_range)]

    def problem(self, manifest: Manifest) -> str:
        """Why this is no answer to a question of the study; empty if it is one."""
        question = manifest.by_id.get(self.question)
        if question is None:
            return f"question '{self.question}' is not of this study"
        if sorted(self.shown) != sorted(question.videos):
            return f"question '{self.question}' has other videos"
        if question.test == "matching":
            fits = isinstance(self.choice, dict) and self.choice.keys() == set(question.videos)
        else:
            fits = self.choice == EQUAL or self.choice in question.videos
        return "" if fits else f"the choice for question '{self.question}' is none that it has"


class Sheet(_Strict):
    """Answers of one rater: the file that the page gives, and what it posts."""

    format: Literal["listener_head study answers 1"] = "listener_head study answers 1"
    study: Name
    rater: Rater
    answers: list[Answer] = Field(max_length=100_000)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a study's folder; UserError where there is none."""
    return _read(folder / MANIFEST, Manifest, "folder of `listener_head study make`", MANIFEST_VARIABLE)


def read_key(path: Path) -> Key:
    """The key of a study; UserError for any other file."""
    return _read(path, Key, "key file of `listener_head study make`")


def _read(path: Path, kind: type[Model], wanted: str, prefix: str = "") -> Model:
    try:
        text = path.read_text("utf-8").removeprefix(prefix)
        return parse(kind, text.strip().removesuffix(";"))
    except (OSError, ValueError) as problem:
        raise UserError(f"'{path}' cannot be read ({reason_of(problem)}); give the {wanted}") from None
