import cv2
import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.errors import UserError
from listener_head.face import FaceFitter, FaceTracker, load_face_model
from listener_head.render.contact_sheet import POSES, pose
from listener_head.render.portrait import PortraitRenderer
from listener_head.render.portrait.photograph import take_photograph
from listener_head.render.portrait.topology import LOWER_LIDS, UPPER_LIDS

from .conftest import SIZE

LAYOUT = LAYOUTS["arkit52"]


def tracked(picture: np.ndarray) -> np.ndarray | None:
    """Landmarks [478, 2] of the face in a picture."""
    tracker = FaceTracker()
    try:
        found = tracker.track(np.ascontiguousarray(picture[..., ::-1]))
        return None if found is None else found.points
    finally:
        tracker.close()


class Reader:
    """What our tracker and fitter, used to the person at rest, see in the renderer's pictures."""

    def __init__(self, renderer: PortraitRenderer) -> None:
        self._renderer, self._tracker = renderer, FaceTracker()
        self._fitter = FaceFitter(load_face_model("arkit52"))
        self.rest = [self._see({}, (0, 0, 0)) for _ in range(34)][-1]

    def change(
        self, weights: dict[str, float], rotation: tuple[float, float, float] = (0, 0, 0)
    ) -> np.ndarray:
        """Difference of the motion vector from rest when the face comes to this pose."""
        for share in (0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0):
            scaled = {name: share * weight for name, weight in weights.items()}
            seen = self._see(scaled, tuple(share * angle for angle in rotation))
        for _ in range(4):
            self._see({}, (0, 0, 0))
        return seen - self.rest

    def _see(self, weights: dict[str, float], rotation: tuple[float, ...]) -> np.ndarray:
        picture = self._renderer.render(pose(weights, rotation))
        fit = self._fitter.fit(self._tracker.track(np.ascontiguousarray(picture[..., ::-1])))
        assert fit.valid, fit.reason
        return fit.motion


@pytest.fixture(scope="module")
def read_drawn(drawn):
    return Reader(drawn)


@pytest.fixture(scope="module")
def read_photographed(photographed):
    return Reader(photographed)


@pytest.fixture(params=["read_drawn", "read_photographed"])
def reader(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("name", ["drawn", "photographed"])
def test_neutral_is_the_photograph(request, name):
    picture = request.getfixturevalue({"drawn": "drawn_portrait", "photographed": "astronaut"}[name])
    cropped = take_photograph(picture, 2 * SIZE).pixels
    expected = cv2.resize(cropped, (SIZE, SIZE), interpolation=cv2.INTER_AREA).astype(float)
    difference = np.abs(request.getfixturevalue(name).render(pose({})) - expected)
    assert difference.mean() < 0.6 and difference.max() < 40


def test_reference_is_the_photograph_too(astronaut, photographed):
    reference = pose({"mouthSmile": 0.7, "jawOpen": 0.3}, (4, -6, 2)).motion
    renderer = PortraitRenderer(astronaut, SIZE, reference=reference)
    same = renderer.render(Coefficients.from_motion("arkit52", reference))
    relaxed = renderer.render(pose({}))
    renderer.close()
    np.testing.assert_allclose(same.astype(int), photographed.render(pose({})), atol=2)
    # Without the reference's smile the lips come together over the teeth.
    gap = [np.linalg.norm(tracked(picture)[13] - tracked(picture)[14]) for picture in (same, relaxed)]
    assert gap[1] < 0.75 * gap[0]


@pytest.mark.parametrize("yaw", [-20, -10, 0, 10, 20])
@pytest.mark.parametrize("pitch", [-15, 0, 15])
def test_the_face_is_found_in_every_pose(renderer, pitch, yaw):
    assert tracked(renderer.render(pose({}, (pitch, yaw, 0)))) is not None


@pytest.mark.parametrize("name", POSES)
def test_the_face_is_found_with_every_expression(renderer, name):
    weights, rotation = POSES[name]
    assert tracked(renderer.render(pose(weights, tuple(np.clip(rotation, -20, 20))))) is not None


@pytest.mark.parametrize(
    "rotation", [(0, 15, 0), (0, -15, 0), (12, 0, 0), (-12, 0, 0), (0, 0, 12), (0, 0, -12)]
)
def test_the_head_turns_as_told(reader, rotation):
    seen = np.degrees(reader.change({}, rotation)[LAYOUT.rotation])
    axis = int(np.argmax(np.abs(rotation)))
    assert 0.5 < seen[axis] / rotation[axis] < 1.3
    assert np.abs(np.delete(seen, axis)).max() < 5


@pytest.mark.parametrize(
    ("shape", "weight", "least"),
    [("eyeBlink", 1.0, 0.7), ("jawOpen", 0.6, 0.2), ("mouthSmile", 0.8, 0.12), ("browDown", 0.8, 0.25)],
)
def test_expressions_are_read_back(reader, shape, weight, least):
    seen = reader.change({shape: weight})
    both = [shape] if shape == "jawOpen" else [shape + "Left", shape + "Right"]
    for name in both:
        assert least < seen[LAYOUT.index(name)] < 1.4 * weight


def test_a_face_at_rest_shows_expressions_at_their_size(read_drawn):
    for shape, weight in (("mouthSmileLeft", 0.8), ("jawOpen", 0.6), ("browInnerUp", 0.8)):
        name = shape.removesuffix("Left")
        seen = read_drawn.change({name: weight})[LAYOUT.index(shape)]
        assert 0.6 * weight < seen < 1.4 * weight


def test_no_eye_shows_through_shut_lids(renderer):
    half = renderer.render(pose({"eyeBlink": 0.5}))
    shut, still = renderer.render(pose({"eyeBlink": 1.0})), renderer.render(pose({}))
    points = tracked(still)
    for upper, lower in zip(UPPER_LIDS, LOWER_LIDS, strict=True):
        contour = points[[*upper, *lower[::-1]]]
        (left, top), (right, bottom) = (
            np.floor(contour.min(0)).astype(int),
            np.ceil(contour.max(0)).astype(int),
        )
        # Of the white and the pupil nothing is left: above the lashes skin is even.
        box = np.s_[top : (top + bottom) // 2 + 1, left + 2 : right - 2]
        spread = [float(picture[box].mean(axis=2).std()) for picture in (still, half, shut)]
        assert spread[2] < 0.6 * spread[0]


def test_irises_follow_the_gaze(renderer):
    def irises(weights):
        return tracked(renderer.render(pose(weights)))[[468, 473]]

    aside = irises({"eyeLookOutLeft": 0.9, "eyeLookInRight": 0.9}) - irises({})
    back = irises({"eyeLookInLeft": 0.9, "eyeLookOutRight": 0.9}) - irises({})
    assert (aside[:, 0] > 0.5).all() and (back[:, 0] < -0.5).all()


def test_shoulders_and_background_stay(renderer):
    still, moved = renderer.render(pose({})), renderer.render(pose({"jawOpen": 0.5}, (8, 15, 6)))
    np.testing.assert_allclose(moved[-4:].astype(int), still[-4:], atol=3)
    np.testing.assert_allclose(moved[:, :3].astype(int), still[:, :3], atol=3)


def test_no_black_shows_where_nothing_was_photographed(renderer):
    """Tears would show the colour of the cleared picture."""
    still = renderer.render(pose({})).astype(int)
    for rotation in ((0, 25, 0), (0, -25, 0), (15, 0, 0), (-15, 0, 0), (10, 15, 15)):
        moved = renderer.render(pose({}, rotation)).astype(int)
        dark = [(picture.sum(axis=2) < 6).sum() for picture in (still, moved)]
        assert dark[1] < 1.3 * dark[0] + 20


def test_the_same_coefficients_give_the_same_picture(renderer, drawn_portrait):
    busy = pose({"mouthSmile": 0.5, "eyeBlink": 0.3, "jawOpen": 0.2}, (5, -8, 3))
    first = renderer.render(busy)
    renderer.render(pose({"jawOpen": 1.0}, (-10, 10, 0)))
    np.testing.assert_array_equal(renderer.render(busy), first)


def test_two_loads_agree(drawn_portrait, drawn):
    other = PortraitRenderer(drawn_portrait, SIZE, device="cpu")
    np.testing.assert_array_equal(other.render(pose({}, (3, 9, 1))), drawn.render(pose({}, (3, 9, 1))))
    other.close()


def test_memory_does_not_grow(drawn):
    process = psutil.Process()
    moving = [
        pose({"jawOpen": share, "eyeBlink": share}, (0, 20 * share, 0)) for share in np.linspace(0, 1, 20)
    ]
    for coefficients in moving * 3:
        drawn.render(coefficients)
    before = process.memory_info().rss
    for coefficients in moving * 15:
        drawn.render(coefficients)
    assert process.memory_info().rss - before < 3_000_000


@pytest.mark.parametrize("size", [128, 700])
def test_sizes(drawn_portrait, size):
    renderer = PortraitRenderer(drawn_portrait, size)
    assert renderer.render(pose({"jawOpen": 0.4}, (0, 10, 0))).shape == (size, size, 3)
    renderer.close()


def test_a_file_is_read_upright(drawn_portrait, drawn, tmp_path):
    picture = Image.fromarray(drawn_portrait).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter clockwise
    picture.save(tmp_path / "portrait.png", exif=exif)
    renderer = PortraitRenderer(tmp_path / "portrait.png", SIZE)
    np.testing.assert_array_equal(renderer.render(pose({})), drawn.render(pose({})))
    renderer.close()


@pytest.mark.parametrize("size", [0, 127, 1025, 100_000])
def test_size_out_of_range_is_refused(size, drawn_portrait):
    with pytest.raises(UserError, match=f"picture size {size} is out of range; choose 128 to 1024 pixels"):
        PortraitRenderer(drawn_portrait, size)


def test_bad_portraits_are_refused_in_one_line(drawn_portrait, tmp_path):
    text = tmp_path / "portrait.png"
    text.write_text("no picture")
    empty = np.full((200, 200, 3), 90, np.uint8)
    small = cv2.resize(drawn_portrait, (80, 80), interpolation=cv2.INTER_AREA)
    cases = [
        (tmp_path / "absent.png", r"absent.png' cannot be read \(No such file"),
        (text, "no picture, or a damaged one"),
        (empty, "no face in view"),
        (np.hstack([drawn_portrait, drawn_portrait]), "shows 2 faces; crop the picture"),
        (np.pad(small, ((0, 120), (0, 120), (0, 0)), mode="edge"), "pixels in size, 48 are needed"),
        (drawn_portrait.astype(float), "uint8"),
        (drawn_portrait[..., 0], "uint8"),
        (None, "NoneType"),
    ]
    for portrait, message in cases:
        with pytest.raises(UserError, match=message) as caught:
            PortraitRenderer(portrait, SIZE)
        assert "\n" not in str(caught.value)


def test_bad_references_are_refused(drawn_portrait):
    endless, behind = LAYOUT.neutral(), LAYOUT.neutral()
    endless[5], behind[-1] = np.nan, -0.5
    for reference, message in ((np.zeros(3), r"shape \(3,\)"), (endless, "not finite"), (behind, "-0.5 m")):
        with pytest.raises(UserError, match=message):
            PortraitRenderer(drawn_portrait, SIZE, reference=reference)


def test_unusable_coefficients_are_refused_by_name(drawn):
    cases = [
        (Coefficients.from_motion("bfm2009", LAYOUTS["bfm2009"].neutral()), "of face model 'bfm2009'"),
        (Coefficients.invalid("arkit52", "no face"), r"not valid \(no face\)"),
    ]
    short = pose({})
    short.expression = np.zeros(3, np.float32)
    for coefficients, message in [*cases, (short, r"expression .* shape \(3,\)")]:
        with pytest.raises(UserError, match=message):
            drawn.render(coefficients)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 57), st.sampled_from([np.nan, np.inf, -np.inf]))
def test_any_number_that_is_not_finite_is_refused_in_one_line(drawn, index, value):
    motion = LAYOUT.neutral()
    motion[index] = value
    with pytest.raises(UserError, match="not finite") as caught:
        drawn.render(Coefficients.from_motion("arkit52", motion))
    assert "\n" not in str(caught.value)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.floats(-4, 4, width=32) | st.floats(allow_nan=False, allow_infinity=False, width=32),
        min_size=58,
        max_size=58,
    )
)
def test_any_finite_motion_gives_a_picture(drawn, numbers):
    assert drawn.render(Coefficients.from_motion("arkit52", np.array(numbers, np.float32))).shape == (
        SIZE,
        SIZE,
        3,
    )
