import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.errors import UserError
from listener_head.face.deep3d.alignment import align
from listener_head.face.geometry import rotation_angles, rotation_matrix
from listener_head.robot import load_robot
from listener_head.robot.head_camera import (
    EXTRAPOLATION_NS,
    HISTORY,
    LARGEST_GAP_NS,
    JointHistory,
    StillCamera,
)
from listener_head.robot.kinematics import HeadKinematics
from listener_head.timing import NS_PER_S

GENERIC = load_robot("generic")
KINEMATICS = HeadKinematics(GENERIC)
PLACE = KINEMATICS.camera(GENERIC.neutral)[:3, 3]
LAYOUT = LAYOUTS["arkit52"]
MS = NS_PER_S // 1000
FOCAL = (500.0, 500.0)

angles = st.floats(-0.4, 0.4)
stamps = st.integers(0, 10 * NS_PER_S)


def state(pan: float = 0.0, tilt: float = 0.0, roll: float = 0.0) -> dict[str, float]:
    return dict(zip(GENERIC.joint_names, (pan, tilt, roll), strict=True))


def history_of(*states: tuple[int, float]) -> JointHistory:
    """Pan positions [rad] by stamps [ms]."""
    history = JointHistory(GENERIC)
    for stamp_ms, pan in states:
        history.add(state(pan), stamp_ms * MS)
    return history


# Joint positions at a stamp


def test_between_two_states_it_is_on_the_line() -> None:
    history = history_of((1000, 0.1), (1010, 0.2), (1020, 0.6))
    for stamp_ms, pan in ((1000, 0.1), (1005, 0.15), (1010, 0.2), (1015, 0.4), (1020, 0.6)):
        np.testing.assert_allclose(history.at(stamp_ms * MS), [pan, 0, 0], atol=1e-12)


@settings(deadline=None)
@given(st.permutations(range(12)), st.integers(0, 110 * MS))
def test_the_order_of_arrival_does_not_matter(order: list[int], after: int) -> None:
    sorted_states = history_of(*((1000 + 10 * k, k**2 / 100) for k in range(12)))
    mixed = history_of(*((1000 + 10 * k, k**2 / 100) for k in order))
    np.testing.assert_array_equal(mixed.at(NS_PER_S + after), sorted_states.at(NS_PER_S + after))


def test_a_little_after_the_newest_state_it_goes_on_at_its_velocity() -> None:
    history = history_of(*((1000 + 5 * k, 0.01 * k) for k in range(6)))
    np.testing.assert_allclose(history.at(1030 * MS), [0.06, 0, 0], atol=1e-12)
    np.testing.assert_allclose(history.at(1035 * MS), [0.07, 0, 0], atol=1e-12)


@pytest.mark.parametrize(
    ("states", "asked_ms", "reason"),
    [
        ((), 1000, "no joint_states yet; the head's joints are head_pan_joint, head_tilt_joint"),
        (((1000, 0.0),), 1005, "no joint_states as young as the image; the newest is 5 ms older"),
        (((1000, 0.0), (1010, 0.0)), 1021, "the newest is 11 ms older"),
        (((1000, 0.0), (1010, 0.0)), 990, "no joint_states from before the image; the oldest is 10 ms"),
        (((1000, 0.0), (1150, 0.0)), 1070, "a gap about the image; of 150 ms"),
        (((1000, 0.0), (1150, 0.0)), 1155, "a gap about the image; of 150 ms"),
    ],
)
def test_where_the_joints_are_not_known_it_says_why(states: tuple, asked_ms: int, reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        history_of(*states).at(asked_ms * MS)


def test_a_clock_that_goes_back_starts_anew() -> None:
    history = history_of((50_000, 1.0), (50_010, 1.0), (1000, 0.2), (1010, 0.2))
    np.testing.assert_allclose(history.at(1005 * MS), [0.2, 0, 0])
    with pytest.raises(UserError, match="as young"):
        history.at(50_005 * MS)


def test_one_stamp_in_the_far_future_does_not_last() -> None:
    history = history_of((1000, 0.2), (10**6, 1.0), (1010, 0.2), (1020, 0.2))
    np.testing.assert_allclose(history.at(1015 * MS), [0.2, 0, 0])


def test_it_is_bounded_and_keeps_the_newest() -> None:
    history = history_of(*((k, k / 1000) for k in range(3 * HISTORY)))
    last = 3 * HISTORY - 1
    np.testing.assert_allclose(history.at(last * MS)[0], last / 1000)
    np.testing.assert_allclose(history.at((last - HISTORY + 1) * MS)[0], (last - HISTORY + 1) / 1000)
    with pytest.raises(UserError, match="before the image"):
        history.at((last - HISTORY) * MS)


def test_states_of_other_joints_are_left_out_and_numbers_that_are_none_refused() -> None:
    history = history_of((1000, 0.1), (1010, 0.1))
    history.add({"wheel_left_joint": 3.0, "head_pan_joint": 9.0}, 1005 * MS)
    history.add({**state(0.1), "wheel_left_joint": np.nan}, 1006 * MS)
    with pytest.raises(UserError, match="joint_states say nan for head_tilt_joint"):
        history.add(state(0.1, np.nan), 1007 * MS)
    for stamp_ms in range(1000, 1011):
        np.testing.assert_allclose(history.at(stamp_ms * MS), [0.1, 0, 0])


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(stamps, st.floats(-3, 3)), max_size=30), stamps)
def test_it_never_leaves_what_the_states_allow(states: list[tuple[int, float]], asked: int) -> None:
    history = JointHistory(GENERIC)
    for stamp_ns, pan in states:
        history.add(state(pan), stamp_ns)
    near = [pan for stamp_ns, pan in states if abs(stamp_ns - asked) <= LARGEST_GAP_NS + EXTRAPOLATION_NS]
    try:
        pan = history.at(asked)[0]
    except UserError:
        return
    reach = max(near) - min(near)  # the most that a line through two states rises in 10 ms
    assert min(near) - reach - 1e-9 <= pan <= max(near) + reach + 1e-9


def test_two_threads_may_use_it() -> None:
    history, newest = history_of((0, 0.0)), [0]
    stop = threading.Event()

    def fill() -> None:
        while not stop.is_set():
            stamp_ms = newest[0] + 1
            history.add(state(stamp_ms / 1000), stamp_ms * MS)
            newest[0] = stamp_ms

    filling = threading.Thread(target=fill)
    filling.start()
    try:
        for _ in range(5_000):
            asked_ms = newest[0]
            np.testing.assert_allclose(history.at(asked_ms * MS)[0], asked_ms / 1000)
    finally:
        stop.set()
        filling.join()


# What the still camera sees


def facing(position: NDArray, target: NDArray) -> NDArray:
    """Columns: the optical frame's axes of somebody at ``position`` looked at from ``target``."""
    forward = (position - target) / np.linalg.norm(position - target)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    return np.column_stack([right, np.cross(forward, right), forward])


def away(x: float, y: float, z: float) -> NDArray:
    """So far from where the camera is at rest."""
    return PLACE + np.array([x, y, z])


def seen_from(camera: NDArray, position: NDArray, axes: NDArray) -> Coefficients:
    coefficients = Coefficients.from_motion("arkit52", LAYOUT.neutral())
    coefficients.rotation = rotation_angles(camera[:3, :3].T @ axes).astype(np.float32)
    coefficients.translation = (camera[:3, :3].T @ (position - camera[:3, 3])).astype(np.float32)
    return coefficients


@settings(deadline=None, max_examples=200)
@given(pan=angles, tilt=angles, roll=angles, turn=st.tuples(angles, angles, angles))
def test_the_pose_of_the_robots_head_does_not_show(
    pan: float, tilt: float, roll: float, turn: tuple[float, float, float]
) -> None:
    position = np.array([1.0, 0.2, 0.5])
    axes = facing(position, PLACE) @ rotation_matrix(turn)
    still = StillCamera(PLACE)
    camera = KINEMATICS.camera([pan, tilt, roll])
    coefficients, found = still.see(seen_from(camera, position, axes), camera, 0, FOCAL)
    np.testing.assert_allclose(coefficients.rotation, turn, atol=1e-5)
    distance = np.linalg.norm(position - PLACE)
    np.testing.assert_allclose(coefficients.translation, [0, 0, distance], atol=1e-5)
    np.testing.assert_allclose(found, position, atol=1e-6)


@pytest.mark.parametrize("degrees", [-170, -75, 75, 170])
def test_a_speaker_far_to_the_side_is_faced(degrees: float) -> None:
    side = np.radians(degrees)
    position = away(np.cos(side), np.sin(side), -0.1)
    camera = KINEMATICS.camera([np.clip(side, -1.3, 1.3), 0.05, 0.0])
    coefficients, _ = StillCamera(PLACE).see(
        seen_from(camera, position, facing(position, PLACE)), camera, 0, FOCAL
    )
    np.testing.assert_allclose(np.degrees(coefficients.rotation), 0.0, atol=1e-3)


def test_it_turns_slowly_after_a_speaker_who_moves_and_leaves_nods_in() -> None:
    still, camera = StillCamera(PLACE), KINEMATICS.camera(GENERIC.neutral)
    here, there = away(1.0, 0.0, 0.0), away(1.0, 0.3, 0.0)
    straight = facing(here, PLACE)
    yaws = []
    for k in range(300):
        position = here if k < 30 else there
        nod = rotation_matrix([0.1 * np.sin(2 * np.pi * k / 30), 0.0, 0.0])
        coefficients, _ = still.see(
            seen_from(camera, position, straight @ nod), camera, k * NS_PER_S // 30, FOCAL
        )
        assert coefficients.rotation[0] == pytest.approx(0.1 * np.sin(2 * np.pi * k / 30), abs=0.005)
        yaws.append(coefficients.rotation[1])
    aside = np.arctan2(0.3, 1.0)
    assert abs(yaws[29]) < 1e-6
    assert abs(np.diff(yaws)).max() < 0.005
    assert abs(yaws[30 + 90]) == pytest.approx(aside * (1 - np.exp(-1)), rel=0.05)  # after 3 s
    assert abs(coefficients.translation[0]) < 0.02


def test_another_speaker_and_a_clock_that_goes_back_are_faced_at_once() -> None:
    still, camera = StillCamera(PLACE), KINEMATICS.camera(GENERIC.neutral)
    left, right = away(1.0, 0.8, 0.0), away(1.0, -0.8, 0.0)
    near_right = away(1.0, -0.5, 0.0)
    for stamp_ns, position in ((NS_PER_S, left), (NS_PER_S + MS, right), (0, near_right)):
        coefficients, _ = still.see(
            seen_from(camera, position, facing(position, PLACE)), camera, stamp_ns, FOCAL
        )
        np.testing.assert_allclose(coefficients.rotation, 0.0, atol=1e-6)


def test_without_a_place_it_stays_where_it_first_saw_somebody() -> None:
    position, still = np.array([1.0, 0.1, 0.4]), StillCamera()
    first = KINEMATICS.camera([0.1, 0.1, 0.0])
    seen = [
        still.see(seen_from(camera, position, facing(position, PLACE)), camera, 0, FOCAL)[0]
        for camera in (first, KINEMATICS.camera([-0.3, 0.2, 0.1]))
    ]
    np.testing.assert_allclose(seen[0].translation[2], np.linalg.norm(position - first[:3, 3]), rtol=1e-6)
    np.testing.assert_allclose(seen[1].motion, seen[0].motion, atol=1e-6)


@settings(deadline=None, max_examples=200)
@given(
    st.tuples(*[st.floats(-np.pi, np.pi)] * 3),
    st.tuples(st.floats(-5, 5), st.floats(-5, 5), st.floats(0.05, 5)),
    st.lists(st.tuples(angles, angles, angles, stamps), min_size=1, max_size=5),
    st.sampled_from(["arkit52", "bfm2009"]),
)
def test_nothing_makes_it_see_what_is_not_finite(
    rotation: tuple, translation: tuple, poses: list[tuple], face_model: str
) -> None:
    still = StillCamera(PLACE)
    motion = LAYOUTS[face_model].neutral()
    motion[LAYOUTS[face_model].crop] = 0.3
    seen = Coefficients.from_motion(face_model, motion)
    seen.rotation, seen.translation = np.float32(rotation), np.float32(translation)
    for *positions, stamp_ns in poses:
        coefficients, position = still.see(seen, KINEMATICS.camera(positions), stamp_ns, FOCAL)
        assert np.isfinite(coefficients.motion).all() and np.isfinite(position).all()
        np.testing.assert_array_equal(coefficients.expression, seen.expression)


def test_a_speaker_at_the_cameras_own_place_is_no_crash() -> None:
    camera = KINEMATICS.camera(GENERIC.neutral)
    camera[0, 3] -= 0.5
    motion = LAYOUTS["bfm2009"].neutral()
    motion[LAYOUTS["bfm2009"].translation] = (0.0, 0.0, 0.5)
    coefficients, _ = StillCamera(PLACE).see(Coefficients.from_motion("bfm2009", motion), camera, 0, FOCAL)
    assert np.isfinite(coefficients.motion).all()


def test_the_crop_is_where_the_still_camera_has_the_face() -> None:
    """Of the same five points of a face, seen by the moving camera and by the still one."""
    eyes, mouth = [[-0.03, -0.03, 0], [0.03, -0.03, 0]], [[-0.025, 0.035, 0], [0.025, 0.035, 0]]
    points = np.array([*eyes, [0, 0, -0.02], *mouth])
    standard = 10 * points * (1, -1, -1)  # decimetres, y up, z out of the face
    camera = KINEMATICS.camera([0.1, 0.15, 0.0])
    position = away(0.9, 0.05, -0.05)
    seen = seen_from(camera, position, facing(position, PLACE))

    def crop_of(coefficients: Coefficients) -> NDArray:
        there = points @ rotation_matrix(coefficients.rotation).T + coefficients.translation
        right, down = (FOCAL * there[:, :2] / there[:, 2:]).T
        return align(np.column_stack([320 + right, 240 - down]), standard, (640, 480)).transform_params[2:]

    motion = LAYOUTS["bfm2009"].neutral()
    bfm = Coefficients.from_motion("bfm2009", motion)
    bfm.rotation, bfm.translation, bfm.crop = seen.rotation, seen.translation, np.float32(crop_of(seen))
    still, _ = StillCamera(PLACE).see(bfm, camera, 0, FOCAL)
    wanted = crop_of(still)
    assert np.abs(crop_of(seen) - wanted)[1:].max() > 30
    np.testing.assert_allclose(still.crop[0], wanted[0], rtol=0.03)
    np.testing.assert_allclose(still.crop[1:], wanted[1:], atol=5)
