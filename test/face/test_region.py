"""The crop shows what lies in the region, whatever the size of the image."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.face.region import CROP, Region


def ramp(width, height):
    """An image whose blue grows from left to right and whose green from top to bottom."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = np.linspace(0, 255, width)
    image[..., 1] = np.linspace(0, 255, height)[:, None]
    return image


@settings(deadline=None, max_examples=60)
@given(
    st.floats(0.35, 0.65),
    st.floats(0.35, 0.65),
    st.floats(0.05, 0.4),
    st.floats(-4.0, 4.0),
    st.integers(1, 14),
)
def test_crop_shows_the_place_that_its_matrix_says(x, y, side, angle, scale):
    width, height = 320 * scale, 240 * scale
    crop, to_image = Region(x * width, y * height, side * height, angle).crop(ramp(width, height))
    assert crop.shape == (CROP, CROP, 3)
    places = np.mgrid[0:CROP, 0:CROP][::-1].reshape(2, -1) + 0.5
    across, down = to_image[:, :2] @ places + to_image[:, 2:]
    np.testing.assert_allclose(crop[..., 0].ravel(), 255 * across / width, atol=2.5)
    np.testing.assert_allclose(crop[..., 1].ravel(), 255 * down / height, atol=2.5)


@settings(deadline=None, max_examples=200)
@given(
    st.integers(1, 900),
    st.integers(1, 900),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(12.0, 9000.0),
    st.floats(-10, 10),
)
def test_any_region_of_any_image_has_a_crop(width, height, x, y, side, angle):
    crop, to_image = Region(x * width, y * height, side, angle).crop(np.full((height, width, 3), 7, np.uint8))
    assert (crop == 7).all() and np.isfinite(to_image).all()


def test_region_of_landmarks_is_turned_with_the_eyes():
    random = np.random.default_rng(0)
    points = random.uniform(100, 200, (478, 2)).astype(np.float32)
    points[33], points[263] = (120, 130), (160, 170)
    region = Region.of_points(points)
    assert region.angle == pytest.approx(np.pi / 4)
    assert 145 < region.x < 155 and 145 < region.y < 155 and 140 < region.side < 151


@pytest.mark.parametrize(
    ("region", "fits"),
    [
        (Region(50, 50, 40, 0), True),
        (Region(-1, 50, 40, 0), False),
        (Region(50, 101, 40, 0), False),
        (Region(50, 50, 5, 0), False),
        (Region(50, 50, 500, 0), False),
        (Region(np.nan, 50, 40, 0), False),
        (Region(50, 50, np.nan, 0), False),
    ],
)
def test_only_a_face_in_the_image_can_be_followed(region, fits):
    assert region.lies_in(100, 100) == fits
