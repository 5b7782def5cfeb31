"""The standard landmarks, from either of the two files that a user may have."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_face import STANDARD, landmarks68
from scipy.io import savemat

from listener_head.errors import UserError
from listener_head.face import load_face_model
from listener_head.face.deep3d.alignment import RESCALE
from listener_head.face.deep3d.published import CAMERA_DISTANCE, FOCAL
from listener_head.face.deep3d.standard import load_standard_landmarks


def test_published_file(landmark_file):
    np.testing.assert_allclose(load_standard_landmarks(landmark_file), STANDARD, atol=1e-12)


def test_bfm_file(bfm_file, bfm_contents):
    """The keypoints of the mean face about the mean of its vertices, in the file's own decimetres."""
    vertices = bfm_contents["meanshape"].reshape(-1, 3)
    points = (vertices - vertices.mean(axis=0))[bfm_contents["keypoints"].astype(int).ravel() - 1]
    eyes = [points[[36, 39]].mean(axis=0), points[[42, 45]].mean(axis=0)]
    five = load_standard_landmarks(bfm_file)
    np.testing.assert_allclose(five, np.array([*eyes, *points[[30, 48, 54]]]), atol=1e-5)


def test_rescale_factor_is_for_decimetres():
    """At the published distance a face is as large in pixels as its crop makes it."""
    assert pytest.approx(RESCALE, rel=0.01) == FOCAL / CAMERA_DISTANCE


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ({"other": np.zeros(3)}, "neither 'lm' nor 'keypoints'"),
        ({"lm": landmarks68()[:67]}, r"shape \(67, 3\)"),
        ({"lm": landmarks68() * np.nan}, "68 x 3 finite"),
        ({"lm": "text"}, "68 x 3 finite"),
        ({"lm": landmarks68() * 0.1}, "0.064 apart.*decimetres"),
        ({"lm": landmarks68() * (-1, 1, 1)}, "-0.64 apart"),
        ({"lm": landmarks68() * (1, -1, 1)}, "no face with y up"),
        ({"lm": landmarks68() * (1, 1, -1)}, "no face with y up and z out of it"),
    ],
)
def test_another_file_is_refused(tmp_path, contents, message):
    path = tmp_path / "lm.mat"
    savemat(path, contents)
    with pytest.raises(UserError, match=message) as refusal:
        load_standard_landmarks(path)
    assert "lm.mat" in str(refusal.value) and "similarity_Lm3D_all.mat" in str(refusal.value)


def test_missing_and_other_files_are_named(tmp_path):
    with pytest.raises(UserError, match=r"none\.mat.*does not exist"):
        load_standard_landmarks(tmp_path / "none.mat")
    with pytest.raises(UserError, match="does not exist"):
        load_standard_landmarks(tmp_path)


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=300), st.integers(0, 2000))
def test_damaged_files_are_refused(landmark_file, tmp_path_factory, junk, cut):
    path = tmp_path_factory.getbasetemp() / "damaged.mat"
    whole = landmark_file.read_bytes()
    for content in (junk, whole[: min(cut, len(whole) - 100)]):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"damaged\.mat"):
            load_standard_landmarks(path)


def test_another_head_passes(tmp_path):
    """The check of units and axes is no fluke of the made-up face: the built-in head's landmarks pass too."""
    path = tmp_path / "lm.mat"
    savemat(path, {"lm": load_face_model("arkit52").landmark_points() * 10.0})
    assert load_standard_landmarks(path).shape == (5, 3)
