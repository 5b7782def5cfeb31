"""Pixels of image messages, whatever made them; `test/ros/test_cv_bridge.py` has those of rclpy."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener_head.errors import UserError
from listener_head.images import bgr_pixels, compressed_bgr_pixels

COLOUR = np.array([200, 120, 40], np.uint8)  # blue, green, red


def image(encoding: str, pixel: list[int], padding: int = 0) -> SimpleNamespace:
    """Two rows of four pixels."""
    row = np.concatenate([np.tile(np.array(pixel, np.uint8), 4), np.zeros(padding, np.uint8)])
    return SimpleNamespace(
        height=2, width=4, encoding=encoding, step=len(row), data=np.tile(row, 2).tobytes()
    )


@pytest.mark.parametrize("padding", [0, 5])
@pytest.mark.parametrize(
    ("encoding", "pixel"),
    [
        ("bgr8", [200, 120, 40]),
        ("8UC3", [200, 120, 40]),
        ("rgb8", [40, 120, 200]),
        ("bgra8", [200, 120, 40, 9]),
        ("rgba8", [40, 120, 200, 9]),
    ],
)
def test_colours_stand_in_opencvs_order(encoding: str, pixel: list[int], padding: int) -> None:
    np.testing.assert_array_equal(bgr_pixels(image(encoding, pixel, padding)), np.tile(COLOUR, (2, 4, 1)))


@pytest.mark.parametrize(
    ("encoding", "pair"),
    [
        ("yuv422", [170, 105, 84, 105]),
        ("uyvy", [170, 105, 84, 105]),
        ("yuv422_yuy2", [105, 170, 105, 84]),
        ("yuyv", [105, 170, 105, 84]),
    ],
)
def test_two_pixels_may_share_their_colour(encoding: str, pair: list[int]) -> None:
    message = SimpleNamespace(height=2, width=4, encoding=encoding, step=8, data=bytes(pair * 4))
    blue, green, red = bgr_pixels(message)[1, 3].tolist()
    assert blue > 150 and green < 130 and red < 60


@pytest.mark.parametrize("encoding", ["mono8", "8UC1"])
def test_grey_is_grey(encoding: str) -> None:
    message = SimpleNamespace(height=1, width=2, encoding=encoding, step=2, data=bytes([7, 9]))
    assert bgr_pixels(message).tolist() == [[[7, 7, 7], [9, 9, 9]]]


@pytest.mark.parametrize("format", ["jpeg", "bgr8; jpeg compressed bgr8", "png", ""])
def test_compressed_pictures_are_known_by_their_content(format: str) -> None:
    pixels = np.tile(COLOUR, (16, 16, 1))
    ending = ".png" if format == "png" else ".jpg"
    data = cv2.imencode(ending, pixels)[1].tobytes()
    difference = compressed_bgr_pixels(SimpleNamespace(format=format, data=data)).astype(int) - pixels
    assert np.abs(difference).max() <= 3


@given(
    height=st.integers(0, 50),
    width=st.integers(0, 50),
    step=st.integers(0, 300),
    encoding=st.sampled_from(["bgr8", "mono8", "rgba8", "yuv422", "yuyv", "32FC1", ""]),
    data=st.binary(max_size=900),
)
def test_any_message_is_a_picture_or_is_refused(height, width, step, encoding, data) -> None:
    message = SimpleNamespace(height=height, width=width, step=step, encoding=encoding, data=data, format="")
    for convert in (bgr_pixels, compressed_bgr_pixels):
        try:
            pixels = convert(message)
        except UserError as problem:
            assert "\n" not in str(problem)
        else:
            assert pixels.shape == (height, width, 3) and pixels.dtype == np.uint8
