"""Intrinsics and distortion, from whatever a camera driver publishes."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.errors import UserError
from listener_head.face import Camera

K = (600.0, 0.0, 310.0, 0.0, 610.0, 250.0, 0.0, 0.0, 1.0)
RAYS = np.stack(np.meshgrid(np.linspace(-0.4, 0.4, 9), np.linspace(-0.3, 0.3, 7)), -1).reshape(-1, 2)

LENSES = [
    ("plumb_bob", (-0.28, 0.07, 0.001, -0.0005, -0.01)),
    ("plumb_bob", (0.05, -0.1, 0.0, 0.0)),
    ("rational_polynomial", (0.4, -0.2, 0.0005, -0.0002, 0.03, 0.7, -0.1, 0.02)),
    ("equidistant", (-0.02, 0.006, -0.004, 0.001)),
]


def distort(rays, model, d):
    """Pixels of rays, by OpenCV's forward models."""
    matrix, d = np.array(K).reshape(3, 3), np.array(d)
    if model == "equidistant":
        return cv2.fisheye.distortPoints(rays[None], matrix, d)[0]
    ahead = np.column_stack([rays, np.ones(len(rays))])
    return cv2.projectPoints(ahead, np.zeros(3), np.zeros(3), matrix, d)[0][:, 0]


@pytest.mark.parametrize(("model", "d"), LENSES)
def test_distortion_is_taken_out(model, d):
    camera = Camera.from_info(640, 480, K, d, model)
    np.testing.assert_allclose(camera.normalise(distort(RAYS, model, d)), RAYS, atol=1e-4)
    straight = Camera.from_info(640, 480, K, (), model).normalise(distort(RAYS, model, d))
    assert np.abs(straight - RAYS).max() > 0.001, "the lens does bend"


@pytest.mark.parametrize("d", [(), (0.0, 0.0, 0.0, 0.0, 0.0)])
@pytest.mark.parametrize("model", ["plumb_bob", ""])
def test_without_distortion_it_is_a_pinhole(d, model):
    camera = Camera.from_info(640, 480, K, d, model)
    np.testing.assert_allclose(camera.normalise(np.array([[910.0, -55.0]])), [[1.0, -0.5]])


def test_uncalibrated_camera_is_none():
    """CameraInfo: K[0] is zero when the camera is not calibrated."""
    assert Camera.from_info(640, 480, np.zeros(9), (), "") is None


def test_scaled_pictures_scale_the_camera():
    camera = Camera.from_info(1280, 960, K, LENSES[0][1], "plumb_bob")
    small = camera.scaled_to((640, 480))
    assert (small.fx, small.fy, small.cx, small.cy) == (300.0, 305.0, 155.0, 125.0)
    pixels = distort(RAYS, *LENSES[0])
    np.testing.assert_allclose(small.normalise(pixels / 2), camera.normalise(pixels), atol=1e-5)
    assert camera.scaled_to((1280, 960)) is camera


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (dict(k=(np.nan, *K[1:])), "nan"),
        (dict(k=(*K[:4], -1.0, *K[5:])), "-1.0"),
        (dict(k=(1e-313, *K[1:])), "1e-313"),
        (dict(k=(*K[:2], 1e300, *K[3:])), "1e+300"),
        (dict(k=K[:4]), "4 numbers"),
        (dict(d=(0.1, np.inf, 0.0, 0.0, 0.0)), "inf"),
        (dict(d=(0.1,)), "1 distortion coefficients"),
        (dict(distortion_model="thin_prism"), "thin_prism"),
        (dict(width=0), "(0, 480)"),
    ],
)
def test_what_is_no_camera_is_named(change, named):
    info = dict(width=640, height=480, k=K, d=LENSES[0][1], distortion_model="plumb_bob")
    with pytest.raises(UserError) as error:
        Camera.from_info(**{**info, **change})
    assert named in str(error.value) and "\n" not in str(error.value)


def test_picture_of_another_aspect_is_refused():
    with pytest.raises(UserError, match="640 x 480 but they are 640 x 360"):
        Camera.from_info(640, 480, K, (), "plumb_bob").scaled_to((640, 360))


anything = st.floats(allow_nan=True, allow_infinity=True)


@settings(deadline=None, max_examples=200)
@given(
    st.integers(-10, 5000),
    st.integers(-10, 5000),
    st.lists(anything | st.floats(-1e4, 1e4), min_size=0, max_size=10),
    st.lists(anything | st.floats(-2.0, 2.0), max_size=14),
    st.sampled_from(["plumb_bob", "rational_polynomial", "equidistant", "fov", ""]),
)
def test_any_numbers_are_a_camera_or_named(width, height, k, d, model):
    try:
        camera = Camera.from_info(width, height, k, d, model)
    except UserError as error:
        assert "\n" not in str(error)
        return
    if camera is not None:
        check_rays(camera)


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from([("plumb_bob", 5), ("plumb_bob", 4), ("rational_polynomial", 8), ("equidistant", 4)]),
    st.lists(st.floats(-1e3, 1e3) | st.floats(-1.0, 1.0), min_size=8, max_size=8),
)
def test_rays_of_any_lens_are_right_or_missing(lens, numbers):
    model, count = lens
    check_rays(Camera.from_info(640, 480, K, numbers[:count], model))


def check_rays(camera):
    """A ray leads back to its pixel, or is NaN; never an infinite one."""
    pixels = np.stack(np.meshgrid(np.linspace(0, 640, 9), np.linspace(0, 480, 7)), -1).reshape(-1, 2)
    rays = camera.normalise(pixels)
    assert rays.shape == pixels.shape
    assert not np.isinf(rays).any()
