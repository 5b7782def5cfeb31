"""The published frame and the optical one: the same pixels, and the way there and back."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_face import STANDARD
from scipy.optimize import least_squares

from listener_head.coefficients import Coefficients
from listener_head.errors import UserError
from listener_head.face import Camera, load_face_model
from listener_head.face.deep3d.alignment import Crop, align
from listener_head.face.deep3d.frames import from_optical, to_optical
from listener_head.face.deep3d.published import CENTRE, COUNT, FOCAL, SLICES
from listener_head.face.geometry import project, rotation_matrix
from listener_head.face.geometry import to_optical as place_points

SIZE = (640, 480)
CAMERA = Camera(620.0, 615.0, 318.0, 243.0)
FISHEYE = Camera(400.0, 400.0, 320.0, 240.0, (0.05, -0.02, 0.004, -0.001), "equidistant")
BENT = Camera(620.0, 615.0, 318.0, 243.0, (-0.28, 0.09, 0.001, -0.0005, 0.0))
CROP = Crop(SIZE, 1.1, 380.0, 200.0)


def published_pixels(points, rotation, translation):
    """Columns and rows in the crop of model points [N, 3] in decimetres, after the published formulae."""
    (sx, sy, sz), (cx, cy, cz) = np.sin(rotation), np.cos(rotation)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    placed = points @ (about_z @ about_y @ about_x).T + translation
    distance = 10.0 - placed[:, 2]
    x = 1015.0 * placed[:, 0] / distance + 112.0
    y = 1015.0 * placed[:, 1] / distance + 112.0
    return np.column_stack([x, 223.0 - y])


def numbers_of(rotation, translation, seed=0):
    numbers = np.random.default_rng(seed).normal(0.0, 1.0, COUNT)
    numbers[SLICES["rotation"]], numbers[SLICES["translation"]] = rotation, translation
    return numbers


angles = st.tuples(st.floats(-1.5, 1.5), st.floats(-1.5, 1.5), st.floats(-3.1, 3.1))
places = st.tuples(st.floats(-1.0, 1.0), st.floats(-1.0, 1.0), st.floats(-3.0, 3.0))


@settings(deadline=None, max_examples=50)
@given(angles, places, st.integers(0, 1000))
def test_bfm_landmarks_fall_on_the_published_pixels(bfm_file, bfm_contents, rotation, translation, seed):
    """All the way: the file's own arrays by the published formulae, our model by our geometry."""
    numbers = numbers_of(rotation, translation, seed)
    identity, expression = 0.5 * numbers[SLICES["identity"]], 0.5 * numbers[SLICES["expression"]]
    mean = bfm_contents["meanshape"].reshape(-1, 3)
    shape = bfm_contents["idBase"] @ identity + bfm_contents["exBase"] @ expression
    vertices = mean - mean.mean(axis=0) + shape.reshape(-1, 3)
    keypoints = vertices[bfm_contents["keypoints"].astype(int).ravel() - 1]
    expected = published_pixels(keypoints, rotation, translation)

    coefficients = to_optical(numbers, CROP)
    points = load_face_model(bfm_file).landmark_points(identity, expression)
    placed = place_points(points, coefficients.rotation, coefficients.translation)
    np.testing.assert_allclose(project(placed, FOCAL, CENTRE), expected, atol=0.02)


def test_signs_are_those_of_the_coefficients():
    """Positive pitch looks down, yaw to the image's left, roll tips to its right; right, down and away."""
    down = to_optical(numbers_of((0.3, 0, 0), (0.5, 0.2, 1.0)), CROP)
    np.testing.assert_allclose(down.rotation, (0.3, 0, 0), atol=1e-6)
    np.testing.assert_allclose(down.translation, (0.05, -0.02, 0.9), atol=1e-6)
    left = to_optical(numbers_of((0, -0.4, -0.2), (0, 0, 0)), CROP)
    np.testing.assert_allclose(left.rotation, (0, 0.4, 0.2), atol=1e-6)
    nose = place_points(np.array([[0.0, 0.0, 0.1]]), left.rotation, (0, 0, 0))[0]
    assert nose[0] < 0


@settings(deadline=None, max_examples=200)
@given(
    angles,
    places,
    st.integers(0, 2**32 - 1),
    st.sampled_from([None, CAMERA, BENT, FISHEYE]),
    st.floats(0.4, 4.0),
)
def test_the_published_numbers_come_back(rotation, translation, seed, camera, scale):
    numbers = numbers_of(rotation, translation, seed)
    crop = Crop(SIZE, float(np.float32(scale)), 380.0, 200.0)
    coefficients = to_optical(numbers, crop, camera)
    back = from_optical(coefficients, camera, SIZE)
    pose = np.r_[SLICES["rotation"], SLICES["translation"]]
    np.testing.assert_allclose(np.delete(back, pose), np.delete(numbers, pose), rtol=1e-6)
    turned = rotation_matrix(back[SLICES["rotation"]]), rotation_matrix(rotation)
    np.testing.assert_allclose(*turned, atol=1e-5)
    np.testing.assert_allclose(back[SLICES["translation"]], translation, atol=2e-4)
    if camera is None:
        np.testing.assert_allclose(back, numbers, atol=1e-6)


def test_camera_that_is_the_crops_own_changes_nothing():
    focal = FOCAL * CROP.pitch
    camera = Camera(*focal, *CROP.to_image(CENTRE))
    numbers = numbers_of((0.1, -0.3, 0.2), (0.4, -0.3, 0.5))
    plain, same = to_optical(numbers, CROP), to_optical(numbers, CROP, camera)
    np.testing.assert_allclose(same.motion, plain.motion, atol=1e-6)


def best_numbers(points, pixels):
    """What a perfect network would say of landmarks [N, 3] dm that are seen in the crop at ``pixels``."""

    def misfit(pose):
        return (published_pixels(points, pose[:3], pose[3:]) - pixels).ravel()

    pose = least_squares(misfit, np.zeros(6), x_scale=(0.1, 0.1, 0.1, 1, 1, 1)).x
    return numbers_of(pose[:3], pose[3:])


@pytest.mark.parametrize(
    ("rotation", "translation"),
    [
        ((0.0, 0.0, 0.0), (0.0, 0.0, 0.7)),
        ((0.2, -0.3, 0.1), (0.2, 0.1, 0.9)),
        ((-0.1, 0.4, -0.3), (-0.3, -0.15, 0.8)),
        ((0.1, 0.2, 0.0), (0.5, 0.2, 1.5)),
    ],
)
def test_place_is_metric_in_the_camera(bfm_file, rotation, translation):
    """A head before a real camera, cropped and explained by the crop's camera, is found where it is."""
    points = load_face_model(bfm_file).landmark_points()
    seen = place_points(points, rotation, translation)
    pixels = seen[:, :2] / seen[:, 2:] * (CAMERA.fx, CAMERA.fy) + (CAMERA.cx, CAMERA.cy)
    eyes = [pixels[[36, 39]].mean(axis=0), pixels[[42, 45]].mean(axis=0)]
    five = np.array([*eyes, *pixels[[30, 48, 54]]]) - 0.5
    five[:, 1] = SIZE[1] - 1 - five[:, 1]
    crop = align(five, STANDARD, SIZE)
    found = to_optical(best_numbers(points * 10.0, crop.from_image(pixels)), crop, CAMERA)
    between = rotation_matrix(found.rotation).T @ rotation_matrix(rotation)
    assert np.degrees(np.arccos(np.clip((np.trace(between) - 1) / 2, -1, 1))) < 1.5
    np.testing.assert_allclose(found.translation, translation, atol=0.02 * translation[2])


def test_translation_follows_pictures_of_another_size():
    """Intrinsics for 1280 x 960, pictures of half of it: the same place."""
    large = Camera(1240.0, 1230.0, 636.0, 486.0, image_size=(1280, 960))
    small = Camera(620.0, 615.0, 318.0, 243.0)
    numbers = numbers_of((0.1, -0.3, 0.2), (0.4, -0.3, 0.5))
    np.testing.assert_array_equal(
        to_optical(numbers, CROP, large).motion, to_optical(numbers, CROP, small).motion
    )


def test_misuse_is_named():
    coefficients = to_optical(numbers_of((0, 0, 0), (0, 0, 0)), CROP, CAMERA)
    with pytest.raises(UserError, match=r"\(256,\).*\(257,\)"):
        to_optical(np.zeros(256), CROP)
    with pytest.raises(UserError, match="arkit52"):
        from_optical(Coefficients.invalid("arkit52", "none"))
    with pytest.raises(UserError, match="image_size is missing"):
        from_optical(coefficients, CAMERA)
    with pytest.raises(UserError, match="before the camera"):
        from_optical(replace(coefficients, translation=np.zeros(3, np.float32)), CAMERA, SIZE)
    for crop in (np.zeros(3), np.array([0.001, 0, 0]), np.zeros(0), np.array([1, 0, np.nan])):
        with pytest.raises(UserError, match="crop"):
            from_optical(replace(coefficients, crop=crop.astype(np.float32)), CAMERA, SIZE)


def test_only_motion_comes_back_where_there_is_only_motion():
    coefficients = Coefficients.from_motion(
        "bfm2009", to_optical(numbers_of((0, 0, 0), (0, 0, 0)), CROP).motion
    )
    numbers = from_optical(coefficients)
    assert not numbers[SLICES["texture"]].any() and numbers[SLICES["expression"]].any()
