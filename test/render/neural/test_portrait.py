"""Portraits cut as the network's training pictures are."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from listener_head.errors import UserError
from listener_head.face import FaceTracker
from listener_head.render.neural.portrait import crop_portrait


def face_box(picture):
    """Upper left and lower right corner of the landmarks, as shares of the picture."""
    tracker = FaceTracker()
    landmarks = tracker.track(np.ascontiguousarray(picture[..., ::-1]))
    tracker.close()
    points = landmarks.points / picture.shape[0]
    return points.min(axis=0), points.max(axis=0)


@pytest.fixture(scope="module")
def wide_picture(head_picture):
    """The head at the right of a landscape."""
    return np.pad(head_picture, ((60, 40), (300, 20), (0, 0)), mode="edge")


def test_face_is_where_it_was_in_training(wide_picture):
    crop = crop_portrait(wide_picture, 256)
    assert crop.shape == (256, 256, 3) and crop.dtype == np.uint8
    low, high = face_box(crop)
    assert (high - low).max() == pytest.approx(2 / 3, abs=0.03)
    np.testing.assert_allclose((low + high) / 2, (0.5, 0.53), atol=0.02)


def test_a_crop_is_left_as_it_is(wide_picture):
    """What has been cut once is only resized."""
    crop = crop_portrait(wide_picture, 256)
    np.testing.assert_array_equal(crop_portrait(crop, 256), crop)


def test_beyond_the_edge_the_edge_is_repeated(head_picture):
    low, high = (corner * 320 for corner in face_box(head_picture))
    cut = head_picture[int(low[1]) - 8 : int(high[1]) + 8, int(low[0]) - 8 : int(high[0]) + 8]
    low, high = face_box(crop_portrait(cut, 256))
    assert (high - low).max() == pytest.approx(2 / 3, abs=0.05)


def test_files_come_upright(wide_picture, tmp_path):
    """As their EXIF data say."""
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter clockwise
    path = tmp_path / "turned.png"
    Image.fromarray(np.rot90(wide_picture)).save(path, exif=exif)
    np.testing.assert_array_equal(crop_portrait(path, 256), crop_portrait(wide_picture, 256))


def test_no_face_and_two_are_refused(head_picture):
    with pytest.raises(UserError, match="portrait: no face in view; give a picture of one face"):
        crop_portrait(np.full((200, 200, 3), 128, np.uint8), 256)
    with pytest.raises(UserError, match="shows 2 faces; crop the picture"):
        crop_portrait(np.concatenate([head_picture, head_picture], axis=1), 256)


def test_a_small_face_is_refused(head_picture):
    small = np.asarray(Image.fromarray(head_picture).resize((80, 80)))
    with pytest.raises(UserError, match="pixels in size, 48 are needed"):
        crop_portrait(small, 256)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.zeros((64, 64), np.uint8), r"uint8 of shape \(64, 64\)"),
        (np.zeros((64, 64, 4), np.uint8), r"shape \(64, 64, 4\)"),
        (np.zeros((64, 64, 3)), "float64"),
        (np.zeros((0, 64, 3), np.uint8), r"shape \(0, 64, 3\)"),
        (np.zeros((8, 8, 3), np.uint8), "too small"),
    ],
)
def test_arrays_that_are_no_picture_are_named(picture, message):
    with pytest.raises(UserError, match=message):
        crop_portrait(picture, 256)


def test_files_that_are_no_picture_are_named(tmp_path):
    with pytest.raises(UserError, match=r"none\.png' cannot be read \(No such file"):
        crop_portrait(tmp_path / "none.png", 256)
    with pytest.raises(UserError, match="cannot be read"):
        crop_portrait(tmp_path, 256)


@settings(deadline=None, max_examples=30)
@given(st.binary(max_size=200), st.floats(0.0, 0.9))
def test_damaged_files_are_one_clear_line(tmp_path_factory, junk, share):
    buffer = io.BytesIO()
    Image.new("RGB", (40, 40)).save(buffer, "png")
    path = tmp_path_factory.getbasetemp() / "damaged.png"
    for content in (junk, buffer.getvalue()[: int(share * len(buffer.getvalue()))]):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"damaged\.png"):
            crop_portrait(path, 256)
