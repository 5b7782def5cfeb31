import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.errors import UserError
from listener_head.face.geometry import project, to_optical
from listener_head.face.model import load_face_model
from listener_head.render import HeadRenderer
from listener_head.render.contact_sheet import POSES, contact_sheet, pose
from listener_head.render.head_renderer import camera_matrix
from listener_head.render.theme import theme_names

SIZE = 256


def open_renderer(**options) -> HeadRenderer:
    try:
        return HeadRenderer(**options)
    except UserError as error:
        if "OpenGL" in str(error):
            pytest.skip(str(error))
        raise


@pytest.fixture(scope="module")
def renderer():
    renderer = open_renderer(size=SIZE)
    yield renderer
    renderer.close()


def pixels(coefficients: Coefficients) -> np.ndarray:
    """Where the 68 landmarks are in the picture."""
    camera = camera_matrix(SIZE)
    points = load_face_model().landmark_points(coefficients.identity, coefficients.expression)
    points = to_optical(points, coefficients.rotation, coefficients.translation)
    return project(points, camera[0, 0], camera[:2, 2])


def changed(a: np.ndarray, b: np.ndarray, landmarks: list[int], margin: int = 6) -> tuple[float, float]:
    """Mean difference of two pictures inside and outside the box of some landmarks."""
    box = pixels(pose({}))[landmarks]
    (x0, y0), (x1, y1) = (box.min(axis=0) - margin).astype(int), (box.max(axis=0) + margin).astype(int)
    difference = np.abs(a.astype(float) - b).mean(axis=2)
    mask = np.zeros(difference.shape, bool)
    mask[y0:y1, x0:x1] = True
    return float(difference[mask].mean()), float(difference[~mask].mean())


def test_picture_is_rgb_and_the_head_is_framed(renderer):
    picture = renderer.render(pose({}))
    assert picture.shape == (SIZE, SIZE, 3) and picture.dtype == np.uint8
    background = np.round(np.array(renderer.background) * 255)
    is_head = np.abs(picture.astype(float) - background).max(axis=2) > 12
    assert not is_head[:8].any()  # air above the hair
    assert is_head[-1].mean() > 0.9  # shoulders below
    columns = np.flatnonzero(is_head[SIZE // 3])
    assert 0.3 * SIZE < len(columns) < 0.6 * SIZE
    assert columns.mean() == pytest.approx(SIZE / 2, abs=6)


@pytest.mark.parametrize(
    ("weights", "landmarks"),
    [
        ({"eyeBlinkLeft": 1.0}, list(range(42, 48))),
        ({"eyeBlinkRight": 1.0}, list(range(36, 42))),
        ({"jawOpen": 0.6}, [*range(48, 68), 7, 9]),
        ({"mouthSmile": 0.8}, [*range(48, 68), 3, 13, 40, 47]),
        ({"browDown": 1.0}, list(range(17, 48))),
    ],
)
def test_expressions_change_their_region(renderer, weights, landmarks):
    inside, outside = changed(renderer.render(pose(weights)), renderer.render(pose({})), landmarks)
    assert inside > 4.0  # of 255: readable at a glance
    assert outside < 0.1 * inside


def test_lids_cover_the_eyeballs_all_the_way_down(renderer):
    p = pixels(pose({}))[36:48]
    x0, y0 = p.min(axis=0).astype(int)
    x1, y1 = p.max(axis=0).astype(int)
    # Only the eyeball is nearly colourless there.
    grey = []
    for weight in (0.0, 0.25, 0.5, 0.75, 1.0):
        eyes = renderer.render(pose({"eyeBlink": weight}))[y0:y1, x0:x1].astype(float)
        grey.append(int(((eyes.max(axis=2) - eyes.min(axis=2) < 25) & (eyes.mean(axis=2) > 120)).sum()))
    assert grey[0] > 30 and grey[-1] == 0
    assert all(later < earlier for earlier, later in pairwise(grey) if earlier)


@pytest.mark.parametrize(
    "weights",
    [
        {"eyeBlink": 0.3},
        {"eyeBlink": 0.6},
        {"eyeBlink": 0.5, "browDown": 1.0},
        {"eyeBlink": 1.0, "eyeSquint": 1.0, "cheekSquint": 1.0},
        {"eyeLookDown": 1.0, "eyeLookInLeft": 1.0, "eyeLookOutRight": 1.0},
        {"eyeLookUp": 1.0, "eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0},
    ],
)
@pytest.mark.parametrize("rotation", [(0, 0, 0), (10, -15, 8)])
def test_eyeballs_stay_behind_the_lids(renderer, weights, rotation):
    coefficients = pose(weights, rotation)
    p = pixels(coefficients)
    picture = renderer.render(coefficients).astype(int)
    pale = (picture.max(axis=2) - picture.min(axis=2) < 30) & (picture.mean(axis=2) > 120)
    for brow, lid in ((range(18, 21), (37, 38)), (range(23, 26), (43, 44))):
        x0, x1 = sorted(p[list(brow)][[0, -1], 0].astype(int))
        bottom = int(p[list(lid), 1].min()) - 3
        assert not pale[int(p[list(brow), 1].max()) : bottom, x0:x1].any()


def test_shapes_that_cannot_be_together_are_held_back(renderer):
    still, shut = renderer.render(pose({})), renderer.render(pose({"eyeBlink": 1.0}))
    np.testing.assert_array_equal(renderer.render(pose({"mouthClose": 1.0})), still)
    np.testing.assert_array_equal(renderer.render(pose({"eyeBlink": 1.0, "eyeSquint": 1.0})), shut)


def find(picture: np.ndarray, finder) -> np.ndarray | None:
    """MediaPipe's landmarks [478, 2] in pixels."""
    faces = finder.process(picture).multi_face_landmarks
    return None if not faces else np.array([[p.x, p.y] for p in faces[0].landmark]) * SIZE


@pytest.fixture(scope="module")
def find_face():
    face_mesh = pytest.importorskip("mediapipe").solutions.face_mesh
    with face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1) as finder:
        yield partial(find, finder=finder)


@pytest.fixture(scope="module", params=theme_names())
def themed(request):
    renderer = open_renderer(size=SIZE, theme=request.param)
    yield renderer
    renderer.close()


@pytest.mark.parametrize("yaw", [-30, -15, 0, 15, 30])
@pytest.mark.parametrize("pitch", [-20, 0, 20])
def test_mediapipe_finds_the_face_where_the_camera_matrix_says(themed, find_face, yaw, pitch):
    coefficients = pose({}, (pitch, yaw, 0))
    found = find_face(themed.render(coefficients))
    assert found is not None
    # Outer eye corners, nose tip, corners of the mouth in MediaPipe's numbering.
    difference = found[[33, 263, 1, 61, 291]] - pixels(coefficients)[[36, 45, 30, 48, 54]]
    assert np.abs(difference).max() < 0.05 * SIZE


@pytest.mark.parametrize("name", POSES)
def test_mediapipe_finds_the_face_with_every_expression(themed, find_face, name):
    assert find_face(themed.render(pose(*POSES[name]))) is not None


def test_mediapipe_reads_smile_jaw_and_blink(themed, find_face):
    def read(weights):
        points = find_face(themed.render(pose(weights)))
        gap = points[14, 1] - points[13, 1]  # between the lips
        width = points[291, 0] - points[61, 0]  # of the mouth
        rise = points[0, 1] - points[[61, 291], 1].mean()  # of its corners over the upper lip
        eyes = [points[low, 1] - points[high, 1] for low, high in ((145, 159), (374, 386))]
        return gap, width, rise, *eyes

    still, smile, jaw, blink = map(read, ({}, {"mouthSmile": 0.9}, {"jawOpen": 0.6}, {"eyeBlink": 1.0}))
    assert smile[1] > still[1] + 2 and smile[2] > still[2] + 1
    assert jaw[0] > still[0] + 6
    assert blink[3] < 0.6 * still[3] and blink[4] < 0.6 * still[4]


def test_directions_of_nod_turn_and_tilt(renderer, find_face):
    nose, chin, crown = 1, 152, 10  # MediaPipe: nose tip, chin, top of the face
    still = find_face(renderer.render(pose({})))
    nod = find_face(renderer.render(pose({}, (12, 0, 0))))
    turn = find_face(renderer.render(pose({}, (0, 15, 0))))
    tilt = find_face(renderer.render(pose({}, (0, 0, 12))))
    assert nod[nose, 1] > still[nose, 1] + 5
    assert turn[nose, 0] < still[nose, 0] - 5
    assert tilt[crown, 0] > still[crown, 0] + 3 and tilt[chin, 0] < still[chin, 0] - 3


def test_shoulders_stay_while_the_head_moves(renderer):
    still, turned = renderer.render(pose({})), renderer.render(pose({}, (12, 20, 8)))
    np.testing.assert_array_equal(still[int(0.93 * SIZE) :], turned[int(0.93 * SIZE) :])


def test_nearer_is_larger_and_left_is_left(renderer):
    def head_columns(translation):
        coefficients = replace(pose({}), translation=np.array(translation, np.float32))
        picture = renderer.render(coefficients).astype(float)
        background = np.array(renderer.background) * 255
        return np.flatnonzero(np.abs(picture[SIZE // 3] - background).max(axis=1) > 20)

    assert len(head_columns((0, 0, 0.55))) > 1.1 * len(head_columns((0, 0, 0.65)))
    assert head_columns((0.05, 0, 0.65)).mean() > head_columns((0, 0, 0.65)).mean() + 10


def test_identity_changes_the_face_and_comes_back(renderer):
    plain = renderer.render(pose({}))
    wide = replace(pose({}), identity=np.zeros(20, np.float32))
    wide.identity[0] = 3.0
    assert np.abs(renderer.render(wide).astype(float) - plain).mean() > 1.0
    np.testing.assert_array_equal(renderer.render(pose({})), plain)


@pytest.mark.parametrize("samples", [1, 2, 4])
def test_samples_smooth_edges_and_keep_the_picture(samples):
    renderer = open_renderer(size=96, samples=samples, background=(0.0, 0.0, 0.0))
    fine = open_renderer(size=96, samples=16, background=(0.0, 0.0, 0.0))
    a, b = renderer.render(pose({})).astype(float), fine.render(pose({})).astype(float)
    renderer.close()
    fine.close()
    assert np.abs(a - b).mean() < 6.0 / samples


def test_two_renderers_live_side_by_side(renderer):
    other = open_renderer(size=64, background=(0.1, 0.2, 0.3))
    before = renderer.render(pose({"jawOpen": 0.5}))
    small = other.render(pose({}))
    np.testing.assert_array_equal(renderer.render(pose({"jawOpen": 0.5})), before)
    other.close()
    np.testing.assert_array_equal(small[0, 0], np.round(np.array([0.1, 0.2, 0.3]) * 255))
    np.testing.assert_array_equal(renderer.render(pose({"jawOpen": 0.5})), before)


@pytest.mark.parametrize("size", [0, 15, 4097, -256])
def test_size_out_of_range_is_refused(size):
    with pytest.raises(UserError, match=f"picture size {size} is out of range; choose 16 to 4096"):
        HeadRenderer(size)


@pytest.mark.parametrize("samples", [0, 17])
def test_samples_out_of_range_are_refused(samples):
    with pytest.raises(UserError, match=f"{samples} samples per pixel are out of range"):
        HeadRenderer(64, samples=samples)


def test_unusable_coefficients_are_refused_by_name(renderer):
    layout = LAYOUTS["arkit52"]
    jaw, depth = layout.index("jawOpen"), layout.size - 1
    for index, name in ((1, "rotation"), (jaw, "expression"), (depth, "translation")):
        motion = layout.neutral()
        motion[index] = np.nan
        with pytest.raises(UserError, match=f"{name} of the coefficients is not finite"):
            renderer.render(Coefficients.from_motion("arkit52", motion))
    with pytest.raises(UserError, match=r"not valid \(no face\)"):
        renderer.render(Coefficients.invalid("arkit52", "no face"))
    with pytest.raises(UserError, match="of face model 'bfm2009'"):
        renderer.render(Coefficients.from_motion("bfm2009", LAYOUTS["bfm2009"].neutral()))
    with pytest.raises(UserError, match="m before the camera"):
        renderer.render(replace(pose({}), translation=np.array([0, 0, -0.5], np.float32)))
    with pytest.raises(UserError, match=r"expression has shape \(3,\)"):
        renderer.render(replace(pose({}), expression=np.zeros(3, np.float32)))


@pytest.fixture(scope="module")
def small_renderer():
    renderer = open_renderer(size=32)
    yield renderer
    renderer.close()


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=55, max_size=55),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.floats(0.25, 2.9),
)
def test_any_finite_motion_gives_a_picture(small_renderer, numbers, identity, distance):
    motion = np.array([*numbers, 0.0, 0.0, distance], np.float32)
    coefficients = Coefficients.from_motion("arkit52", motion, np.full(20, identity, np.float32))
    assert small_renderer.render(coefficients).shape == (32, 32, 3)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 57), st.sampled_from([np.nan, np.inf, -np.inf]))
def test_any_number_that_is_not_finite_is_refused_in_one_line(small_renderer, index, value):
    motion = LAYOUTS["arkit52"].neutral()
    motion[index] = value
    with pytest.raises(UserError, match="not finite") as caught:
        small_renderer.render(Coefficients.from_motion("arkit52", motion))
    assert "\n" not in str(caught.value)


def test_without_opengl_the_message_names_the_packages():
    code = (
        "from listener_head.errors import UserError\n"
        "from listener_head.render import HeadRenderer\n"
        "try:\n    HeadRenderer(64)\n"
        "except UserError as error:\n    print(error)\n"
    )
    # libglvnd, which is what libegl1 installs, finds no driver in an empty folder.
    environment = os.environ | {"__EGL_VENDOR_LIBRARY_DIRS": os.devnull}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stdout.startswith("cannot open a headless OpenGL context: ")
    assert "install libegl1 and libgl1" in result.stdout and result.stdout.count("\n") == 1


def test_contact_sheet_shows_every_pose(renderer):
    sheet = contact_sheet(size=32)
    assert sheet.size == (4 * 32, 3 * 52)
    assert len(POSES) == 12


def test_contact_sheet_command_writes_its_file_and_refuses_a_bad_one(tmp_path, renderer):
    command = [sys.executable, "-m", "listener_head.render.contact_sheet"]

    def run(path):
        return subprocess.run([*command, path], capture_output=True, text=True, timeout=60)

    good = run(tmp_path / "sheet.png")
    assert good.returncode == 0 and (tmp_path / "sheet.png").stat().st_size > 10_000
    bad = run(tmp_path / "absent" / "sheet.png")
    assert bad.returncode == 2 and bad.stderr.count("\n") == 1 and "absent" in bad.stderr
