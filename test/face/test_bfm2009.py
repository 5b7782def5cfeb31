"""The reader of the Basel Face Model, on a small file of the same structure."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from listener_head.coefficients import Coefficients, layout_of
from listener_head.errors import UserError
from listener_head.face.bfm2009 import load_bfm2009
from listener_head.face.model import load_face_model
from listener_head.render import HeadRenderer


@pytest.fixture(scope="module")
def model(bfm_file):
    return load_face_model(bfm_file)


def test_sizes_names_and_types(model, bfm_contents):
    n, triangles = bfm_contents["meanshape"].size // 3, len(bfm_contents["tri"])
    assert model.name == "bfm2009" and model.layout is layout_of("bfm2009")
    assert len(model.identity_names) == 80 and len(model.expression_names) == 64
    for array, shape in (
        (model.mean, (n, 3)), (model.identity_basis, (80, n, 3)), (model.expression_basis, (64, n, 3)),
        (model.colours, (n, 3)), (model.colour_basis, (80, n, 3)), (model.texcoords, (n, 2)),
        (model.occlusion, (n,)), (model.head_weight, (n,)),
    ):  # fmt: skip
        assert array.shape == shape and array.dtype == np.float32 and np.isfinite(array).all()
        assert array.flags.c_contiguous and not array.flags.writeable
    assert model.triangles.shape == (triangles, 3)
    assert model.triangles.dtype == model.landmarks.dtype == np.int32


def test_metres_about_the_mean_of_all_vertices(model, bfm_contents):
    raw = bfm_contents["meanshape"].reshape(-1, 3)
    np.testing.assert_allclose(model.mean, 0.1 * (raw - raw.mean(axis=0)), atol=1e-7)
    np.testing.assert_allclose(model.mean.mean(axis=0), 0, atol=1e-6)
    identity, expression = np.eye(80)[3] * 2, np.eye(64)[5] * -1.5
    moved = 2 * bfm_contents["idBase"][:, 3] - 1.5 * bfm_contents["exBase"][:, 5]
    expected = model.mean + 0.1 * moved.reshape(-1, 3)
    np.testing.assert_allclose(model.mesh(identity, expression), expected, atol=1e-6)
    np.testing.assert_allclose(
        model.landmark_points(identity, expression), expected[model.landmarks], atol=1e-6
    )


def test_axes_and_landmarks_are_the_model_frames(model):
    points = model.landmark_points()
    assert points[36, 0] < points[39, 0] < points[42, 0] < points[45, 0]  # x to the subject's left
    assert points[27, 1] > points[30, 1] > points[57, 1] > points[8, 1]  # y up
    assert points[30, 2] > points[[0, 16], 2].max()  # z out of the face
    assert 0.05 < points[45, 0] - points[36, 0] < 0.15


@pytest.mark.parametrize("as_in_file", [True, False])
def test_triangles_face_outwards_whichever_way_the_file_has_them(tmp_path, bfm_contents, as_in_file):
    triangles = bfm_contents["tri"] if as_in_file else bfm_contents["tri"][:, ::-1]
    savemat(tmp_path / "a.mat", bfm_contents | {"tri": triangles})
    model = load_bfm2009(tmp_path / "a.mat")
    a, b, c = (model.mean[model.triangles[:, k]] for k in range(3))
    assert np.cross(b - a, c - a)[:, 2].mean() > 0
    np.testing.assert_array_equal(np.sort(model.triangles), np.sort(bfm_contents["tri"] - 1))


def test_colours_are_those_of_the_file(model, bfm_contents):
    np.testing.assert_allclose(model.colours.ravel(), bfm_contents["meantex"][0] / 255, atol=1e-6)
    np.testing.assert_allclose(model.colour_basis[7].ravel(), bfm_contents["texBase"][:, 7] / 255, atol=1e-6)
    assert (model.texcoords < 0).all()


def test_column_vectors_and_compressed_files_are_read_too(tmp_path, model, bfm_contents):
    turned = {key: bfm_contents[key].T for key in ("meanshape", "meantex", "keypoints")}
    savemat(tmp_path / "a.mat", bfm_contents | turned, do_compression=True)
    np.testing.assert_array_equal(load_bfm2009(tmp_path / "a.mat").mean, model.mean)


def test_is_read_once(bfm_file, model):
    assert load_face_model(str(bfm_file)) is model


def _with_nan(values):
    values = values.copy()
    values.flat[17] = np.nan
    return values


@pytest.mark.parametrize(
    ("key", "damage", "message"),
    [
        ("meanshape", lambda v: v[:, :-1], r"'meanshape' of .* has shape \(1, \d+\); it needs \(1, 3 N\)"),
        (
            "meanshape",
            lambda v: v.reshape(3, -1),
            r"'meanshape' .* has shape \(3, \d+\); it needs \(1, 3 N\)",
        ),
        ("meanshape", lambda v: v[:, :0], "'meanshape' .* it needs"),
        ("meanshape", lambda v: v * 100, "'meanshape' .* check that it is in decimetres"),
        ("meanshape", lambda v: v.astype(complex), "'meanshape' .* holds complex128, not real numbers"),
        ("meanshape", lambda v: "face", "'meanshape'"),
        ("idBase", lambda v: v[:, :79], r"'idBase' .* has shape \(\d+, 79\); it needs \(\d+, 80\)"),
        ("exBase", lambda v: v.T, r"'exBase' .* has shape \(64, \d+\); it needs \(\d+, 64\)"),
        ("exBase", _with_nan, "'exBase' .* not finite"),
        ("texBase", lambda v: v[3:], r"'texBase' .* it needs \(\d+, 80\)"),
        ("texBase", lambda v: v.astype(float) * 1e300, "'texBase' .* not finite"),
        ("meantex", lambda v: v[:, 3:], r"'meantex' .* it needs \(1, \d+\)"),
        ("tri", lambda v: v[:, :2], r"'tri' .* it needs \(M, 3\)"),
        ("tri", lambda v: v - 1, r"'tri' .* names vertices 0 to \d+; meanshape has 1 to \d+"),
        ("tri", lambda v: v[:0], r"'tri' .* it needs \(M, 3\)"),
        ("keypoints", lambda v: v[:, 1:], r"'keypoints' .* has shape \(1, 67\); it needs \(1, 68\)"),
        ("keypoints", lambda v: v + 0.5, "'keypoints' .* whole numbers"),
        ("keypoints", lambda v: v + 1e6, r"'keypoints' .* names vertices 1000001 to \d+"),
        ("keypoints", _with_nan, "'keypoints' .* whole numbers"),
        ("keypoints", lambda v: v[:, ::-1], "check that it is in decimetres"),
    ],
)
def test_damage_is_named(tmp_path, bfm_contents, key, damage, message):
    path = tmp_path / "BFM_model_front.mat"
    savemat(path, bfm_contents | {key: damage(bfm_contents[key])})
    with pytest.raises(UserError, match=message) as caught:
        load_face_model(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["meanshape", "idBase", "exBase", "meantex", "texBase", "tri", "keypoints"])
def test_a_missing_key_is_named(tmp_path, bfm_contents, key):
    savemat(tmp_path / "a.mat", {k: v for k, v in bfm_contents.items() if k != key})
    with pytest.raises(UserError, match=f"a.mat has no '{key}'"):
        load_face_model(tmp_path / "a.mat")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist"),
        (b"", "cannot be read as MATLAB 5"),
        (b"no face here" * 50, "cannot be read as MATLAB 5"),
        (b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + b"\x89HDF\r\n\x1a\n", r"MATLAB 7.3 \(HDF5\)"),
    ],
)
def test_files_of_another_kind_are_refused(tmp_path, content, message):
    path = tmp_path / "a.mat"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=f"a.mat .*{message}"):
        load_face_model(path)


@settings(deadline=None, max_examples=30)
@given(st.floats(0, 1), st.binary(max_size=64))
def test_damaged_bytes_give_one_error_or_a_model(tmp_path_factory, bfm_file, place, damage):
    whole = bfm_file.read_bytes()
    at = int(place * len(whole))
    path = tmp_path_factory.mktemp("damaged") / "a.mat"
    # An empty damage cuts the file off.
    path.write_bytes(whole[:at] + damage + whole[at + len(damage) :] if damage else whole[:at])
    try:
        model = load_bfm2009(path)
    except UserError as error:
        assert str(path) in str(error)
    else:
        assert np.isfinite(model.mesh()).all()


def test_the_renderer_draws_it(bfm_file):
    model = load_face_model(bfm_file)
    try:
        renderer = HeadRenderer(128, model)
    except UserError as error:
        pytest.skip(str(error))
    neutral = Coefficients.from_motion("bfm2009", model.layout.neutral(), np.zeros(80, np.float32))
    moved = Coefficients.from_motion("bfm2009", model.layout.neutral(), np.zeros(80, np.float32))
    moved.expression[0] = -3.0  # modes have two signs
    pictures = [renderer.render(coefficients) for coefficients in (neutral, moved)]
    renderer.close()
    background = pictures[0][0, 0]
    assert (pictures[0][30:70, 50:78] != background).any(axis=2).all()
    assert np.abs(pictures[0].astype(int) - pictures[1]).max() > 20
