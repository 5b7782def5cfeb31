"""The published files, written and read: nothing is lost, and nothing else passes."""

from __future__ import annotations

import io
import pickle

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.io import savemat

from listener_head.errors import UserError
from listener_head.extraction.conversion import filled
from listener_head.extraction.published import (
    Reconstruction,
    VideoFeatures,
    read_audio_npy,
    read_mat,
    read_video_bin,
    write_audio_npy,
    write_mat,
    write_video_bin,
)
from listener_head.extraction.statistics import ColumnStatistics

same_folder = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
numbers = st.floats(-1e6, 1e6, width=32)


def written(path, write, value):
    with path.open("wb") as file:
        write(file, value)
    return path


def table(rows, columns):
    return arrays(np.float32, (rows, columns), elements=numbers, fill=numbers)


def rows(count, columns, seed=0):
    return np.random.default_rng(seed).standard_normal((count, columns)).astype(np.float32)


@same_folder
@given(st.integers(1, 4).flatmap(lambda count: table(count, 45)))
def test_audio_features_come_back(tmp_path, features):
    np.testing.assert_array_equal(
        read_audio_npy(written(tmp_path / "a.npy", write_audio_npy, features)), features
    )


@pytest.mark.parametrize(("model", "dynamic", "fixed"), [("bfm2009", 73, 187), ("arkit52", 58, 10)])
def test_video_features_come_back(tmp_path, model, dynamic, fixed):
    pytest.importorskip("torch")
    features = VideoFeatures(model, rows(5, dynamic), rows(5, fixed, 1))
    found = read_video_bin(written(tmp_path / "a.bin", write_video_bin, features))
    assert found.face_model == model
    np.testing.assert_array_equal(found.dynamic, features.dynamic)
    np.testing.assert_array_equal(found.fixed, features.fixed)


def test_the_published_loader_reads_video_features(tmp_path):
    """It indexes NumPy arrays and makes tensors of them, so tensors in the file would not do."""
    torch = pytest.importorskip("torch")
    path = written(tmp_path / "a.bin", write_video_bin, VideoFeatures("bfm2009", rows(9, 73), rows(9, 187)))
    data = torch.load(path, weights_only=False)
    for key, columns in (("angle.exp.trans", 73), ("id.gamma.tex", 187)):
        assert torch.from_numpy(data[key][[2, 3, 4], :]).float().shape == (3, columns)


def test_reconstruction_comes_back_and_is_rearranged_as_published(tmp_path):
    given_ = Reconstruction(rows(4, 257), rows(4, 5, 1))
    found = read_mat(written(tmp_path / "a.mat", write_mat, given_))
    np.testing.assert_array_equal(found.coeff, given_.coeff)
    np.testing.assert_array_equal(found.transform_params, given_.transform_params)
    features, coeff = found.video_features(), found.coeff
    angle, exp, trans = coeff[:, 224:227], coeff[:, 80:144], coeff[:, 254:257]
    np.testing.assert_array_equal(
        features.dynamic, np.hstack([angle, exp, trans, given_.transform_params[:, -3:]])
    )
    np.testing.assert_array_equal(
        features.fixed, np.hstack([coeff[:, :80], coeff[:, 227:254], coeff[:, 144:224]])
    )


@same_folder
@given(st.binary(max_size=400), st.sampled_from(["npy", "bin", "mat"]))
def test_arbitrary_bytes_are_refused_by_name(tmp_path, content, kind):
    if kind == "bin":
        pytest.importorskip("torch")
    read = {"npy": read_audio_npy, "bin": read_video_bin, "mat": read_mat}[kind]
    path = tmp_path / f"broken.{kind}"
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"broken.{kind}"):
        read(path)


@same_folder
@given(st.integers(0, 10**6), st.integers(0, 255), st.sampled_from(["npy", "bin", "mat"]))
def test_damaged_files_are_read_or_refused(tmp_path, place, value, kind):
    """One byte is another: the numbers may differ then, but they are numbers of the right shape."""
    if kind == "bin":
        pytest.importorskip("torch")
    write, read, whole = {
        "npy": (write_audio_npy, read_audio_npy, rows(2, 45)),
        "bin": (write_video_bin, read_video_bin, VideoFeatures("bfm2009", rows(2, 73), rows(2, 187))),
        "mat": (write_mat, read_mat, Reconstruction(rows(2, 257), rows(2, 5))),
    }[kind]
    file = io.BytesIO()
    write(file, whole)
    content = bytearray(file.getvalue())
    content[place % len(content)] = value
    path = tmp_path / f"damaged.{kind}"
    path.write_bytes(content)
    try:
        found = read(path)
    except UserError as problem:
        assert f"damaged.{kind}" in str(problem)
    else:
        for array in [found] if kind == "npy" else vars(found).values():
            assert isinstance(array, str) or np.isfinite(array).all()


def test_wrong_shapes_are_named(tmp_path):
    for content, line in (
        (np.zeros((3, 44), np.float32), r"float32 \(3, 44\); it must be numbers T x 45"),
        (np.zeros((0, 45), np.float32), "it must be numbers T x 45"),
        (np.full((1, 45), np.nan), "not finite"),
    ):
        np.save(tmp_path / "a.npy", content)
        with pytest.raises(UserError, match=line):
            read_audio_npy(tmp_path / "a.npy")
    savemat(tmp_path / "a.mat", {"coeff": rows(3, 256), "transform_params": rows(3, 5)})
    with pytest.raises(UserError, match=r"'coeff' is float32 \(3, 256\)"):
        read_mat(tmp_path / "a.mat")
    savemat(tmp_path / "a.mat", {"coeff": rows(3, 257)})
    with pytest.raises(UserError, match="has no 'transform_params'"):
        read_mat(tmp_path / "a.mat")
    with pytest.raises(UserError, match="No such file"):
        read_audio_npy(tmp_path / "nowhere.npy")


def test_wrong_video_features_are_named(tmp_path):
    torch = pytest.importorskip("torch")
    path = tmp_path / "a.bin"
    for content, line in (
        ({"angle.exp.trans": rows(3, 73)}, "has no 'id.gamma.tex'"),
        ({"angle.exp.trans": rows(3, 70), "id.gamma.tex": rows(3, 187)}, r"has shape \(3, 70\)"),
        (
            {"angle.exp.trans": rows(3, 73), "id.gamma.tex": rows(3, 80)},
            r"'id.gamma.tex' is float32 \(3, 80\)",
        ),
        ({"angle.exp.trans": rows(3, 73), "id.gamma.tex": rows(4, 187)}, "3 rows and 'id.gamma.tex' has 4"),
        ([1, 2], "has no 'angle.exp.trans'"),
    ):
        torch.save(content, path)
        with pytest.raises(UserError, match=line):
            read_video_bin(path)


def test_nothing_in_a_video_file_is_executed(tmp_path):
    torch = pytest.importorskip("torch")

    class Harm:
        def __reduce__(self):
            return (tmp_path / "harm").mkdir, ()

    torch.save({"angle.exp.trans": Harm(), "id.gamma.tex": rows(1, 187)}, tmp_path / "a.bin")
    assert pickle.dumps(Harm())
    with pytest.raises(UserError, match="cannot be read"):
        read_video_bin(tmp_path / "a.bin")
    assert not (tmp_path / "harm").exists()


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=12).filter(any), st.integers(0, 99))
def test_gaps_are_filled_between_their_neighbours(valid, seed):
    valid = np.array(valid)
    values = rows(len(valid), 3, seed)
    values[~valid] = 1e9
    full = filled(values, valid)
    np.testing.assert_array_equal(full[valid], values[valid])
    known = np.flatnonzero(valid)
    for column in range(3):
        expected = np.interp(np.arange(len(valid)), known, values[known, column])
        np.testing.assert_allclose(full[:, column], expected, rtol=1e-4, atol=1e-5)


@settings(deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.floats(-1e4, 1e4))
def test_statistics_of_pieces_are_those_of_the_whole(counts, offset):
    whole = np.random.default_rng(sum(counts)).standard_normal((sum(counts), 3)) + offset
    statistics, start = ColumnStatistics(), 0
    for count in counts:
        statistics.add(whole[start : start + count])
        start += count
    found = statistics.result()
    np.testing.assert_allclose(found["mean"], whole.mean(axis=0), rtol=1e-5, atol=1e-5)
    expected = whole.std(axis=0, ddof=1) if len(whole) > 1 else np.zeros(3)
    np.testing.assert_allclose(found["std"], expected, rtol=1e-4, atol=1e-6)
