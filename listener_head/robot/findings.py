"""What the check of a robot file finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Finding:
    """Something found about ``subject``; ``wrong`` when it must be mended, else worth knowing."""

    wrong: bool
    subject: str
    message: str


def shown(vector: Sequence[float] | NDArray[np.float64]) -> str:
    """A vector as text."""
    return "[" + ", ".join(f"{value + 0.0:.4g}" for value in np.round(vector, 4)) + "]"
