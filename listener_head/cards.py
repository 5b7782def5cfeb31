"""Cards of network files: what a runtime must know beside the weights, JSON in the ONNX metadata."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from listener_head.errors import UserError

Rest = TypeVar("Rest")


def read_network(path: Path, what: str, remedy: str) -> bytes:
    """The content of a network's file; UserError, by ``what`` and ``remedy``, when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{what} cannot be read ({error.strerror}); {remedy}") from None


def read_card(
    metadata: Mapping[str, str],
    file_format: str,
    published: Mapping[str, Any],
    rest_of: Callable[[dict[str, Any]], Rest],
    what: str,
    remedy: str,
) -> tuple[dict[str, Any], Rest]:
    """The card of a file of ``file_format``, and what ``rest_of`` makes of it.

    The card has a ``name`` and says what ``published`` says, the facts that all files of the format share.
    ``rest_of`` may raise KeyError, TypeError or ValueError. ``what`` and ``remedy`` name the file and the fix
    in the UserError for another or a broken file.
    """
    if metadata.get("format") != file_format:
        raise UserError(
            f"{what} is an ONNX file of another kind (its format is '{metadata.get('format', '')}', not "
            f"'{file_format}'); {remedy}"
        )
    try:
        card: dict[str, Any] = json.loads(metadata["card"])
        if not isinstance(card["name"], str):
            raise ValueError("its name is none")
        for key, value in published.items():
            if card[key] != value:
                raise ValueError(f"'{key}' is {card[key]}, not {value}")
        return card, rest_of(card)
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{what} has broken metadata ({error}); {remedy}") from None
