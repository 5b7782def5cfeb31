import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.errors import UserError
from listener_head.extraction.clip_file import ClipFeatures, write_clip
from listener_head.face.portrait import LARGEST_SIDE
from listener_head.listener.reference import PICTURES, optical_motion, read_reference
from listener_head.render import HeadRenderer

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
        UserError, match=r"portrait\.txt' has an unknown suffix; give one of \.npz, \.npy, \.bin, \.png, "
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


@given(data=st.binary(max_size=200), suffix=st.sampled_from([".npz", ".npy", ".bin", *PICTURES]))
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


SMILES = ("mouthSmileLeft", "mouthSmileRight")


@pytest.fixture(scope="module")
def renderer():
    return HeadRenderer(256)


@pytest.fixture(scope="module")
def portrait(renderer):
    """The function that draws a head."""

    def draw(yaw=0.0, smile=0.7, place=(0.0, 0.0, 0.65), identity=None):
        motion = LAYOUT.neutral()
        motion[1], motion[LAYOUT.translation] = yaw, place
        motion[[LAYOUT.index(name) for name in SMILES]] = smile
        return Image.fromarray(renderer.render(Coefficients.from_motion("arkit52", motion, identity)))

    return draw


def smile_of(reference):
    return float(np.mean([reference.motion[LAYOUT.index(name)] for name in SMILES]))


def test_a_portrait_gives_expression_turn_and_identity(portrait, tmp_path):
    who = np.random.default_rng(2).normal(size=20).astype(np.float32)
    portrait(0.25, 0.7, identity=who).save(tmp_path / "a.JPG", quality=95)
    portrait(0.0, 0.0).save(tmp_path / "b.png")
    smiling, neutral = (read_reference(tmp_path / name, "arkit52") for name in ("a.JPG", "b.png"))
    assert smile_of(smiling) > 0.4 and smile_of(neutral) < 0.15
    np.testing.assert_allclose(smiling.motion[LAYOUT.rotation], (0, 0.25, 0), atol=np.radians(4))
    np.testing.assert_allclose(neutral.motion[LAYOUT.rotation], 0, atol=np.radians(4))
    assert np.corrcoef(smiling.identity, who)[0, 1] > 0.3
    assert np.isfinite(smiling.motion).all()


def test_a_portrait_has_the_place_of_a_listener_at_rest(portrait, tmp_path):
    portrait(place=(0.05, 0.03, 0.8)).save(tmp_path / "a.png")
    motion = read_reference(tmp_path / "a.png", "arkit52").motion
    np.testing.assert_array_equal(motion[LAYOUT.translation], LAYOUT.neutral()[LAYOUT.translation])
    rest = np.arange(LAYOUT.size, dtype=np.float32)
    at_rest = read_reference(tmp_path / "a.png", "arkit52", rest).motion
    np.testing.assert_array_equal(at_rest[LAYOUT.translation], rest[LAYOUT.translation])
    np.testing.assert_array_equal(at_rest[: LAYOUT.translation.start], motion[: LAYOUT.translation.start])


def test_a_face_at_the_side_that_looks_into_the_camera_is_not_turned(portrait, tmp_path):
    portrait(yaw=np.arctan2(0.08, 0.65), place=(0.08, 0.0, 0.65)).save(tmp_path / "a.png")
    rotation = read_reference(tmp_path / "a.png", "arkit52").motion[LAYOUT.rotation]
    np.testing.assert_allclose(rotation, 0, atol=np.radians(4))


def test_a_portrait_of_a_telephone_is_upright_and_may_be_large(portrait, tmp_path):
    turned = portrait().rotate(90, expand=True).resize((2 * LARGEST_SIDE, 2 * LARGEST_SIDE))
    orientation = Image.Exif()
    orientation[0x0112] = 6  # to be shown turned clockwise
    turned.save(tmp_path / "a.jpg", exif=orientation)
    reference = read_reference(tmp_path / "a.jpg", "arkit52")
    assert smile_of(reference) > 0.4
    np.testing.assert_allclose(reference.motion[LAYOUT.rotation], 0, atol=np.radians(4))


def test_pictures_that_are_no_portrait_are_refused_in_one_line(portrait, tmp_path):
    pair = Image.new("RGB", (512, 256))
    pair.paste(portrait())
    pair.paste(portrait(0.2), (256, 0))
    cases = {
        r"a\.png' shows 2 faces; crop": pair,
        r"a\.png': no face in view": Image.new("RGB", (300, 300), "grey"),
        r"a\.png': the image is too small": portrait().resize((8, 8)),
        r"a\.png' is \d+ pixels in size, 32": portrait().resize((40, 40)),
        r"a\.png': .* face": portrait(np.radians(85)),
    }
    for message, picture in cases.items():
        picture.save(tmp_path / "a.png")
        with pytest.raises(UserError, match=message) as caught:
            read_reference(tmp_path / "a.png", "arkit52")
        assert "\n" not in str(caught.value)
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    for name in ("half.png", "none.jpg"):
        with pytest.raises(UserError, match=f"{name}' cannot be read"):
            read_reference(tmp_path / name, "arkit52")


def test_a_portrait_is_for_networks_of_the_face_model_that_is_fitted(tmp_path):
    with pytest.raises(UserError, match="only arkit52 is fitted, and the network is of bfm2009"):
        read_reference(tmp_path / "a.png", "bfm2009")


def test_mediapipe_is_loaded_for_a_picture_alone(tmp_path):
    np.save(tmp_path / "m.npy", LAYOUT.neutral())
    code = (
        "import sys; from listener_head.listener.reference import read_reference; "
        f"read_reference({str(tmp_path / 'm.npy')!r}, 'arkit52'); print('mediapipe' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
