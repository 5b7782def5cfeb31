"""The gains of a session: how much of the predicted motion is made."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listener_head.coefficients import LAYOUTS
from listener_head.errors import UserError
from listener_head.listener import ListenerSession, load_listener
from listener_head.policies import load_policy
from listener_head.timing import grid_time_ns

LAYOUT = LAYOUTS["arkit52"]
START = 51_000_000_000
LIDS = [LAYOUT.index(name) for name in LAYOUT.expression_names if name.startswith("eyeBlink")]
FACE = [i for i in range(LAYOUT.expression.start, LAYOUT.expression.stop) if i not in LIDS]
HEAD = [i for i in range(len(LAYOUT.neutral())) if not LAYOUT.expression.start <= i < LAYOUT.expression.stop]


@pytest.fixture(scope="module")
def signals(random_signals):
    audio, speaker = random_signals(300)
    kernel = np.hanning(15) / np.hanning(15).sum()
    return [np.apply_along_axis(np.convolve, 0, part, kernel, "same") for part in (audio, speaker)]


def answers(signals, changes=None, steps=200):
    """Motion [T, M] of a session; ``changes`` maps steps to what is done before them."""
    session = ListenerSession(load_listener())
    audio, speaker = signals
    made = []
    for step in range(steps):
        for change in (changes or {}).get(step, ()):
            change(session)
        session.observe(grid_time_ns(START + step), speaker[step])
        made.append(session.step(START + step, audio[step]).motion)
    return np.stack(made), session


def gains(head, expression):
    return [lambda session: session.set_gains(head, expression)]


def test_gains_of_one_change_nothing(signals):
    plain, _ = answers(signals)
    with_ones, _ = answers(signals, {0: gains(1.0, 1.0), 50: gains(1.0, 1.0)})
    assert np.array_equal(plain, with_ones)


def test_head_and_face_have_their_own_gain_and_blinks_stay_whole(signals):
    plain, session = answers(signals)
    reference = session.listener.reference
    head_alone, _ = answers(signals, {0: gains(2.0, 0.0)})
    settled = slice(120, None)
    assert np.allclose(
        (head_alone - reference)[settled, HEAD], 2 * (plain - reference)[settled, HEAD], atol=1e-5
    )
    assert np.allclose(head_alone[settled, FACE], reference[FACE], atol=1e-6)
    assert np.array_equal(head_alone[:, LIDS], plain[:, LIDS])
    assert np.ptp((plain - reference)[settled, HEAD]) > 0.01


def test_a_change_is_smooth(signals):
    changing, _ = answers(signals, {60: gains(2.0, 2.0), 100: gains(0.0, 0.0), 115: gains(1.5, 0.5)})
    steady, _ = answers(signals, {0: gains(2.0, 2.0)})
    corners = np.abs(np.diff(changing[:, LAYOUT.rotation], n=2, axis=0)).max()
    # No sharper than the motion itself at the largest gain, but for the gain's own speed.
    assert corners < 1.5 * np.abs(np.diff(steady[:, LAYOUT.rotation], n=2, axis=0)).max()
    assert np.abs(np.diff(changing[:, LAYOUT.rotation], axis=0)).max() < 0.05


@settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0, 100), st.floats(0, 100))
def test_no_gain_takes_the_face_out_of_its_bounds(signals, head, expression):
    made, _ = answers(signals, {5: gains(head, expression)}, steps=40)
    assert np.isfinite(made).all()
    assert made[:, LAYOUT.expression].min() >= 0 and made[:, LAYOUT.expression].max() <= 1


@pytest.mark.parametrize("gain", [-0.1, np.nan, np.inf])
def test_a_gain_that_is_none_is_refused(gain):
    with pytest.raises(UserError, match="the gain of the expression"):
        ListenerSession(load_listener()).set_gains(1.0, gain)


def test_another_policy_goes_on_where_the_listener_was(signals):
    def mirror(session):
        session.use(load_policy("mirror"))

    made, session = answers(signals, {100: [mirror], 150: gains(0.5, 0.5)})
    assert session.listener.name == "mirror"
    turned = made[:, LAYOUT.rotation]
    before = np.abs(np.diff(turned[:100], axis=0)).max()
    assert np.abs(turned[100] - turned[99]).max() < max(2 * before, 0.02)


def test_switched_off_life_leaves_the_motion_alone(signals):
    from listener_head.listener.liveliness import Liveliness

    audio, speaker = signals
    lively = ListenerSession(load_listener(), liveliness=Liveliness(LAYOUT, 3))
    plain = ListenerSession(load_listener())
    lively.lively = False
    for step in range(20):
        pair = []
        for session in (lively, plain):
            session.observe(grid_time_ns(START + step), speaker[step])
            pair.append(session.step(START + step, audio[step]).motion)
        assert np.array_equal(*pair)
