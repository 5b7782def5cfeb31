import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial import cKDTree

from listener_head.coefficients import ARKIT_NAMES
from listener_head.errors import UserError
from listener_head.face.arkit52.build import build_arrays
from listener_head.face.model import PARTS, from_arrays, load_face_model

MODEL = load_face_model("arkit52")
MM = 1e-3


def weights(**named: float) -> np.ndarray:
    """Expression weights; a name without Left or Right means both sides."""
    values = np.zeros(len(ARKIT_NAMES), np.float32)
    for name, value in named.items():
        for full in (name,) if name in ARKIT_NAMES else (name + "Left", name + "Right"):
            values[ARKIT_NAMES.index(full)] = value
    return values


def points(**named: float) -> np.ndarray:
    return MODEL.landmark_points((), weights(**named))


NEUTRAL = points()


def gap(p: np.ndarray, upper: list[int], lower: list[int]) -> float:
    return float(np.mean(p[upper, 1] - p[lower, 1]))


def lip_gap(p: np.ndarray) -> float:
    return gap(p, [61, 62, 63], [67, 66, 65])


def left_lid_gap(p: np.ndarray) -> float:
    return gap(p, [43, 44], [47, 46])


def test_arrays_fit_together():
    n = len(MODEL.mean)
    assert MODEL.expression_names == ARKIT_NAMES
    assert MODEL.expression_basis.shape == (52, n, 3)
    assert MODEL.identity_basis.shape == (len(MODEL.identity_names), n, 3)
    assert len(MODEL.identity_names) >= 10
    assert MODEL.colour_basis.shape == (0, n, 3)
    assert MODEL.landmarks.shape == (68,) and len(set(MODEL.landmarks)) == 68
    assert MODEL.triangles.min() == 0 and MODEL.triangles.max() == n - 1
    for array in (MODEL.mean, MODEL.identity_basis, MODEL.expression_basis, MODEL.occlusion, MODEL.colours):
        assert array.dtype == np.float32 and np.isfinite(array).all()
    assert set(PARTS) == {PARTS[i] for i in np.unique(MODEL.part)}


def test_size_and_place_are_those_of_an_adult_head():
    eye = MODEL.part == PARTS.index("eye")
    left = MODEL.mean[eye & (MODEL.mean[:, 0] > 0)]
    right = MODEL.mean[eye & (MODEL.mean[:, 0] < 0)]
    pupils = left[left[:, 2].argmax()] - right[right[:, 2].argmax()]
    np.testing.assert_allclose(pupils, [0.063, 0, 0], atol=1e-6)
    ears = MODEL.mean[MODEL.part == PARTS.index("ear")]
    np.testing.assert_allclose(ears.mean(axis=0), 0, atol=0.012)
    assert 0.10 < NEUTRAL[27, 1] - NEUTRAL[8, 1] < 0.13  # sellion to chin


def test_landmarks_are_symmetric_and_in_ibug_order():
    mirrored = [
        *range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, *range(35, 30, -1),
        45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
        *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), 67, 66, 65,
    ]  # fmt: skip
    np.testing.assert_allclose(NEUTRAL[mirrored] * [-1, 1, 1], NEUTRAL, atol=1e-7)
    assert (np.diff(NEUTRAL[:17, 0]) > 0).all()  # jaw from the image's left to its right
    assert (np.diff(NEUTRAL[27:31, 2]) > 0).all()  # the bridge comes forward to the tip
    assert NEUTRAL[36, 0] < NEUTRAL[39, 0] < 0 < NEUTRAL[42, 0] < NEUTRAL[45, 0]
    assert abs(lip_gap(NEUTRAL)) < 0.2 * MM
    assert 9 * MM < left_lid_gap(NEUTRAL) < 13 * MM
    assert NEUTRAL[19, 1] > NEUTRAL[37, 1] > NEUTRAL[30, 1] > NEUTRAL[51, 1] > NEUTRAL[57, 1] > NEUTRAL[8, 1]


@pytest.mark.parametrize("name", ARKIT_NAMES)
def test_every_shape_moves_the_mesh(name):
    moved = np.linalg.norm(MODEL.expression_basis[ARKIT_NAMES.index(name)], axis=1)
    assert 1.2 * MM < moved.max() < 40 * MM


@pytest.mark.parametrize("name", [n for n in ARKIT_NAMES if "Left" in n])
def test_right_mirrors_left(name):
    rigid = np.isin(MODEL.part, [PARTS.index(p) for p in ("hair", "cloth")])
    tree = cKDTree(MODEL.mean[~rigid])
    mirrored = MODEL.mean[~rigid] * [-1, 1, 1]
    distance, twin = tree.query(mirrored, k=2)
    assert distance[:, 0].max() < 1e-7
    alone = distance[:, 1] > 1e-6  # where the closed lips meet two vertices share a place
    names = name, name.replace("Left", "Right")
    left, right = (MODEL.expression_basis[ARKIT_NAMES.index(n)][~rigid] for n in names)
    np.testing.assert_allclose(right[twin[alone, 0]], left[alone] * [-1, 1, 1], atol=1e-7)


def test_jaw_and_lips_open_and_close():
    opened = points(jawOpen=1.0)
    assert 20 * MM < lip_gap(opened) < 40 * MM
    assert NEUTRAL[8, 1] - opened[8, 1] > 15 * MM
    np.testing.assert_allclose(opened[[27, 30, 36, 45]], NEUTRAL[[27, 30, 36, 45]], atol=0.2 * MM)
    assert abs(lip_gap(points(jawOpen=1.0, mouthClose=1.0))) < 0.15 * lip_gap(opened)
    assert lip_gap(points(mouthFunnel=1.0)) > 5 * MM
    assert lip_gap(points(mouthUpperUp=1.0)) > 3 * MM and lip_gap(points(mouthLowerDown=1.0)) > 3 * MM
    for closed in ("mouthSmile", "mouthFrown", "mouthPucker", "mouthPress", "mouthStretch", "mouthDimple"):
        assert abs(lip_gap(points(**{closed: 1.0}))) < 2 * MM, closed


@pytest.mark.parametrize("weight", [0.25, 0.5, 0.75, 1.0])
def test_blink_closes_its_lid_in_proportion(weight):
    p = points(eyeBlinkLeft=weight)
    share = 1.0 - left_lid_gap(p) / left_lid_gap(NEUTRAL)
    assert share == pytest.approx(weight, abs=0.08)
    assert gap(p, [37, 38], [41, 40]) == pytest.approx(gap(NEUTRAL, [37, 38], [41, 40]))


def test_lids_squint_widen_and_follow_the_gaze():
    still = left_lid_gap(NEUTRAL)
    assert left_lid_gap(points(eyeSquintLeft=1.0)) < 0.7 * still
    assert left_lid_gap(points(eyeWideLeft=1.0)) > 1.25 * still
    assert points(eyeLookDownLeft=1.0)[43, 1] < NEUTRAL[43, 1] - MM
    assert points(eyeLookUpLeft=1.0)[43, 1] > NEUTRAL[43, 1] + 0.5 * MM


@settings(deadline=None, max_examples=40)
@given(st.floats(0, 1), st.floats(0, 1), st.sampled_from(["Up", "Down"]), st.sampled_from(["In", "Out"]))
def test_eyeball_stays_round_and_turns_as_asked(vertical, aside, up_down, in_out):
    named = {f"eyeLook{up_down}Left": vertical, f"eyeLook{in_out}Left": aside}
    eye = np.flatnonzero((MODEL.part == PARTS.index("eye")) & (MODEL.mean[:, 0] > 0))
    moved = MODEL.mesh((), weights(**named))[eye]
    pupil = MODEL.mean[eye][:, 2].argmax()
    centre = MODEL.mean[eye][pupil] - [0, 0, 0.0145]
    radius = np.linalg.norm(moved - centre, axis=1)
    assert radius.min() > 0.88 * 0.0145 and radius.max() < 1.12 * 0.0145
    shift = moved[pupil] - MODEL.mean[eye][pupil]
    assert shift[1] * (1 if up_down == "Up" else -1) == pytest.approx(0.0058 * vertical, abs=0.0008)
    assert shift[0] * (1 if in_out == "Out" else -1) == pytest.approx(0.0068 * aside, abs=0.0008)


def test_head_moves_and_shoulders_stay():
    part = MODEL.part
    assert (MODEL.head_weight[MODEL.landmarks] > 0.99).all()
    assert (MODEL.head_weight[part == PARTS.index("cloth")] == 0).all()
    neck = (part == PARTS.index("skin")) & (MODEL.head_weight > 0.2) & (MODEL.head_weight < 0.8)
    assert neck.sum() > 50


@settings(deadline=None, max_examples=25)
@given(
    arrays(np.float32, len(MODEL.identity_names), elements=st.floats(-3, 3, width=32)),
    arrays(np.float32, 52, elements=st.floats(0, 1, width=32)),
)
def test_landmark_points_are_the_mesh_at_the_landmarks(identity, expression):
    mesh = MODEL.mesh(identity, expression)
    assert mesh.dtype == np.float32 and np.isfinite(mesh).all()
    np.testing.assert_allclose(MODEL.landmark_points(identity, expression), mesh[MODEL.landmarks], atol=1e-6)


@pytest.mark.parametrize("mode", range(len(MODEL.identity_names)))
def test_identity_modes_are_modest_and_symmetric(mode):
    basis = MODEL.identity_basis[mode]
    assert 0.6 * MM < np.abs(basis).max() < 8 * MM
    p = basis[MODEL.landmarks]
    np.testing.assert_allclose(p[[36, 48, 17]] * [-1, 1, 1], p[[45, 54, 26]], atol=1e-6)


def test_wrong_sizes_are_refused():
    with pytest.raises(UserError, match=r"identity has shape \(3,\); face model arkit52 needs"):
        MODEL.mesh(np.zeros(3))
    with pytest.raises(UserError, match=r"expression has shape \(51,\)"):
        MODEL.landmark_points((), np.zeros(51))


@pytest.mark.parametrize("name", ["", "flame", "bfm2009", "/models"])
def test_other_models_are_refused_by_name(name):
    with pytest.raises(
        UserError, match=f"face model '{name}' is not supported; use 'arkit52' or the path of"
    ):
        load_face_model(name)


def test_shared_arrays_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        MODEL.mean[0] = 0


def test_shipped_file_is_what_the_source_builds():
    built = from_arrays(build_arrays())
    assert built.identity_names == MODEL.identity_names
    for name in ("triangles", "landmarks", "part"):
        np.testing.assert_array_equal(getattr(MODEL, name), getattr(built, name), err_msg=name)
    # The last bits of sines and exponentials differ between processors. Movements below 0.02 mm are
    # dropped, and a ray of light may just miss a vertex or not.
    for name, tolerance in (
        ("mean", 1e-6), ("identity_basis", 1e-6), ("expression_basis", 2.5e-5), ("colours", 1e-5),
        ("texcoords", 1e-5), ("head_weight", 1e-5), ("occlusion", 0.03), ("texture", 1),
    ):  # fmt: skip
        shipped, new = (getattr(model, name).astype(float) for model in (MODEL, built))
        np.testing.assert_allclose(shipped, new, rtol=0, atol=tolerance, err_msg=name)
