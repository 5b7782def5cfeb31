"""The card of a Deep3D network's file."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from listener_head import cards
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
    """The card in a file's metadata and its standard landmarks [5, 3]; errors as of `cards.read_card`."""
    return cards.read_card(metadata, FILE_FORMAT, _published(), _standard, what, remedy)


def _standard(card: dict[str, Any]) -> Array:
    standard = np.array(card["standard_landmarks"], np.float64)
    if standard.shape != (5, 3) or not np.isfinite(standard).all():
        raise ValueError("its landmarks are none")
    return standard


def _published() -> dict[str, Any]:
    """What every file of this format says: the meaning of input and output."""
    return {
        "face_model": FACE_MODEL,
        "coefficients": [[head, size] for head, size in HEADS],
        "input_size": CROP_SIZE,
        "rescale": RESCALE,
    }
