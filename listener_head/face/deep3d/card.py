"""The card of a network file: what the runtime must know beside the weights, as JSON in the metadata."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from listener_head.errors import UserError
from listener_head.face.deep3d.published import CROP_SIZE, FACE_MODEL, HEADS, RESCALE

Array = NDArray[np.float64]

FILE_FORMAT = "listener_head.deep3d/1"


def make_card(name: str, source_sha256: str, standard: Array) -> dict[str, Any]:
    """The card; ``standard`` [5, 3] are the standard landmarks in decimetres."""
    return {
        "name": name,
        "source_sha256": source_sha256,
        "standard_landmarks": standard.tolist(),
        **_published(),
    }


def read_card(metadata: dict[str, str], what: str, remedy: str) -> tuple[dict[str, Any], Array]:
    """The card in a file's metadata and its standard landmarks [5, 3].

    ``what`` and ``remedy`` name the file and the fix in the UserError for another or a broken file.
    """
    if metadata.get("format") != FILE_FORMAT:
        raise UserError(
            f"{what} is an ONNX file of another kind (its format is '{metadata.get('format', '')}', not "
            f"'{FILE_FORMAT}'); {remedy}"
        )
    try:
        card: dict[str, Any] = json.loads(metadata["card"])
        standard = np.array(card["standard_landmarks"], np.float64)
        if standard.shape != (5, 3) or not np.isfinite(standard).all() or not isinstance(card["name"], str):
            raise ValueError("its name or landmarks are none")
        for key, value in _published().items():
            if card[key] != value:
                raise ValueError(f"'{key}' is {card[key]}, not {value}")
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{what} has broken metadata ({error}); {remedy}") from None
    return card, standard


def _published() -> dict[str, Any]:
    """What every file of this format says: the meaning of input and output."""
    return {
        "face_model": FACE_MODEL,
        "coefficients": [[head, size] for head, size in HEADS],
        "input_size": CROP_SIZE,
        "rescale": RESCALE,
    }
