"""Deep3DFitter on random weights: what comes out, what is refused, and that nothing breaks it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from made_up_face import STANDARD

from listener_head.coefficients import LAYOUTS
from listener_head.errors import UserError
from listener_head.face import Camera, Landmarks
from listener_head.face.deep3d import Deep3DFitter
from listener_head.face.deep3d.alignment import align, five_points
from listener_head.face.deep3d.card import FILE_FORMAT, make_card
from listener_head.face.deep3d.frames import from_optical
from listener_head.face.ibug import FACEMESH_POINTS
from listener_head.face.tracker import LANDMARK_COUNT
from listener_head.listener.runtime import DEFAULT_NETWORK

SIZE = (640, 480)
CAMERA = Camera(620.0, 615.0, 318.0, 243.0)
IMAGE = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)


def face_at(centre=(320.0, 240.0), size_px=180.0):
    """FaceMesh landmarks of a face that looks into the camera: five points right, the others around them."""
    cloud = np.random.default_rng(1).uniform(-0.7, 0.7, (LANDMARK_COUNT, 2))
    for corners, point in (((36, 39), STANDARD[0]), ((42, 45), STANDARD[1])):
        for corner, aside in zip(corners, (-0.15, 0.15), strict=True):
            cloud[FACEMESH_POINTS[corner]] = point[0] + aside, -point[1]
    for index, point in zip((30, 48, 54), STANDARD[2:], strict=True):
        cloud[FACEMESH_POINTS[index]] = point[0], -point[1]
    return Landmarks((size_px * cloud + centre).astype(np.float32), SIZE, 0.9)


@pytest.fixture(scope="module")
def fitter(exported):
    return Deep3DFitter(exported)


def is_sound(coefficients):
    arrays = (coefficients.motion, coefficients.identity, coefficients.texture, coefficients.lighting)
    return all(np.isfinite(array).all() and array.dtype == np.float32 for array in arrays)


def test_all_257_numbers_are_there(fitter):
    fitted = fitter.fit(face_at(), IMAGE)
    assert fitted.valid and fitted.reason == "" and fitted.face_model == "bfm2009" and is_sound(fitted)
    assert fitted.motion.shape == (LAYOUTS["bfm2009"].size,)
    assert [len(part) for part in (fitted.identity, fitted.texture, fitted.lighting)] == [80, 80, 27]
    assert fitted.confidence == pytest.approx(0.9)
    assert fitter.device == "cpu" and fitter.name == "epoch_20" and len(fitter.hash) == 12


def test_they_are_the_networks_on_the_aligned_crop(network, fitter):
    """Crop, RGB, 0..1, torch: the same numbers, restored from the coefficients."""
    import torch

    landmarks = face_at((300.0, 250.0))
    crop = align(five_points(landmarks), STANDARD, SIZE)
    pixels = crop.cut(IMAGE)[:, :, ::-1].transpose(2, 0, 1) / 255.0
    expected = network(torch.tensor(pixels[None], dtype=torch.float32))[0].numpy()
    for camera in (None, CAMERA):
        fitter.camera = camera
        fitted = fitter.fit(landmarks, IMAGE)
        np.testing.assert_allclose(fitted.crop, crop.transform_params[2:], rtol=1e-6)
        np.testing.assert_allclose(from_optical(fitted, camera, SIZE), expected, atol=2e-5)
    fitter.camera = None


def test_camera_gives_the_real_distance(fitter):
    """A face of the same size in pixels is twice as far away before a camera of twice the focal length."""
    far = Camera(2 * CAMERA.fx, 2 * CAMERA.fy, CAMERA.cx, CAMERA.cy)
    depths = []
    for camera in (CAMERA, far):
        fitter.camera = camera
        depths.append(fitter.fit(face_at(), IMAGE).translation[2])
    fitter.camera = None
    assert depths[1] / depths[0] == pytest.approx(2.0, rel=0.01)


def test_face_half_outside_the_image_is_still_fitted(fitter):
    for centre in ((640.0, 240.0), (320.0, 0.0), (0.0, 480.0)):
        fitted = fitter.fit(face_at(centre), IMAGE)
        assert is_sound(fitted) and fitted.valid == (fitted.reason == "")
    assert fitter.fit(face_at((600.0, 240.0)), IMAGE).valid


@pytest.mark.parametrize(
    ("landmarks", "reason"),
    [
        (None, "no face"),
        (Landmarks(np.full((LANDMARK_COUNT, 2), np.nan, np.float32), SIZE), "not finite"),
        (face_at((5000.0, 240.0)), "outside"),
        (face_at(size_px=3.0), "too small"),
        (Landmarks(np.full((LANDMARK_COUNT, 2), 100.0, np.float32), SIZE), "too small"),
    ],
)
def test_no_face_is_invalid_with_the_reason(fitter, landmarks, reason):
    fitted = fitter.fit(landmarks, IMAGE)
    assert not fitted.valid and reason in fitted.reason and fitted.confidence == 0.0 and is_sound(fitted)


def write_constant_network(path, numbers, **metadata):
    """A network file that gives these 257 numbers for every face."""
    helper = onnx.helper
    nodes = [
        helper.make_node("ReduceMean", ["faces"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Unsqueeze", ["nothing", "axis"], ["column"]),
        helper.make_node("Add", ["column", "numbers"], ["coefficients"]),
    ]
    constants = [
        onnx.numpy_helper.from_array(np.float32([0.0]), "zero"),
        onnx.numpy_helper.from_array(np.int64([1]), "axis"),
        onnx.numpy_helper.from_array(np.asarray(numbers, np.float32)[None], "numbers"),
    ]
    faces = helper.make_tensor_value_info("faces", onnx.TensorProto.FLOAT, ["batch", 3, 224, 224])
    result = helper.make_tensor_value_info("coefficients", onnx.TensorProto.FLOAT, ["batch", 257])
    graph = helper.make_graph(nodes, "constant", [faces], [result], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    card = json.dumps(make_card("constant", "0" * 64, STANDARD))
    helper.set_model_props(model, {"format": FILE_FORMAT, "card": card, **metadata})
    onnx.save(model, path)
    return path


def numbers_with(index, value):
    numbers = np.zeros(257)
    numbers[index] = value
    return numbers


@pytest.mark.parametrize(
    ("index", "value", "reason"),
    [
        (0, np.nan, "not finite"),
        (3, np.inf, "not finite"),
        (256, 20.0, "impossible"),
        (256, -1e5, "impossible"),
        (254, 1e30, "impossible"),
    ],
)
def test_nonsense_of_the_network_is_invalid(tmp_path, index, value, reason):
    path = write_constant_network(tmp_path / "spoilt.onnx", numbers_with(index, value))
    fitted = Deep3DFitter(path, CAMERA).fit(face_at(), IMAGE)
    assert not fitted.valid and reason in fitted.reason and is_sound(fitted)


@settings(deadline=None, max_examples=60)
@given(
    hnp.arrays(np.float32, 257, elements=st.floats(width=32), fill=st.floats(-1, 1, width=32)),
    st.sampled_from([None, CAMERA]),
)
def test_no_numbers_of_the_network_bring_nan(tmp_path_factory, numbers, camera):
    path = write_constant_network(tmp_path_factory.getbasetemp() / "constant.onnx", numbers)
    fitted = Deep3DFitter(path, camera).fit(face_at(), IMAGE)
    assert is_sound(fitted) and fitted.valid == (fitted.reason == "")


def test_lens_without_a_ray_there_is_invalid(tmp_path):
    lens = Camera(200.0, 200.0, 320.0, 240.0, (-0.5, 0.0, 0.0, 0.0))
    path = write_constant_network(tmp_path / "constant.onnx", np.zeros(257))
    fitted = Deep3DFitter(path, lens).fit(face_at((600.0, 440.0)), IMAGE)
    assert not fitted.valid and "lens" in fitted.reason and is_sound(fitted)


def test_misuse_is_named(fitter):
    with pytest.raises(UserError, match=r"\(320, 240\).*\(640, 480\)"):
        fitter.fit(Landmarks(face_at().points / 2, (320, 240)), IMAGE)
    with pytest.raises(UserError, match=r"\(68, 2\)"):
        fitter.fit(Landmarks(np.zeros((68, 2), np.float32), SIZE), IMAGE)
    with pytest.raises(UserError, match="float64"):
        fitter.fit(face_at(), IMAGE / 255.0)
    with pytest.raises(UserError, match="another aspect"):
        fitter.camera = Camera(600.0, 600.0, 320.0, 180.0, image_size=(640, 360))
        fitter.fit(face_at(), IMAGE)
    fitter.camera = None


any_points = hnp.arrays(
    np.float32,
    (LANDMARK_COUNT, 2),
    elements=st.floats(width=32, allow_nan=True, allow_infinity=True),
    fill=st.floats(0, 600, width=32),
)


@settings(deadline=None, max_examples=25)
@given(
    st.one_of(any_points, st.floats(0.0, 400.0)),
    st.sampled_from([(640, 480), (1, 1), (3, 900), (900, 3), (17, 16)]),
    st.sampled_from([None, CAMERA, Camera(200.0, 200.0, 320.0, 240.0, (-0.5, 0.0, 0.0, 0.0))]),
)
def test_no_landmarks_and_no_image_crash_it_or_bring_nan(fitter, face, size, camera):
    """Arrays of anything, and a true face under noise of any size, in images of any shape."""
    noise = np.random.default_rng(0).normal(size=(LANDMARK_COUNT, 2))
    points = face if isinstance(face, np.ndarray) else face_at().points + face * noise
    fitter.camera = camera
    image = np.zeros((size[1], size[0], 3), np.uint8)
    fitted = fitter.fit(Landmarks(np.asarray(points, np.float32), size), image)
    assert is_sound(fitted) and fitted.valid == (fitted.reason == "")
    fitter.camera = None


def truncated(path, exported):
    path.write_bytes(exported.read_bytes()[:1_000_000])


def text(path, exported):
    path.write_text("not a network")


def listener(path, exported):
    path.write_bytes(DEFAULT_NETWORK.read_bytes())


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (truncated, "broken or no ONNX file"),
        (text, "broken or no ONNX file"),
        (listener, "another kind.*listener_head.listener"),
    ],
)
def test_another_file_is_refused(exported, tmp_path, spoil, message):
    path = tmp_path / "other.onnx"
    spoil(path, exported)
    with pytest.raises(UserError, match=message) as refusal:
        Deep3DFitter(path)
    assert "other.onnx" in str(refusal.value) and "import-checkpoint" in str(refusal.value)


@pytest.mark.parametrize("card", ["", "{", "[]", "{}", '{"face_model": "arkit52"}'])
def test_broken_metadata_is_refused(tmp_path, card):
    path = write_constant_network(tmp_path / "other.onnx", np.zeros(257), card=card)
    with pytest.raises(UserError, match=r"other\.onnx.*broken metadata"):
        Deep3DFitter(path)


def test_missing_file_and_absent_device_are_named(exported, tmp_path):
    with pytest.raises(UserError, match=r"none\.onnx.*cannot be read"):
        Deep3DFitter(tmp_path / "none.onnx")
    with pytest.raises(UserError, match="'abacus' is unknown"):
        Deep3DFitter(exported, device="abacus")


def test_running_needs_no_torch(exported):
    script = (
        "import sys; from listener_head.face.deep3d import Deep3DFitter; Deep3DFitter(sys.argv[1]); "
        "assert not {'torch', 'onnx'} & set(sys.modules)"
    )
    root = str(Path(__file__).parents[3])
    environment = {**os.environ, "PYTHONPATH": root}
    subprocess.run([sys.executable, "-c", script, str(exported)], check=True, env=environment)
