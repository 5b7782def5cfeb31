import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.errors import UserError
from listener_head.robot import SimulatedHead, load_robot

TIAGO = load_robot("tiago")


def test_it_reaches_its_command_and_rests_there() -> None:
    head = SimulatedHead(load_robot("generic"))
    np.testing.assert_array_equal(head.positions, head.robot.neutral)
    head.command([0.3, -0.2, 0.1])
    for _ in range(100):
        head.step(0.01)
    np.testing.assert_allclose(head.positions, [0.3, -0.2, 0.1], atol=1e-6)
    np.testing.assert_allclose(head.velocities, 0.0, atol=1e-4)


def test_the_length_of_the_step_does_not_matter() -> None:
    fine, coarse = SimulatedHead(load_robot("generic")), SimulatedHead(load_robot("generic"))
    for head in (fine, coarse):
        head.command([0.01, 0.01, 0.01])
    for _ in range(10):
        fine.step(0.001)
    coarse.step(0.01)
    np.testing.assert_allclose(fine.positions, coarse.positions, atol=1e-12)


@settings(max_examples=200, deadline=None)
@given(
    commands=st.lists(st.tuples(*[st.floats(-1e6, 1e6)] * 2), min_size=1, max_size=20),
    dt=st.floats(1e-4, 1.0),
)
def test_it_stays_within_position_and_velocity_limits(commands: list[tuple[float, float]], dt: float) -> None:
    head = SimulatedHead(TIAGO)
    for command in commands:
        before = head.positions
        head.command(command)
        head.step(dt)
        for joint, position, velocity in zip(head.robot.joints, head.positions, head.velocities, strict=True):
            assert joint.limits.position.min <= position <= joint.limits.position.max
            assert abs(velocity) <= joint.limits.velocity.max * (1 + 1e-12)
        np.testing.assert_allclose(head.positions - before, head.velocities * dt, atol=1e-12)


def test_what_does_not_suit_it_is_refused() -> None:
    head = SimulatedHead(load_robot("tiago"))
    with pytest.raises(UserError, match="needs head_1_joint, head_2_joint in rad"):
        head.command([0.0])
    with pytest.raises(UserError, match="does not suit"):
        head.command([0.0, float("nan")])
    with pytest.raises(UserError, match="step of 0 s"):
        head.step(0)
