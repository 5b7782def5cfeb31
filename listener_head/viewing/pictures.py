"""Pictures for a browser."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from listener_head.errors import UserError
from listener_head.images import bgr_pixels

LARGEST_SIDE = 640  # [pixels]
LARGEST_MESSAGE = 64_000_000  # [bytes] more than a 4K image of four channels
_QUALITY = 80  # of a JPEG, 0 to 100


def check_size(message: bytes) -> None:
    """UserError for a serialised image that is too large to be looked at several times a second."""
    if len(message) > LARGEST_MESSAGE:
        raise UserError(
            f"an image message of {len(message) / 1e6:.0f} MB is not shown; send at most "
            f"{LARGEST_MESSAGE / 1e6:.0f} MB"
        )


def jpeg_of(image: Any) -> bytes:
    """JPEG of a sensor_msgs/Image, made smaller to LARGEST_SIDE; UserError as `bgr_pixels`."""
    pixels = bgr_pixels(image)
    height, width = pixels.shape[:2]
    scale = LARGEST_SIDE / max(height, width)
    if scale < 1.0:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    _, jpeg = cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))
    return jpeg.tobytes()
