from pathlib import Path

import numpy as np
import pytest

from listener_head.coefficients import ARKIT_NAMES, LAYOUTS, Coefficients
from listener_head.errors import UserError
from listener_head.robot import JointMapper, JointTarget, Robot, load_robot

NOD = np.radians(8)


def listener(pitch: float = 0.0, yaw: float = 0.0, roll: float = 0.0, **expression: float) -> Coefficients:
    layout = LAYOUTS["arkit52"]
    motion = layout.neutral()
    motion[layout.rotation] = (pitch, yaw, roll)
    for name, value in expression.items():
        motion[layout.index(name)] = value
    return Coefficients.from_motion("arkit52", motion)


def run(mapper: JointMapper, pitch_of, seconds: float, first: float = 0.0) -> np.ndarray:
    """Feed the pitch at 30 Hz and sample at 100 Hz; positions [T, J]."""
    positions, frame = [], 0
    for k in range(1, round(seconds * 100) + 1):
        while frame / 30 <= k / 100 + 1e-9:
            mapper.update(listener(pitch_of(frame / 30)), first + frame / 30)
            frame += 1
        positions.append(mapper.sample(first + k / 100).positions)
    return np.array(positions)


def started(name: str = "generic") -> JointMapper:
    mapper = JointMapper(load_robot(name))
    mapper.start(mapper.robot.neutral, 0.0)
    return mapper


def pitch_joint(robot: Robot) -> tuple[int, float]:
    (found,) = [(i, joint.drive["pitch"]) for i, joint in enumerate(robot.joints) if "pitch" in joint.drive]
    return found


def fitted_sine(values: np.ndarray, frequency: float) -> tuple[float, float]:
    """Amplitude and delay [s] of a 100 Hz signal after its first 3 s, by least squares."""
    t = np.arange(1, len(values) + 1) / 100
    w = 2 * np.pi * frequency
    late = t > 3
    basis = np.c_[np.sin(w * t), np.cos(w * t), np.ones_like(t)]
    a, b, _ = np.linalg.lstsq(basis[late], values[late], rcond=None)[0]
    return float(np.hypot(a, b)), float(np.arctan2(-b, a) % (2 * np.pi) / w)


@pytest.mark.parametrize("name", ["generic", "tiago"])
def test_a_nod_comes_soon_and_whole(name: str) -> None:
    mapper = started(name)
    joint, gain = pitch_joint(mapper.robot)
    positions = run(mapper, lambda t: NOD * np.sin(2 * np.pi * t), 8.0)
    amplitude, delay = fitted_sine(gain * positions[:, joint], 1.0)
    assert delay < 0.120
    assert amplitude == pytest.approx(NOD, rel=0.1)


@pytest.mark.parametrize("name", ["generic", "tiago"])
@pytest.mark.parametrize(("frequency", "degrees"), [(1.5, 8), (2.0, 5), (1.0, 20), (2.0, 15)])
def test_a_nod_beyond_the_limits_is_made_smaller_not_late(
    name: str, frequency: float, degrees: float
) -> None:
    mapper = started(name)
    joint, gain = pitch_joint(mapper.robot)
    asked = np.radians(degrees)
    positions = run(mapper, lambda t: asked * np.sin(2 * np.pi * frequency * t), 8.0)
    amplitude, delay = fitted_sine(gain * positions[:, joint], frequency)
    assert delay < 0.150
    assert 0.1 * asked < amplitude < asked


def test_noise_of_the_input_is_not_amplified() -> None:
    rng = np.random.default_rng(1)
    noise = np.radians(0.1) * rng.standard_normal(400)
    mapper = started()
    positions = run(mapper, lambda t: noise[round(t * 30)], 10.0)[:, pitch_joint(mapper.robot)[0]]
    assert positions[300:].std() < noise.std()


def test_motion_is_relative_to_the_listeners_mean_pose() -> None:
    mapper = started()
    positions = run(mapper, lambda t: 0.3, 4.0)
    np.testing.assert_allclose(positions, 0.0, atol=1e-9)


def test_start_goes_on_from_the_measured_positions_slowly() -> None:
    mapper = JointMapper(load_robot("generic"))
    mapper.start([0.5, -0.3, 0.2], 0.0)
    positions = run(mapper, lambda t: 0.0, 6.0)
    np.testing.assert_allclose(positions[0], [0.5, -0.3, 0.2], atol=1e-4)
    assert np.abs(np.diff(positions, axis=0)).max() * 100 <= 0.3 + 1e-6
    np.testing.assert_allclose(positions[-1], 0.0, atol=1e-3)


def test_a_joint_measured_a_little_outside_comes_back_in() -> None:
    mapper = JointMapper(load_robot("tiago"))
    mapper.start([0.0, 0.80], 0.0)
    positions = run(mapper, lambda t: 0.0, 5.0)[:, 1]
    assert positions[0] == pytest.approx(0.80, abs=1e-4)
    assert positions.max() <= 0.80
    inside = np.flatnonzero(positions <= 0.785)[0]
    assert (positions[inside:] <= 0.785).all()
    assert positions[-1] == pytest.approx(0.0, abs=1e-3)


def test_without_input_the_head_stops_then_returns_to_rest() -> None:
    mapper = started()
    run(mapper, lambda t: -0.3 * min(1.0, t), 1.2)
    joint, _ = pitch_joint(mapper.robot)
    targets = [mapper.sample(1.2 + k / 100) for k in range(1, 500)]
    positions = np.array([target.positions[joint] for target in targets])
    velocities = np.array([target.velocities[joint] for target in targets])
    assert positions[60] < -0.1
    assert np.abs(velocities[60:]).max() <= 0.3 + 1e-6
    assert positions[-1] == pytest.approx(0.0, abs=1e-6)
    assert velocities[-1] == pytest.approx(0.0, abs=1e-6)


def test_frames_that_cannot_be_used_are_counted_and_change_nothing() -> None:
    mapper, other = started(), started()
    good = [(listener(0.1 * k), k / 30) for k in range(3)]
    bad_rotation = listener(float("nan"))
    bad_shape = listener()
    bad_shape.rotation = np.zeros(2, np.float32)
    bad_face = listener(jawOpen=float("inf"))
    for coefficients, t in good:
        mapper.update(coefficients, t)
        other.update(coefficients, t)
        for bad in (bad_rotation, bad_shape, bad_face, Coefficients.invalid("arkit52", "no face")):
            mapper.update(bad, t + 0.01)
        mapper.update(coefficients, t)
        mapper.update(coefficients, float("nan"))
    assert mapper.ignored == 18
    for k in range(1, 20):
        np.testing.assert_array_equal(mapper.sample(k / 100).positions, other.sample(k / 100).positions)


def test_a_clock_that_goes_back_neither_jumps_nor_freezes() -> None:
    mapper = started()
    nod = lambda t: NOD * np.sin(2 * np.pi * t)  # noqa: E731
    before = run(mapper, nod, 4.0, first=100.0)
    after = run(mapper, nod, 4.0, first=20.0)
    steps = np.abs(np.diff(np.concatenate([before, after]), axis=0)).max(axis=0) * 100
    assert steps[pitch_joint(mapper.robot)[0]] <= 3.0
    assert np.ptp(after[200:, pitch_joint(mapper.robot)[0]]) > NOD


def test_a_stamp_ahead_of_the_clock_is_followed() -> None:
    ahead, level = started(), started()
    for k in range(60):
        t = k / 30
        ahead.update(listener(NOD * np.sin(2 * np.pi * (t + 1 / 30))), t + 1 / 30)
        level.update(listener(NOD * np.sin(2 * np.pi * t)), t)
        for s in range(3):
            a, b = ahead.sample(t + s / 90), level.sample(t + s / 90)
        assert np.abs(a.positions - b.positions).max() < np.radians(3)


def test_a_late_sample_finds_the_head_on_its_way_to_rest() -> None:
    mapper = started()
    run(mapper, lambda t: NOD * np.sin(2 * np.pi * t), 3.0)
    points = mapper.trajectory(3.01)
    late = mapper.sample(3.01 + 0.4)
    np.testing.assert_allclose(late.positions, points[-1].positions, atol=1e-9)
    np.testing.assert_allclose(late.velocities, 0.0, atol=1e-9)


def check_trajectory(points: list[JointTarget], robot: Robot) -> None:
    times = np.array([point.time_from_start for point in points])
    assert times[0] == pytest.approx(1 / robot.rate)
    assert (np.diff(times) > 0).all()
    assert times[-1] < 1.5
    np.testing.assert_allclose(points[-1].velocities, 0.0, atol=1e-9)
    np.testing.assert_allclose(points[-1].accelerations, 0.0, atol=1e-9)
    positions = np.array([point.positions for point in points])
    for joint, position in zip(robot.joints, positions.T, strict=True):
        limit = joint.limits.position
        assert ((limit.min <= position) & (position <= limit.max)).all()
        assert (np.abs(np.diff(position)) <= joint.limits.velocity.max * np.diff(times)).all()


@pytest.mark.parametrize("name", ["generic", "tiago"])
def test_a_trajectory_begins_with_the_sample_and_ends_at_rest(name: str) -> None:
    mapper = started(name)
    check_trajectory(mapper.trajectory(0.005), mapper.robot)
    run(mapper, lambda t: NOD * np.sin(2 * np.pi * t), 3.1)
    for k in range(1, 60):
        points = mapper.trajectory(3.1 + k / 100)
        check_trajectory(points, mapper.robot)
        np.testing.assert_array_equal(points[0].positions, mapper.sample(3.1 + k / 100).positions)


def test_expression_shapes_drive_joints(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "config/robots/generic.yaml").read_text()
    path = tmp_path / "face.yaml"
    path.write_text(text.replace("drive: {roll: 1.0}", "drive: {jawOpen: 0.3, mouthSmileLeft: -0.1}"))
    mapper = JointMapper(load_robot(path))
    mapper.start([0.0, 0.0, 0.0], 0.0)
    for k in range(60):
        mapper.update(listener(jawOpen=2.0, mouthSmileLeft=0.5), k / 30)
        for s in range(3):
            target = mapper.sample(k / 30 + s / 90)
    assert target.positions[2] == pytest.approx(0.3 - 0.05, abs=0.01)


def test_a_model_without_arkit_shapes_moves_the_head_alone() -> None:
    layout = LAYOUTS["bfm2009"]
    assert layout.expression_names != ARKIT_NAMES
    mapper = started()
    motion = layout.neutral()
    for k in range(45):
        motion[layout.rotation] = (0.1 * min(1.0, k / 15), 0.0, 0.0)
        mapper.update(Coefficients.from_motion("bfm2009", motion), k / 30)
        for s in range(3):
            target = mapper.sample(k / 30 + s / 90)
    assert mapper.ignored == 0
    assert target.positions[pitch_joint(mapper.robot)[0]] > 0.05


def test_what_would_move_on_a_guess_is_refused() -> None:
    mapper = JointMapper(load_robot("tiago"))
    with pytest.raises(UserError, match="call start with the measured positions"):
        mapper.sample(0.0)
    with pytest.raises(UserError, match="tiago has head_1_joint, head_2_joint"):
        mapper.start([0.0], 0.0)
    with pytest.raises(UserError, match="'head_2_joint' is at 2 rad, outside its limits"):
        mapper.start([0.0, 2.0], 0.0)
    with pytest.raises(UserError, match="'head_1_joint' is at nan rad"):
        mapper.start([float("nan"), 0.0], 0.0)
    mapper.start([0.0, 0.0], 0.0)
    with pytest.raises(UserError, match="time is nan"):
        mapper.sample(float("nan"))
    with pytest.raises(UserError, match="neutral_time_constant is 0"):
        JointMapper(load_robot("tiago"), neutral_time_constant=0.0)
