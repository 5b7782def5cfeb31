"""The crop, against the published formulae written anew and against Pillow's resize of the whole image."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_face import STANDARD
from PIL import Image

from listener_head.face import Landmarks, load_face_model
from listener_head.face.deep3d.alignment import Crop, align, five_points
from listener_head.face.geometry import rotation_matrix
from listener_head.face.ibug import FACEMESH_POINTS


def published(five, image_size, rescale=102.0, target=224.0):
    """transform_params, resized size and corner by the published formulae: POS least squares, then
    truncation.

    ``five`` [5, 2] with y up from the bottom row.
    """
    system = np.zeros((10, 8))
    system[0::2, :3], system[0::2, 3] = STANDARD, 1
    system[1::2, 4:7], system[1::2, 7] = STANDARD, 1
    k = np.linalg.pinv(system) @ five.reshape(-1)
    s = rescale / ((np.linalg.norm(k[:3]) + np.linalg.norm(k[4:7])) / 2)
    tx, ty = k[3], k[7]
    w0, h0 = image_size
    w, h = int(w0 * s), int(h0 * s)
    left = int(w / 2 - target / 2 + (tx - w0 / 2) * s)
    up = int(h / 2 - target / 2 + (h0 / 2 - ty) * s)
    return (w0, h0, s, tx, ty), (w, h), (left, up)


def face(size_px, centre, rotation=(0.0, 0.0, 0.0), noise=None):
    """Five points of the standard face [5, 2], y up: ``size_px`` per decimetre, turned, moved, jittered."""
    points = STANDARD @ rotation_matrix(rotation).T
    points = size_px * points[:, :2] + np.asarray(centre)
    return points if noise is None else points + noise


poses = st.fixed_dictionaries(
    {
        "size_px": st.floats(20.0, 900.0),
        "centre": st.tuples(st.floats(-100.0, 900.0), st.floats(-100.0, 700.0)),
        "rotation": st.tuples(st.floats(-0.6, 0.6), st.floats(-0.9, 0.9), st.floats(-3.1, 3.1)),
        "noise": st.integers(0, 2**32 - 1).map(
            lambda seed: np.random.default_rng(seed).normal(0, 2.0, (5, 2))
        ),
    }
)


@settings(deadline=None, max_examples=200)
@given(poses, st.sampled_from([(640, 480), (641, 479), (384, 384), (1920, 1080)]))
def test_scale_and_place_are_the_published(pose, image_size):
    """For faces at the border and beyond, and turned by any angle."""
    five = face(**pose)
    params, resized, corner = published(five, image_size)
    crop = align(five, STANDARD, image_size)
    assert isinstance(crop, Crop)
    np.testing.assert_allclose(crop.transform_params, params, rtol=1e-6, atol=1e-4)
    # Truncation of a number that float32 has moved over a whole one may differ by one, and by no more.
    np.testing.assert_allclose(crop.resized, resized, atol=1)
    np.testing.assert_allclose(crop.corner, corner, atol=1)


def test_roundings_are_the_published():
    """Hundreds of faces: all the same whole pixels, but where a number lies within float32 of a whole one."""
    rng, same = np.random.default_rng(0), 0
    for _ in range(500):
        five = face(
            rng.uniform(40, 300), rng.uniform(100, 400, 2), rng.normal(0, 0.3, 3), rng.normal(0, 2, (5, 2))
        )
        _, resized, corner = published(five, (640, 480))
        crop = align(five, STANDARD, (640, 480))
        same += crop.resized == resized and crop.corner == corner
    assert same >= 497


def test_five_points_of_facemesh():
    """Eye centres between the corners, nose tip, mouth corners; rows of the image counted from below."""
    landmarks = np.zeros((478, 2), np.float32)
    points68 = np.random.default_rng(0).uniform(0, 400, (68, 2)).astype(np.float32)
    landmarks[list(FACEMESH_POINTS)] = points68
    found = five_points(Landmarks(landmarks, (640, 480)))
    eyes = [points68[[36, 39]].mean(axis=0), points68[[42, 45]].mean(axis=0)]
    expected = np.array([*eyes, points68[30], points68[48], points68[54]])
    np.testing.assert_allclose(found[:, 0], expected[:, 0] - 0.5, atol=1e-4)
    np.testing.assert_allclose(found[:, 1], 479 - (expected[:, 1] - 0.5), atol=1e-4)


def test_first_row_of_the_image_is_the_highest():
    landmarks = np.full((478, 2), 0.5, np.float32)
    np.testing.assert_array_equal(five_points(Landmarks(landmarks, (640, 480))), [[0, 479]] * 5)


def test_crop_shows_an_upright_face_in_its_middle():
    """The standard landmarks of a face that looks into the camera, 102 pixels per decimetre."""
    crop = align(face(150.0, (300.0, 200.0)), STANDARD, (640, 480))
    seen = face(150.0, (300.0, 200.0))
    seen = np.column_stack([seen[:, 0] + 0.5, 480 - seen[:, 1] - 0.5])  # as in the image, first pixel at 0.5
    expected = np.array([112.0, 112.0]) + 102.0 * STANDARD[:, :2] * (1, -1)
    np.testing.assert_allclose(crop.from_image(seen), expected, atol=1.5)  # whole pixels, halves of pixels


@settings(deadline=None, max_examples=100)
@given(
    st.floats(0.2, 6.0),
    st.tuples(st.floats(-200, 900), st.floats(-200, 900)),
    st.tuples(st.floats(-300, 600), st.floats(-300, 600)),
)
def test_to_image_and_back(scale, place, pixel):
    crop = Crop((640, 480), scale, *place)
    np.testing.assert_allclose(crop.from_image(crop.to_image(pixel)), pixel, atol=1e-6)


def lively_image():
    """The shipped head's texture: edges, gradients and fine detail, 512 x 512."""
    texture = load_face_model("arkit52").texture
    rng = np.random.default_rng(0)
    image = cv2.resize(texture, (512, 512), interpolation=cv2.INTER_AREA).astype(np.int16)
    return np.clip(image + rng.integers(-12, 13, image.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("scale", [0.45, 0.73, 1.0, 1.31, 2.6])
@pytest.mark.parametrize("place", [(256.3, 256.8), (40.0, 500.0), (500.0, -30.0)])
def test_pixels_are_those_of_pillow(scale, place):
    """The published way: the whole image resized by bicubic filter, then cut, black beyond its border."""
    image = lively_image()
    crop = Crop((512, 512), scale, *place)
    left, top = crop.corner
    whole = Image.fromarray(image).resize(crop.resized, Image.Resampling.BICUBIC)
    expected = np.asarray(whole.crop((left, top, left + 224, top + 224)))
    difference = np.abs(crop.cut(image).astype(int) - expected)
    assert expected.any()
    assert difference.max() <= 2
    assert difference.mean() < 0.03


def test_crop_beside_the_image_is_black():
    image = np.full((480, 640, 3), 200, np.uint8)
    assert not Crop((640, 480), 1.0, 5000.0, 240.0).cut(image).any()
    half = Crop((640, 480), 1.0, 640.0, 240.0).cut(image)
    assert (half[:, :110] == 200).all() and not half[:, 114:].any()


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        (np.zeros((5, 2)), "not those of a face"),
        (face(100.0, (200, 200)) * (1, 0), "not those of a face"),
        (face(10.0, (200, 200)), "too small"),
        (face(1e6, (200, 200)), "larger than the image"),
    ],
)
def test_what_is_no_face_has_no_crop(points, reason):
    assert reason in align(points, STANDARD, (640, 480))
