import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from listener_head.errors import UserError
from listener_head.robot.description import Origin, Platform
from listener_head.robot.kinematics import HeadKinematics
from listener_head.robot.robot_file import load_robot
from listener_head.robot.stewart import StewartPlatform
from listener_head.robot.transforms import transform_of

REACHY_MINI = load_robot("reachy_mini")
assert REACHY_MINI.platform is not None
GEOMETRY: Platform = REACHY_MINI.platform
PLATFORM = StewartPlatform(GEOMETRY)
MOTORS = [REACHY_MINI.joint_names.index(leg.joint) for leg in GEOMETRY.legs]
LIMITS = [REACHY_MINI.joints[i].limits.position for i in MOTORS]
LOW, HIGH = np.array([limit.min for limit in LIMITS]), np.array([limit.max for limit in LIMITS])

# Motor angles of the robot's own inverse kinematics (reachy-mini-rust-kinematics 1.0.3) for rotation vectors.
PUBLISHED = [
    ([0.0, 0.0, 0.0], [0.6265, -0.6265, 0.6265, -0.6265, 0.6265, -0.6265]),
    ([0.0, 0.2, 0.0], [0.5375, -0.5862, 0.7667, -0.7667, 0.5862, -0.5375]),
    ([0.1, -0.15, 0.3], [0.8466, -0.6425, 0.6351, -0.4354, 0.7125, -0.5974]),
    ([-0.3, 0.25, -0.6], [0.2886, -0.6182, 0.5688, -1.0187, 0.7679, -0.9453]),
]
# Where the robot's own program lays its head to sleep, its motors a little beyond their limits.
ASLEEP = [-0.9848, 1.2625, -0.2439, 0.2056, -1.2364, 1.0032]


def rotation(*vector: float) -> np.ndarray:
    return Rotation.from_rotvec(vector).as_matrix()


# Axes all over the sphere.
AXES = (
    st.tuples(*[st.floats(-1, 1)] * 3)
    .filter(lambda v: np.linalg.norm(v) > 0.1)
    .map(lambda v: np.array(v) / np.linalg.norm(v))
)


def vectors(longest: float) -> st.SearchStrategy[np.ndarray]:
    """Rotation vectors [3] up to a length in rad."""
    return st.builds(lambda axis, length: axis * length, AXES, st.floats(0, longest))


def head(vector: np.ndarray) -> np.ndarray:
    """Head's rotation in the body frame, by the robot's whole kinematics, when asked for a rotation."""
    motors = PLATFORM.angles(rotation(*vector))
    assert motors is not None
    positions = np.array(REACHY_MINI.neutral)
    positions[MOTORS] = motors
    return HeadKinematics(REACHY_MINI).head(positions)


def rod_lengths(pose: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Distances [6] from the arms' ends to the balls, written out leg by leg."""
    lengths = []
    for leg, angle in zip(GEOMETRY.legs, angles, strict=True):
        arm = [GEOMETRY.arm_length * np.cos(angle), GEOMETRY.arm_length * np.sin(angle), 0.0, 1.0]
        lengths.append(np.linalg.norm((pose @ [*leg.ball, 1.0] - transform_of(leg.motor) @ arm)[:3]))
    return np.array(lengths)


@pytest.mark.parametrize("vector, published", PUBLISHED)
def test_motor_angles_are_those_of_the_robots_own_kinematics(vector: list, published: list) -> None:
    np.testing.assert_allclose(PLATFORM.angles(rotation(*vector)), published, atol=2e-4)


def test_the_file_rests_where_the_head_is_upright() -> None:
    neutral = np.array(REACHY_MINI.neutral)
    np.testing.assert_allclose(neutral[MOTORS], PLATFORM.angles(np.eye(3)), atol=1e-4)
    upright = np.eye(4)
    upright[2, 3] = 0.177
    np.testing.assert_allclose(HeadKinematics(REACHY_MINI).head(neutral), upright, atol=1e-4)


@settings(max_examples=300, deadline=None)
@given(vectors(1.2))
def test_the_motors_turn_the_head_as_asked_and_keep_its_place(vector: np.ndarray) -> None:
    angles = PLATFORM.angles(rotation(*vector))
    assume(angles is not None)
    np.testing.assert_allclose(PLATFORM.rotation(angles), rotation(*vector), atol=1e-6)
    np.testing.assert_allclose(PLATFORM.pose(angles)[:3, 3], GEOMETRY.rest.xyz, atol=1e-6)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(-0.15, 0.15), min_size=6, max_size=6))
def test_any_motor_angles_near_rest_give_a_pose_with_rods_of_their_length(moved: list[float]) -> None:
    angles = PLATFORM.angles(np.eye(3)) + np.array(moved)
    np.testing.assert_allclose(rod_lengths(PLATFORM.pose(angles), angles), GEOMETRY.rod_length, atol=1e-9)


def test_a_head_laid_to_sleep_has_a_pose() -> None:
    pose = PLATFORM.pose(ASLEEP)
    np.testing.assert_allclose(rod_lengths(pose, np.array(ASLEEP)), GEOMETRY.rod_length, atol=1e-9)
    assert pose[2, 3] < GEOMETRY.rest.xyz[2] - 0.03
    assert PLATFORM.rotation(ASLEEP)[2, 0] < -0.3  # the nose points down


def test_a_nod_moves_the_nose_down_and_yaw_and_roll_go_their_way() -> None:
    assert head([0, 0.2, 0])[2, 0] == pytest.approx(-np.sin(0.2), abs=1e-4)  # nose down
    assert head([0, 0, 0.2])[1, 0] == pytest.approx(np.sin(0.2), abs=1e-4)  # nose to the left
    assert head([0.2, 0, 0])[1, 2] == pytest.approx(-np.sin(0.2), abs=1e-4)  # crown to the right


@settings(max_examples=300, deadline=None)
@given(vectors(1.2), vectors(1e-3))
def test_angles_never_jump(vector: np.ndarray, little: np.ndarray) -> None:
    here, there = PLATFORM.angles(rotation(*vector)), PLATFORM.angles(rotation(*(vector + little)))
    assume(here is not None and there is not None)
    # At the edge of the tilt a motor turns up to eight times as fast as the head.
    assert np.abs(there - here).max() <= 8 * np.linalg.norm(little) + 1e-9


@settings(max_examples=300, deadline=None)
@given(vectors(np.pi))
def test_angles_are_finite_or_none_and_none_beyond_tilt_and_turn(vector: np.ndarray) -> None:
    turned = rotation(*vector)
    angles = PLATFORM.angles(turned)
    tilt = np.arccos(np.clip(turned[2, 2], -1, 1))
    if tilt > GEOMETRY.max_tilt + 1e-4:
        assert angles is None
    if angles is not None:
        assert angles.shape == (6,) and np.isfinite(angles).all()


def test_poses_out_of_reach_give_none() -> None:
    for far in ([0, 0.72, 0], [0, -0.72, 0], [0.72, 0, 0], [0, 0, 1.2], [0, 0, -1.2], [0, np.pi, 0]):
        assert PLATFORM.angles(rotation(*far)) is None
    long_way = GEOMETRY.model_copy(update={"max_tilt": 3.0, "max_turn": 3.0})
    assert StewartPlatform(long_way).angles(rotation(0, 1.0, 0)) is None  # the rods are too short


@settings(max_examples=300, deadline=None)
@given(vectors(np.pi))
def test_the_reachable_share_is_the_largest(vector: np.ndarray) -> None:
    share = PLATFORM.reachable(rotation(*vector), LOW, HIGH)
    vector = Rotation.from_matrix(rotation(*vector)).as_rotvec()  # half a turn has two
    assert 0 < share <= 1
    angles = PLATFORM.angles(rotation(*share * vector))
    assert angles is not None
    assert (angles >= LOW - 1e-9).all() and (angles <= HIGH + 1e-9).all()
    if share < 1:
        beyond = PLATFORM.angles(rotation(*min(1.0, share + 3e-4) * vector))
        assert beyond is None or (beyond < LOW).any() or (beyond > HIGH).any()


@settings(max_examples=200, deadline=None)
@given(AXES, st.floats(1.4, 3.0))
def test_asking_for_more_than_is_reachable_ends_at_the_same_edge(axis: np.ndarray, angle: float) -> None:
    edge = 1.4 * PLATFORM.reachable(rotation(*1.4 * axis), LOW, HIGH)  # 1.4 rad is out of reach everywhere
    assert angle * PLATFORM.reachable(rotation(*angle * axis), LOW, HIGH) == pytest.approx(edge, abs=1e-3)
    assert edge > 0.6


def test_rotations_are_in_the_heads_own_axes_however_the_platform_stands() -> None:
    lying = transform_of(Origin(xyz=(0.1, 0.2, 0.3), rpy=(0.4, -0.5, 0.6)))

    def moved(origin: Origin) -> Origin:
        place = lying @ transform_of(origin)
        xyz, rpy = place[:3, 3].tolist(), Rotation.from_matrix(place[:3, :3]).as_euler("xyz").tolist()
        return Origin(xyz=tuple(xyz), rpy=tuple(rpy))

    legs = [leg.model_copy(update={"motor": moved(leg.motor)}) for leg in GEOMETRY.legs]
    platform = StewartPlatform(GEOMETRY.model_copy(update={"rest": moved(GEOMETRY.rest), "legs": legs}))
    turned = rotation(0.1, 0.2, -0.3)
    np.testing.assert_allclose(platform.angles(turned), PLATFORM.angles(turned), atol=1e-9)


def test_motor_angles_that_fit_no_pose_are_refused() -> None:
    with pytest.raises(UserError, match="fit no pose"):
        PLATFORM.pose([np.pi / 2, np.pi / 2] * 3)  # every other arm hangs: the rods cannot meet the head
    with pytest.raises(UserError, match="six finite"):
        PLATFORM.pose([0.6, -0.6, 0.6, -0.6, 0.6, np.nan])
    with pytest.raises(UserError, match="six finite"):
        PLATFORM.rotation([0.6] * 5)


@pytest.mark.parametrize(
    "bad", [np.full((3, 3), np.nan), np.full((3, 3), np.inf), np.eye(4), [0.0, 0.1, 0.0]]
)
def test_what_is_no_rotation_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(UserError, match="3 x 3 finite"):
        PLATFORM.angles(bad)
    with pytest.raises(UserError, match="3 x 3 finite"):
        PLATFORM.reachable(bad, LOW, HIGH)


def test_a_platform_that_cannot_stand_at_rest_is_refused() -> None:
    with pytest.raises(UserError, match="do not reach the head at rest"):
        StewartPlatform(GEOMETRY.model_copy(update={"rod_length": 0.02}))
