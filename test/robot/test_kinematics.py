import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.errors import UserError
from listener_head.robot import JointMapper, Robot, load_robot
from listener_head.robot.description import Mount, Origin
from listener_head.robot.kinematics import HeadKinematics
from listener_head.robot.robot_file import robot_files
from listener_head.robot.transforms import inverse, rotation_of_rpy, rpy_of_rotation, transform_of

ROBOTS = [path.stem for path in robot_files()]
NOSE = np.array([1.0, 0.0, 0.0])

angles = st.floats(-3.0, 3.0, allow_nan=False)
vectors = st.tuples(angles, angles, angles)
axes = vectors.filter(lambda v: np.linalg.norm(v) > 0.1).map(lambda v: tuple(np.array(v) / np.linalg.norm(v)))


def with_mounts(robot: Robot, mounts: list[Mount], base_rpy: tuple[float, ...] = (0.0, 0.0, 0.0)) -> Robot:
    joints = [
        joint.model_copy(update={"mount": mount}) for joint, mount in zip(robot.joints, mounts, strict=True)
    ]
    frames = robot.frames.model_copy(update={"base_rpy": base_rpy})
    return robot.model_copy(update={"joints": joints, "frames": frames})


@settings(deadline=None)
@given(
    origins=st.lists(st.tuples(vectors, vectors), min_size=3, max_size=3),
    directions=st.lists(axes, min_size=3, max_size=3),
    positions=vectors,
    base_rpy=vectors,
)
def test_the_head_is_where_the_urdf_chain_puts_it(origins, directions, positions, base_rpy) -> None:
    generic = load_robot("generic")
    mounts = [
        Mount(parent=joint.mount.parent, child=joint.mount.child, origin=Origin(xyz=xyz, rpy=rpy), axis=axis)
        for joint, (xyz, rpy), axis in zip(generic.joints, origins, directions, strict=True)
    ]
    head = HeadKinematics(with_mounts(generic, mounts, base_rpy)).head(positions)
    turn = Rotation.from_euler("xyz", base_rpy).inv()
    place = np.zeros(3)
    for (xyz, rpy), axis, position in zip(origins, directions, positions, strict=True):
        place = place + turn.apply(xyz)
        turn = turn * Rotation.from_euler("xyz", rpy) * Rotation.from_rotvec(np.array(axis) * position)
    np.testing.assert_allclose(head[:3, 3], place, atol=1e-9)
    np.testing.assert_allclose(head[:3, :3], turn.as_matrix(), atol=1e-9)
    np.testing.assert_array_equal(head[3], (0, 0, 0, 1))


@settings(deadline=None)
@given(rpy=vectors)
def test_roll_pitch_yaw_there_and_back(rpy) -> None:
    rotation = rotation_of_rpy(*rpy)
    np.testing.assert_allclose(rotation, Rotation.from_euler("xyz", rpy).as_matrix(), atol=1e-12)
    np.testing.assert_allclose(rotation_of_rpy(*rpy_of_rotation(rotation)), rotation, atol=1e-7)


def test_straight_up_is_no_trouble_for_roll_pitch_yaw() -> None:
    rotation = rotation_of_rpy(0.3, np.pi / 2, -0.8)
    np.testing.assert_allclose(rotation_of_rpy(*rpy_of_rotation(rotation)), rotation, atol=1e-9)


def test_a_camera_moves_with_the_frame_that_it_sits_on() -> None:
    generic = load_robot("generic")
    kinematics = HeadKinematics(generic)
    positions = [0.4, 0.2, 0.1]
    camera = kinematics.camera(positions)
    head = kinematics.head(positions)
    np.testing.assert_allclose(inverse(head) @ camera, transform_of(generic.camera.origin), atol=1e-12)
    # On the pan link it turns with the pan alone; on the torso it stays.
    on_pan = generic.camera.model_copy(update={"parent": "head_pan_link"})
    panned = HeadKinematics(generic.model_copy(update={"camera": on_pan}))
    np.testing.assert_array_equal(panned.camera([0.4, 0.2, 0.1]), panned.camera([0.4, -0.3, 0.3]))
    assert np.abs(panned.camera([0.4, 0, 0]) - panned.camera([0.0, 0, 0])).max() > 0.1
    fixed = generic.camera.model_copy(update={"parent": "torso_link"})
    still = HeadKinematics(generic.model_copy(update={"camera": fixed}))
    np.testing.assert_allclose(still.camera(positions), transform_of(generic.camera.origin), atol=1e-12)


def test_what_cannot_be_told_is_refused() -> None:
    generic = load_robot("generic")
    with pytest.raises(UserError, match="has no 'camera' in its file"):
        HeadKinematics(generic.model_copy(update={"camera": None})).camera([0.0, 0.0, 0.0])
    elsewhere = generic.camera.model_copy(update={"parent": "wall"})
    with pytest.raises(UserError, match="'wall' of robot generic_pan_tilt_roll is not on the way"):
        HeadKinematics(generic.model_copy(update={"camera": elsewhere})).camera([0.0, 0.0, 0.0])
    for positions in ([0.0, 0.0], [0.0, 0.0, float("nan")]):
        with pytest.raises(UserError, match="give head_pan_joint, head_tilt_joint, head_roll_joint in rad"):
            HeadKinematics(generic).head(positions)


@pytest.mark.parametrize("name", ROBOTS)
def test_a_head_at_rest_is_above_its_base_and_its_camera_looks_forward(name: str) -> None:
    robot = load_robot(name)
    kinematics = HeadKinematics(robot)
    assert kinematics.head(robot.neutral)[2, 3] > -1e-9
    if robot.camera is not None:
        view = kinematics.camera(robot.neutral)[:3, :3] @ (0.0, 0.0, 1.0)
        assert view @ NOSE > 0.8


def moved(robot: Robot, pitch: float = 0.0, yaw: float = 0.0, roll: float = 0.0) -> list[np.ndarray]:
    """Turns of the head [3, 3] from rest, in the body frame, while the listener turns once there and back.

    Angles are those of the body frame; the listener's yaw and roll count the other way (see frames.py).
    """
    mapper, kinematics, layout = JointMapper(robot), HeadKinematics(robot), LAYOUTS["arkit52"]
    mapper.start(robot.neutral, 0.0)
    rest = kinematics.head(robot.neutral)[:3, :3]
    turns, frame = [], 0
    for k in range(1, round(1.5 * robot.rate) + 1):
        while frame / 30 <= k / robot.rate + 1e-9:
            motion = layout.neutral()
            wave = np.sin(2 * np.pi * max(frame / 30 - 0.5, 0.0))
            motion[layout.rotation] = wave * np.array([pitch, -yaw, -roll])
            mapper.update(Coefficients.from_motion("arkit52", motion), frame / 30)
            frame += 1
        turns.append(kinematics.head(mapper.sample(k / robot.rate).positions)[:3, :3] @ rest.T)
    return turns


def first(values: list[float], threshold: float = 0.01) -> float:
    """The first value that is beyond the threshold."""
    return next(value for value in values if abs(value) > threshold)


@pytest.mark.parametrize("name", ROBOTS)
def test_a_nod_starts_downwards(name: str) -> None:
    assert first([turn[2, 0] for turn in moved(load_robot(name), pitch=0.1)]) < 0


@pytest.mark.parametrize("name", ROBOTS)
def test_a_turn_to_the_left_starts_to_the_left(name: str) -> None:
    assert first([turn[1, 0] for turn in moved(load_robot(name), yaw=0.1)]) > 0


@pytest.mark.parametrize("name", ROBOTS)
def test_roll_tips_the_crown_to_the_right_where_there_is_a_joint_for_it(name: str) -> None:
    robot = load_robot(name)
    turns = moved(robot, roll=0.1)
    if "roll" in robot.head_angles:
        assert first([turn[1, 2] for turn in turns]) < 0
    else:
        assert robot.platform is None
        assert not any("roll" in joint.drive for joint in robot.joints)
        np.testing.assert_allclose(turns[-1], np.eye(3), atol=1e-6)
