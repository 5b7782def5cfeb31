"""How far the tracked and fitted coefficients are from the true ones, for arkit52.

What a synthetic speaker passes through to look like a perceived one. The table is measured by
``python -m listener_head.face.measure_tracking_error``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from listener_head.coefficients import FloatArray
from listener_head.errors import UserError

TRACKING_ERROR_PATH = Path(__file__).parents[1] / "assets" / "arkit52_tracking_error.json"


@dataclass(frozen=True)
class TrackingError:
    """perceived(t) = offset + gain * true(t - delay / 30 s) + noise, for each number of a motion vector [58].

    ``noise`` is its standard deviation (rad, weight, m), with the correlation ``noise_memory`` from one
    frame to the next; crosstalk between the shapes is in it. Weights stay within 0..1.
    """

    gain: FloatArray
    offset: FloatArray
    noise: FloatArray
    noise_memory: FloatArray
    delay: FloatArray  # frames of 1/30 s


@cache
def load_tracking_error() -> TrackingError:
    """The shipped table; UserError when it cannot be read."""
    try:
        rows = json.loads(TRACKING_ERROR_PATH.read_text())["coefficients"]
        columns = {
            key: np.array([row[key] for row in rows.values()], np.float32)
            for key in TrackingError.__dataclass_fields__
        }
        return TrackingError(**columns)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{TRACKING_ERROR_PATH} cannot be read ({error}); "
            "make it again with: python -m listener_head.face.measure_tracking_error"
        ) from error
