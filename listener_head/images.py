"""Pixels of sensor_msgs images, whatever made the message: rclpy, rosbags, or a test. No ROS in here."""

from __future__ import annotations

import struct
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from listener_head.errors import UserError
from listener_head.plain import plain

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED_IMAGE = "sensor_msgs/msg/CompressedImage"

# What is taken from outside: 8K (7680 x 4320), whatever a message or the head of a file says.
LARGEST_SIDE = 8192
MOST_PIXELS = 2**25
MOST_COMPRESSED_BYTES = 2**26
# Each scan of a progressive JPEG goes over the whole picture again; those of cameras have 10.
MOST_SCANS = 40

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

# Markers of JPEG: SOF0 to SOF15 without DHT, JPG and DAC, and among them those of progressive pictures.
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = (0xC2, 0xC6, 0xCA, 0xCE)
_START_OF_SCAN = 0xDA
# Decoders step over these; who took the bytes after them for a length would look for the size elsewhere.
_WITHOUT_LENGTH = frozenset((0x00, 0x01, *range(0xD0, 0xDA)))
_MOST_SEGMENTS = 1000  # before the frame header; colour profiles and thumbnails take some dozens


def own_pixels(image: Any) -> NDArray[np.uint8]:
    """The pixels of a sensor_msgs/Image in its own encoding, uint8 [H, W, C] or [H, W].

    They may share the message's memory. UserError when the encoding is unknown, or sizes and data do not fit.
    """
    if image.encoding not in _TO_BGR:
        known = ", ".join(_TO_BGR)
        raise UserError(f"image encoding '{plain(image.encoding)}' is not supported; use one of {known}")
    channels, _ = _TO_BGR[image.encoding]
    height, width, step = image.height, image.width, image.step
    _check_size(width, height)
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
    UserError when it cannot be decoded, and before that when it is too large.
    """
    if len(image.data) > MOST_COMPRESSED_BYTES:
        raise UserError(
            f"compressed image has {len(image.data)} bytes; at most {MOST_COMPRESSED_BYTES} are taken"
        )
    data = np.frombuffer(image.data, np.uint8)
    size = _png_size(data) or _jpeg_size(data)
    pixels = None
    if size is not None:
        _check_size(*size)
        try:
            pixels = cv2.imdecode(data, cv2.IMREAD_COLOR)
        except cv2.error:  # of damage that it does not tell by None
            pixels = None
    if pixels is None:
        raise UserError(
            f"compressed image of format '{plain(image.format)}' cannot be decoded; send JPEG or PNG"
        )
    return np.asarray(pixels, np.uint8)


def any_bgr_pixels(image: Any) -> NDArray[np.uint8]:
    """The pixels of a sensor_msgs Image or CompressedImage, uint8 [H, W, 3] BGR; UserError as theirs."""
    return bgr_pixels(image) if hasattr(image, "encoding") else compressed_bgr_pixels(image)


def _check_size(width: int, height: int) -> None:
    if max(width, height) > LARGEST_SIDE or width * height > MOST_PIXELS:
        raise UserError(
            f"image of {width}x{height} is too large: at most {LARGEST_SIDE} pixels to a side and "
            f"{MOST_PIXELS} in all are taken"
        )


def _png_size(data: NDArray[np.uint8]) -> tuple[int, int] | None:
    """Width and height in a PNG's header chunk, which is the first (PNG specification, 11.2.2)."""
    head = data[:24].tobytes()
    if len(head) < 24 or head[:8] != b"\x89PNG\r\n\x1a\n" or head[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", head[16:])
    return width, height


def _jpeg_size(data: NDArray[np.uint8]) -> tuple[int, int] | None:
    """Width and height in the frame header of a JPEG (ITU-T T.81, B.2.2); UserError for too many scans."""
    if data[:2].tobytes() != b"\xff\xd8":
        return None
    position = 2
    for _ in range(_MOST_SEGMENTS):
        head = data[position : position + 9].tobytes()
        if len(head) < 9 or head[0] != 0xFF:
            return None
        marker = head[1]
        if marker == 0xFF:  # a fill byte
            position += 1
            continue
        if marker in _FRAME_HEADERS:
            if marker in _PROGRESSIVE and data[position:].tobytes().count(b"\xff\xda") > MOST_SCANS:
                raise UserError(f"progressive JPEG has more than {MOST_SCANS} scans; send baseline JPEG")
            height, width = struct.unpack(">HH", head[5:])
            return width, height
        if marker in _WITHOUT_LENGTH or marker == _START_OF_SCAN:
            return None
        position += 2 + int.from_bytes(head[2:4], "big")
    return None
