"""What is behind the head: a colour, a picture, or nothing."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from listener_head.errors import UserError

TRANSPARENT = "transparent"
_HEX = re.compile(r"#[0-9a-fA-F]{6}")

Background = tuple[float, float, float] | str
_LARGEST_PIXELS = 100_000_000  # a picture says its size before it is decoded


def parse_background(value: Background) -> Background:
    """``#rrggbb`` becomes an sRGB colour from 0 to 1, the rest stays."""
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        return value
    red, green, blue = (int(value[i : i + 2], 16) / 255.0 for i in (1, 3, 5))
    return red, green, blue


def load_backdrop(path: str, size: int) -> NDArray[np.uint8]:
    """The picture in a file [size, size, 3] RGB, cut to a square about its middle.

    UserError for a file that is missing, no picture or too large.
    """
    fix = f"give a picture file, #rrggbb or {TRANSPARENT}"
    try:
        with Image.open(Path(path).expanduser()) as image:
            if image.width * image.height > _LARGEST_PIXELS:
                found = f"{image.width}x{image.height} pixels"
                raise UserError(f"background {path} has {found}; {_LARGEST_PIXELS} are the most")
            upright = ImageOps.exif_transpose(image).convert("RGB")
            return np.asarray(ImageOps.fit(upright, (size, size), Image.Resampling.LANCZOS))
    except UserError:
        raise
    except FileNotFoundError:
        raise UserError(f"background '{path}' is no file; {fix}") from None
    except Exception as error:  # PIL raises what its readers of damaged files do
        why = " ".join(str(error).split())
        raise UserError(f"background {path} cannot be read as a picture ({why}); {fix}") from error
