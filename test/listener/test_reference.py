import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.errors import UserError
from listener_head.extraction.clip_file import ClipFeatures, write_clip
from listener_head.listener.reference import optical_motion, read_reference

LAYOUT = LAYOUTS["arkit52"]


def write(path, valid=(False, True, True), face_model="arkit52"):
    """A clip whose frame k has motion k and identity 10 k."""
    count, size = len(valid), LAYOUTS[face_model].size
    steps = np.arange(count, dtype=np.float32)[:, None]
    clip = ClipFeatures(
        uuid="a",
        role="listener",
        audio_layout="paper45",
        face_model=face_model,
        image_size=(64, 64),
        source={},
        stamps_ns=np.arange(count),
        source_stamps_ns=np.arange(count),
        audio_features=np.zeros((count, 45), np.float32),
        voice_activity=np.zeros(count, np.float32),
        motion=np.tile(steps, size),
        valid=np.array(valid),
        confidence=np.ones(count, np.float32),
        identity=np.tile(10 * steps, 5),
        texture=np.zeros((count, 0), np.float32),
        lighting=np.zeros((count, 0), np.float32),
    )
    with path.open("wb") as file:
        write_clip(file, clip)
    return path


def test_the_first_frame_with_a_face_of_a_clip(tmp_path):
    reference = read_reference(write(tmp_path / "clip.npz"), "arkit52")
    np.testing.assert_array_equal(reference.motion, np.ones(LAYOUT.size))
    np.testing.assert_array_equal(reference.identity, np.full(5, 10))


def test_a_clip_without_a_face_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"clip\.npz' has no frame with a face"):
        read_reference(write(tmp_path / "clip.npz", (False, False)), "arkit52")


def test_another_face_model_is_refused_with_both_names(tmp_path):
    with pytest.raises(UserError, match="of face model bfm2009, the network of arkit52"):
        read_reference(write(tmp_path / "clip.npz", face_model="bfm2009"), "arkit52")


@pytest.mark.parametrize("shape", [(LAYOUT.size,), (3, LAYOUT.size)])
def test_a_motion_vector_or_the_first_of_several(tmp_path, shape):
    values = np.random.default_rng(0).random(shape)
    np.save(tmp_path / "m.npy", values)
    reference = read_reference(tmp_path / "m.npy", "arkit52")
    np.testing.assert_array_equal(reference.motion, np.atleast_2d(values)[0].astype(np.float32))
    assert reference.identity.size == 0


def test_published_video_features_come_into_the_cameras_frame(tmp_path):
    torch = pytest.importorskip("torch", reason="training extra is not installed")
    frames = np.random.default_rng(0)
    dynamic, fixed = (frames.normal(size=(4, size)).astype(np.float32) for size in (73, 187))
    torch.save({"angle.exp.trans": dynamic, "id.gamma.tex": fixed}, tmp_path / "a.listener.bin")
    reference = read_reference(tmp_path / "a.listener.bin", "bfm2009")
    layout, row = LAYOUTS["bfm2009"], dynamic[0]
    coefficients = Coefficients.from_motion("bfm2009", reference.motion)
    np.testing.assert_allclose(coefficients.rotation, row[:3] * [1, -1, -1], rtol=1e-6)
    # Decimetres, y up, from a camera at ten of them: metres, y down, from the camera on.
    x, y, z = row[layout.translation]
    np.testing.assert_allclose(coefficients.translation, [0.1 * x, -0.1 * y, 1 - 0.1 * z], rtol=1e-5)
    np.testing.assert_array_equal(coefficients.expression, row[layout.expression])
    np.testing.assert_array_equal(coefficients.crop, row[layout.crop])
    np.testing.assert_array_equal(reference.identity, fixed[0, :80])
    np.testing.assert_allclose(reference.motion, optical_motion(dynamic, layout)[0], rtol=1e-6)


@pytest.mark.parametrize("name", ["none.npz", "none.npy", "none.bin"])
def test_a_missing_file_is_named(tmp_path, name):
    with pytest.raises(UserError, match=name):
        read_reference(tmp_path / name, "bfm2009")


def test_an_unknown_suffix_is_refused(tmp_path):
    with pytest.raises(
        UserError, match=r"portrait\.txt' has an unknown suffix; give one of \.npz, \.npy, \.bin"
    ):
        read_reference(tmp_path / "portrait.txt", "arkit52")


@given(
    values=arrays(
        st.sampled_from([np.float32, np.float64, np.int64, np.bool_, np.dtype("U3")]),
        array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=60),
    )
)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_other_array_is_refused(tmp_path, values):
    np.save(tmp_path / "m.npy", values)
    if values.ndim in (1, 2) and values.size and values.shape[-1] == LAYOUT.size:
        return
    with pytest.raises(UserError, match=r"m\.npy"):
        read_reference(tmp_path / "m.npy", "arkit52")


@given(data=st.binary(max_size=200), suffix=st.sampled_from([".npz", ".npy", ".bin"]))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_other_file_is_refused(tmp_path, data, suffix):
    path = tmp_path / f"m{suffix}"
    path.write_bytes(data)
    with pytest.raises(UserError):
        read_reference(path, "arkit52")


def test_a_reference_that_is_not_finite_is_refused(tmp_path):
    np.save(tmp_path / "m.npy", np.full(LAYOUT.size, np.nan))
    with pytest.raises(UserError, match="not finite"):
        read_reference(tmp_path / "m.npy", "arkit52")
