"""The card of a neural renderer's file."""

from __future__ import annotations

import base64
from typing import Any

from listener_head import cards
from listener_head.render.neural.published import FACE_MODEL, PARTS, SIZE, WINDOW

FILE_FORMAT = "listener_head.pirenderer/1"


def make_card(name: str, source_sha256: str, size: int = SIZE) -> dict[str, Any]:
    """The card; ``size`` [px] is the side of the pictures that the network draws."""
    return {"name": name, "source_sha256": source_sha256, "size": size, **_published()}


def read_card(metadata: dict[str, str], what: str, remedy: str) -> tuple[dict[str, Any], bytes]:
    """The card in a file's metadata and the portrait's graph; errors as of `cards.read_card`."""

    def graph_beside(card: dict[str, Any]) -> bytes:
        if not isinstance(card["size"], int):
            raise ValueError("its size is none")
        return base64.b64decode(metadata["portrait_graph"], validate=True)

    return cards.read_card(metadata, FILE_FORMAT, _published(), graph_beside, what, remedy)


def _published() -> dict[str, Any]:
    """What every file of this format says: the meaning of the input."""
    return {"face_model": FACE_MODEL, "motion": [[part, size] for part, size in PARTS], "window": WINDOW}
