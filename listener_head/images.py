"""Pixels of sensor_msgs images, whatever made the message: rclpy, rosbags, or a test. No ROS in here."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from listener_head.errors import UserError

# encoding: (channels, OpenCV's conversion code to bgr8, None where it is bgr8 already)
_TO_BGR: dict[str, tuple[int, int | None]] = {
    "bgr8": (3, None),
    "rgb8": (3, cv2.COLOR_RGB2BGR),
    "mono8": (1, cv2.COLOR_GRAY2BGR),
    "8UC1": (1, cv2.COLOR_GRAY2BGR),
    "8UC3": (3, None),
    "bgra8": (4, cv2.COLOR_BGRA2BGR),
    "rgba8": (4, cv2.COLOR_RGBA2BGR),
    "yuv422": (2, cv2.COLOR_YUV2BGR_UYVY),
    "uyvy": (2, cv2.COLOR_YUV2BGR_UYVY),
    "yuv422_yuy2": (2, cv2.COLOR_YUV2BGR_YUYV),
    "yuyv": (2, cv2.COLOR_YUV2BGR_YUYV),
}


def own_pixels(image: Any) -> NDArray[np.uint8]:
    """The pixels of a sensor_msgs/Image in its own encoding, uint8 [H, W, C] or [H, W].

    They may share the message's memory. UserError when the encoding is unknown, or sizes and data do not fit.
    """
    if image.encoding not in _TO_BGR:
        known = ", ".join(_TO_BGR)
        raise UserError(f"image encoding '{image.encoding}' is not supported; use one of {known}")
    channels, _ = _TO_BGR[image.encoding]
    height, width, step = image.height, image.width, image.step
    if min(height, width) < 1 or step < width * channels or len(image.data) < height * step:
        raise UserError(
            f"image says {width}x{height}, step {step}, {image.encoding}, but holds {len(image.data)} bytes"
        )
    rows = np.frombuffer(image.data, np.uint8, height * step).reshape(height, step)
    pixels = rows[:, : width * channels]
    return pixels if channels == 1 else pixels.reshape(height, width, channels)


def bgr_pixels(image: Any) -> NDArray[np.uint8]:
    """The pixels of a sensor_msgs/Image, uint8 [H, W, 3] BGR; UserError as ``own_pixels``."""
    pixels = own_pixels(image)
    _, code = _TO_BGR[image.encoding]
    if code is None:
        return pixels
    try:
        return np.asarray(cv2.cvtColor(pixels, code), np.uint8)
    except cv2.error as problem:  # of sizes that the encoding cannot have: yuv422 with an odd width
        text = f"image of {image.width}x{image.height} cannot be of encoding {image.encoding}"
        raise UserError(text) from problem


def compressed_bgr_pixels(image: Any) -> NDArray[np.uint8]:
    """The pixels of a sensor_msgs/CompressedImage, JPEG or PNG, uint8 [H, W, 3] BGR.

    The content says what it is; ``format`` ("jpeg", "bgr8; jpeg compressed bgr8") only names it.
    UserError when it cannot be decoded.
    """
    try:
        pixels = cv2.imdecode(np.frombuffer(image.data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # of no data at all, and of sizes that no picture has
        pixels = None
    if pixels is None:
        raise UserError(f"compressed image of format '{image.format}' cannot be decoded")
    return np.asarray(pixels, np.uint8)
