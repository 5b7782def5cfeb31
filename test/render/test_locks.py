"""The locks of the head's hair, which only pictures have."""

import numpy as np
import pytest

from listener_head.errors import UserError
from listener_head.face.arkit52 import hair, locks
from listener_head.face.arkit52.palette import Palette, painted
from listener_head.face.model import load_face_model

HEAD, WITH_LOCKS = load_face_model(), locks.head_with_locks()
N = len(HEAD.mean)


def test_the_head_itself_stays_as_perception_knows_it():
    for name in ("mean", "part", "colours", "texcoords", "head_weight"):
        np.testing.assert_array_equal(getattr(WITH_LOCKS, name)[:N], getattr(HEAD, name), err_msg=name)
    for name in ("identity_basis", "expression_basis"):
        np.testing.assert_array_equal(getattr(WITH_LOCKS, name)[:, :N], getattr(HEAD, name), err_msg=name)
    np.testing.assert_array_equal(WITH_LOCKS.landmarks, HEAD.landmarks)
    np.testing.assert_array_equal(WITH_LOCKS.triangles[: len(HEAD.triangles)], HEAD.triangles)
    assert not WITH_LOCKS.expression_basis[:, N:].any()
    assert (WITH_LOCKS.occlusion[:N] <= HEAD.occlusion + 1e-6).all()


def test_the_shipped_file_is_what_the_source_builds():
    part = hair.locks()
    np.testing.assert_allclose(WITH_LOCKS.mean[N:], part.vertices * 1e-3, atol=1e-6)
    np.testing.assert_array_equal(WITH_LOCKS.triangles[len(HEAD.triangles) :], part.triangles + N)
    np.testing.assert_allclose(WITH_LOCKS.colours[N:], part.colours, atol=1e-5)


def test_locks_lie_on_the_hair_and_leave_the_face_free():
    x, y, z = WITH_LOCKS.mean[N:].T * 1e3
    in_front = (z > 60) & (np.abs(x) < 45)
    assert y[in_front].min() > 48  # above the brows
    assert (y < 150).all() and (np.abs(x) < 95).all()


def test_a_damaged_file_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "LOCKS_PATH", tmp_path / "arkit52_locks.npz")
    (tmp_path / "arkit52_locks.npz").write_bytes(b"PK")
    with pytest.raises(
        UserError, match=r"arkit52_locks\.npz cannot be read .* make it again with: python -m"
    ):
        locks.head_with_locks.__wrapped__()


def test_painting_changes_colours_alone():
    green = painted(WITH_LOCKS, Palette(hair=(0.1, 0.5, 0.1), hair_light=(0.2, 0.8, 0.2)))
    assert green.mean is WITH_LOCKS.mean and green.expression_basis is WITH_LOCKS.expression_basis
    strands = slice(N, None)
    assert (green.colours[strands, 1] > 2 * green.colours[strands, 0]).all()
    skin = WITH_LOCKS.part == 0
    np.testing.assert_array_equal(green.colours[skin], WITH_LOCKS.colours[skin])
    unpainted = painted(WITH_LOCKS, Palette())
    np.testing.assert_allclose(unpainted.colours, WITH_LOCKS.colours, atol=1e-5)
    assert np.abs(unpainted.texture.astype(int) - WITH_LOCKS.texture).max() <= 1
    assert len(painted(WITH_LOCKS, Palette(hair_style="shell")).triangles) == len(HEAD.triangles)
    assert len(painted(WITH_LOCKS, Palette(hair_style="none")).triangles) < len(HEAD.triangles)
