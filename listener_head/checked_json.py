"""JSON from outside into models that check it (pydantic), and one line for what is wrong with it."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound=BaseModel)


def parse(kind: type[Model], content: bytes | str) -> Model:
    """The model in JSON text; ValueError with one line that names the first wrong value."""
    try:
        return kind.model_validate_json(content)
    except ValidationError as problem:
        raise ValueError(reason_of(problem)) from None


def reason_of(problem: Exception) -> str:
    """Why something from outside cannot be taken, in one line."""
    if isinstance(problem, ValidationError):
        first = problem.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        return f"{where}: {first['msg']}" if where else first["msg"]
    return getattr(problem, "strerror", None) or " ".join(str(problem).split())
