"""The card of a network file: what the runtime must know beside the weights, as JSON in the metadata."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from listener_head.errors import UserError
from listener_head.render.neural.published import FACE_MODEL, PARTS, SIZE, WINDOW

FILE_FORMAT = "listener_head.pirenderer/1"


def make_card(name: str, source_sha256: str, size: int = SIZE) -> dict[str, Any]:
    """The card; ``size`` [px] is the side of the pictures that the network draws."""
    return {"name": name, "source_sha256": source_sha256, "size": size, **_published()}


def read_card(metadata: dict[str, str], what: str, remedy: str) -> tuple[dict[str, Any], bytes]:
    """The card in a file's metadata and the portrait's graph.

    ``what`` and ``remedy`` name the file and the fix in the UserError for another or a broken file.
    """
    if metadata.get("format") != FILE_FORMAT:
        raise UserError(
            f"{what} is an ONNX file of another kind (its format is '{metadata.get('format', '')}', not "
            f"'{FILE_FORMAT}'); {remedy}"
        )
    try:
        card: dict[str, Any] = json.loads(metadata["card"])
        graph = base64.b64decode(metadata["portrait_graph"], validate=True)
        if not isinstance(card["name"], str) or not isinstance(card["size"], int):
            raise ValueError("its name or size are none")
        for key, value in _published().items():
            if card[key] != value:
                raise ValueError(f"'{key}' is {card[key]}, not {value}")
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise UserError(f"{what} has broken metadata ({error}); {remedy}") from None
    return card, graph


def _published() -> dict[str, Any]:
    """What every file of this format says: the meaning of the input."""
    return {"face_model": FACE_MODEL, "motion": [[part, size] for part, size in PARTS], "window": WINDOW}
