"""Every ARKit shape and identity mode of the built-in head, by what it does to the face at weight 1."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.coefficients import ARKIT_NAMES
from listener_head.face.model import PARTS, load_face_model

MODEL = load_face_model("arkit52")
MM = 1e-3
X, Y, Z = 0, 1, 2  # to the subject's left, up, out of the face


def vertices_of(part: str) -> np.ndarray:
    return np.flatnonzero(MODEL.part == PARTS.index(part))


def nearest_skin(x: float, y: float, z: float) -> int:
    skin = vertices_of("skin")
    return int(skin[np.argmin(np.linalg.norm(MODEL.mean[skin] - np.array([x, y, z]) * MM, axis=1))])


def foremost(part: str, left: bool = False) -> int:
    vertices = vertices_of(part)
    vertices = vertices[MODEL.mean[vertices, 0] > 0] if left else vertices
    return int(vertices[MODEL.mean[vertices, 2].argmax()])


LOWER_TEETH = vertices_of("teeth")[len(vertices_of("teeth")) // 2 :]  # the upper row comes first

# Points beside the 68 landmarks (which go by their iBUG number).
PLACES = {
    "pupil": foremost("eye", left=True),
    "tongue": foremost("tongue"),
    "lower incisor": int(max(LOWER_TEETH, key=lambda v: MODEL.mean[v, 2])),
    "cheek": nearest_skin(45, -40, 75),
    "cheekbone": nearest_skin(38, -5, 85),
    "side of the cheekbone": nearest_skin(60, -2, 40),
    "crown": int(MODEL.mean[:, 1].argmax()),
}

# What each shape moves at weight 1: (place, axis, least, most), in millimetres. Shapes of the left side
# stand for those of the right. Left is larger x; a landmark of the subject's left eye is 42 to 47.
EFFECTS = {
    "eyeBlinkLeft": [(43, Y, -9.5, -7.5), (44, Y, -9.5, -7.5), (46, Y, 0.3, 1.5)],
    "eyeLookDownLeft": [("pupil", Y, -6.5, -5), (43, Y, -4, -2)],
    "eyeLookInLeft": [("pupil", X, -7.5, -6), ("pupil", Y, -0.5, 0.5)],
    "eyeLookOutLeft": [("pupil", X, 6, 7.5), ("pupil", Y, -0.5, 0.5)],
    "eyeLookUpLeft": [("pupil", Y, 5, 6.5), (43, Y, 0.8, 2.5)],
    "eyeSquintLeft": [(46, Y, 2.5, 5), (47, Y, 2.5, 5), (43, Y, -2, -0.5)],
    "eyeWideLeft": [(43, Y, 2, 4), (44, Y, 2, 4), (46, Y, -2, -0.3)],
    "jawForward": [(8, Z, 6, 9), (57, Z, 6, 9), (51, Z, -0.5, 2.5), ("lower incisor", Z, 6, 9)],
    "jawLeft": [(8, X, 6, 8), (57, X, 5.5, 8), (51, X, -0.5, 2), ("lower incisor", X, 6, 8)],
    "jawOpen": [(8, Y, -20, -16), (57, Y, -26, -20), (51, Y, -2, 0), ("lower incisor", Y, -28, -20)],
    "mouthClose": [(66, Y, 13, 19), (62, Y, -10, -5), (8, Y, -0.5, 0.5)],
    "mouthFunnel": [(62, Y, 3, 6), (66, Y, -7, -4), (62, Z, 6, 11), (54, X, -9, -4)],
    "mouthPucker": [(54, X, -9, -5), (62, Z, 7, 11), (51, Y, 0.5, 3), (57, Y, -3, -0.5)],
    "mouthLeft": [(62, X, 6, 9), (54, X, 3, 8), (48, X, 3, 8), (8, X, -0.5, 1)],
    "mouthSmileLeft": [(54, X, 6, 10), (54, Y, 7, 11), (54, Z, -6, -3), ("cheekbone", Z, 0.5, 5)],
    "mouthFrownLeft": [(54, Y, -9, -6), (54, X, 0, 2.5)],
    "mouthDimpleLeft": [(54, X, 5, 8), (54, Z, -8.5, -5), (54, Y, 0, 2.5)],
    "mouthStretchLeft": [(54, X, 7, 10), (54, Y, -4, -1)],
    "mouthRollLower": [(57, Y, 3, 5), (66, Z, -4, -1.5), (51, Y, -0.3, 0.3)],
    "mouthRollUpper": [(51, Y, -5, -3), (62, Z, -4, -1.5), (57, Y, -0.3, 0.3)],
    "mouthShrugLower": [(57, Y, 2.5, 5), (66, Z, 3, 6), (62, Y, 2, 4.5)],
    "mouthShrugUpper": [(51, Y, 2.5, 5), (62, Z, 3.5, 6.5), (66, Y, 0.3, 2)],
    "mouthPressLeft": [(52, Y, -4, -1.5), (56, Y, 1.5, 4), (63, Z, -4, -1.5)],
    "mouthLowerDownLeft": [(56, Y, -8, -4.5), (52, Y, -0.5, 0.5)],
    "mouthUpperUpLeft": [(52, Y, 4.5, 8), (56, Y, -0.5, 0.5)],
    "browDownLeft": [(22, Y, -9, -5), (23, Y, -11, -6), (25, Y, -8, -3), (22, X, -5, -1.5)],
    "browInnerUp": [(21, Y, 7, 11), (22, Y, 7, 11), (26, Y, -0.5, 1.5)],
    "browOuterUpLeft": [(25, Y, 6, 10), (26, Y, 6, 10), (22, Y, -0.5, 1.5)],
    "cheekPuff": [("cheek", X, 5, 10), ("cheek", Z, 5, 10), (8, Y, -1, 1)],
    "cheekSquintLeft": [("cheekbone", Y, 4, 9), ("cheekbone", Z, 3, 8), (46, Y, 1.2, 4)],
    "noseSneerLeft": [(35, Y, 4, 8), (52, Y, 1.2, 5), (22, Y, -3, -0.5)],
    "tongueOut": [("tongue", Z, 25, 36), ("tongue", Y, -16, -4), (62, Y, 1, 4), (66, Y, -8, -4)],
}

ONE_SIDED = {name for name in EFFECTS if name.endswith("Left")} - {"jawLeft", "mouthLeft"}

# What grows with each identity mode: how far the first place lies from the second, along an axis, and by
# how much at one standard deviation, in millimetres. Middle of the head: None.
PROPORTIONS = {
    "face_width": (16, 0, X, 4, 8),
    "face_depth": (30, 0, Z, 2, 5),
    "face_height": (27, 8, Y, 3, 8),
    "forehead_height": ("crown", 27, Y, 3, 7),
    "jaw_width": (12, 4, X, 3, 9),
    "chin_length": (57, 8, Y, 1.5, 5),
    "chin_forward": (8, 27, Z, 1.5, 4),
    "cheek_fullness": ("cheek", 27, Z, 1.5, 5),
    "cheekbone_width": ("side of the cheekbone", None, X, 1.5, 4),
    "nose_length": (27, 33, Y, 2, 5),
    "nose_width": (35, 31, X, 1.5, 4),
    "nose_forward": (30, 27, Z, 1.5, 4),
    "nose_bridge": (28, 33, Z, 1, 3),
    "eye_spacing": (42, 39, X, 1.5, 5),
    "eye_height": (42, None, Y, 1, 3),
    "eye_opening": (43, 47, Y, 0.8, 3),
    "brow_height": (24, 43, Y, 1.5, 4),
    "mouth_width": (54, 48, X, 1.5, 5),
    "mouth_height": (62, None, Y, 1.5, 3),
    "lip_fullness": (51, 57, Y, 1, 5),
}

# Landmarks by region, the subject's left and right for the paired ones.
REGIONS = {
    "outline": range(17), "brow R": range(17, 22), "brow L": range(22, 27), "bridge": range(27, 30),
    "nose": range(30, 36), "eye R": range(36, 42), "eye L": range(42, 48), "mouth": range(48, 68),
}  # fmt: skip
# The regions that shapes with this beginning may move, by the longest one; all others keep still.
MAY_MOVE = {
    "eyeBlink": "eye L, brow L", "eyeLook": "eye L", "eyeSquint": "eye L, bridge, nose, outline",
    "eyeWide": "eye L, brow L", "brow": "brow L, brow R, eye L, bridge", "cheekPuff": "mouth, outline, nose",
    "cheekSquint": "eye L, nose, bridge, outline", "noseSneer": "nose, bridge, mouth, brow L, brow R, eye L",
    "jaw": "outline, mouth", "mouthClose": "mouth, nose", "mouth": "mouth, nose, outline",
    "mouthSmile": "mouth, nose, outline, eye L, bridge", "tongueOut": "mouth",
}  # fmt: skip
STILL_MM = 0.25
MIRROR_X = np.array([-1.0, 1.0, 1.0])
MIRRORED_LANDMARKS = [
    *range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, *range(35, 30, -1),
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
    *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), 67, 66, 65,
]  # fmt: skip


def vertex_at(place: str | int) -> int:
    return PLACES[place] if isinstance(place, str) else int(MODEL.landmarks[place])


def move(name: str) -> np.ndarray:
    """How far each vertex [N, 3] goes at weight 1, in millimetres."""
    return MODEL.expression_basis[ARKIT_NAMES.index(name)] / MM


def gap(upper: list[int], lower: list[int], **weights: float) -> float:
    """Height between landmarks in millimetres."""
    values = np.zeros(52)
    values[[ARKIT_NAMES.index(name) for name in weights]] = list(weights.values())
    points = MODEL.landmark_points((), values)
    return float(np.mean(points[upper, 1] - points[lower, 1]) / MM)


def test_the_table_names_every_shape():
    assert {name for name in ARKIT_NAMES if "Right" not in name} == set(EFFECTS)


@pytest.mark.parametrize("name", EFFECTS)
def test_the_shape_does_what_its_name_says(name):
    moved = move(name)
    for place, axis, least, most in EFFECTS[name]:
        vertex = vertex_at(place)
        assert least <= moved[vertex, axis] <= most, (
            f"{place} along {'xyz'[axis]}: {moved[vertex, axis]:.2f} mm"
        )


def test_the_proportions_name_every_identity_mode():
    assert tuple(PROPORTIONS) == MODEL.identity_names


@pytest.mark.parametrize("name", PROPORTIONS)
def test_the_identity_mode_does_what_its_name_says(name):
    moved = MODEL.identity_basis[MODEL.identity_names.index(name)] / MM
    first, second, axis, least, most = PROPORTIONS[name]
    growth = moved[vertex_at(first), axis] - (0.0 if second is None else moved[vertex_at(second), axis])
    assert least <= growth <= most


@pytest.mark.parametrize("name", EFFECTS)
def test_the_shape_leaves_the_rest_of_the_face_alone(name):
    allowed = MAY_MOVE[max((prefix for prefix in MAY_MOVE if name.startswith(prefix)), key=len)].split(", ")
    distance = np.linalg.norm(move(name)[MODEL.landmarks], axis=1)
    for region, landmarks in REGIONS.items():
        if region not in allowed:
            assert distance[list(landmarks)].max() < STILL_MM, region


@pytest.mark.parametrize("name", sorted(ONE_SIDED))
def test_a_shape_of_one_side_leaves_the_other_corners_of_eye_and_mouth(name):
    assert np.linalg.norm(move(name)[MODEL.landmarks[[*range(36, 42), 48]]], axis=1).max() < STILL_MM


@pytest.mark.parametrize("name", ARKIT_NAMES)
def test_left_and_right_are_mirror_images(name):
    twin = name.replace("Left", "*").replace("Right", "Left").replace("*", "Right")
    ours, theirs = move(name)[MODEL.landmarks], move(twin)[MODEL.landmarks]
    np.testing.assert_allclose(ours[MIRRORED_LANDMARKS] * MIRROR_X, theirs, atol=1e-4)


@pytest.mark.parametrize("part", ["hair", "ear", "cloth"])
def test_no_shape_moves_what_has_no_muscles(part):
    assert not MODEL.expression_basis[:, vertices_of(part)].any()


def test_only_the_jaw_moves_its_teeth_and_nothing_those_of_the_skull():
    teeth = vertices_of("teeth")
    moved = np.abs(MODEL.expression_basis[:, teeth]).max(axis=2) > 0
    moving = {ARKIT_NAMES[i] for i in np.flatnonzero(moved.any(axis=1))}
    assert moving == {"jawForward", "jawLeft", "jawRight", "jawOpen"}
    assert (~moved.any(axis=0)).sum() > 0.3 * len(teeth)


def test_eyeballs_turn_with_the_gaze_alone():
    moved = np.abs(MODEL.expression_basis[:, vertices_of("eye")]).max(axis=(1, 2)) > 0
    assert {name for name, one in zip(ARKIT_NAMES, moved, strict=True) if one} == {
        name for name in ARKIT_NAMES if name.startswith("eyeLook")
    }


LIDS = [43, 44], [47, 46]
LIPS = [61, 62, 63], [67, 66, 65]


def test_blink_closes_the_lids():
    assert gap(*LIDS) > 9
    assert abs(gap(*LIDS, eyeBlinkLeft=1)) < 1.0
    assert gap(*LIDS, eyeBlinkRight=1) == pytest.approx(gap(*LIDS))


@settings(deadline=None, max_examples=30)
@given(st.floats(0, 1))
def test_mouth_close_closes_what_the_jaw_opens(weight):
    opened = gap(*LIPS, jawOpen=weight)
    assert opened == pytest.approx(gap(*LIPS) + weight * (gap(*LIPS, jawOpen=1) - gap(*LIPS)), abs=0.01)
    assert abs(gap(*LIPS, jawOpen=weight, mouthClose=weight)) < 1.5


@pytest.mark.parametrize(
    "name",
    ["mouthSmile", "mouthFrown", "mouthDimple", "mouthStretch", "mouthPress", "mouthPucker", "mouthRollLower",
     "mouthRollUpper", "mouthShrugLower", "jawForward", "cheekPuff", "noseSneer", "mouthLeft"],
)  # fmt: skip
def test_lips_stay_closed(name):
    both = [name] if name in ARKIT_NAMES else [name + "Left", name + "Right"]
    assert abs(gap(*LIPS, **dict.fromkeys(both, 1.0))) < 2.0


def test_the_tongue_comes_out_between_the_teeth_and_over_the_lip():
    tongue, moved = vertices_of("tongue"), move("tongueOut")
    out = MODEL.mean / MM + moved
    edge = max(out[v, 1] for v in LOWER_TEETH if abs(out[v, 0]) < 8)
    over_teeth = [v for v in tongue if abs(out[v, 0]) < 8 and 84 < out[v, 2] < 94]
    assert len(over_teeth) >= 4 and min(out[v, 1] for v in over_teeth) > edge - 2.5
    lip = out[MODEL.landmarks[57]]
    tip = out[tongue][out[tongue][:, 2].argmax()]
    assert tip[2] > lip[2] + 3 and tip[1] < out[MODEL.landmarks[66], 1]
