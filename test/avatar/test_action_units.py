"""Action units of ARKit shapes: what the face does, in FACS's codes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from listener_head.avatar import ArkitExpression, action_units
from listener_head.avatar.action_units import KNOWN
from listener_head.coefficients import ARKIT_NAMES, LAYOUTS, Coefficients
from listener_head.errors import UserError

STILL = np.zeros(3, np.float32)


def units(rotation=STILL, **named):
    weights = np.zeros(len(ARKIT_NAMES), np.float32)
    for name, value in named.items():
        weights[ARKIT_NAMES.index(name)] = value
    return action_units(weights, np.asarray(rotation, np.float32))


def test_a_still_face_is_neutral():
    assert units()[0] == 1
    assert not units()[1:].any()


@pytest.mark.parametrize(
    ("shapes", "unit", "intensity"),
    [
        ({"browInnerUp": 0.7}, 1, 0.7),
        ({"mouthSmileLeft": 0.8, "mouthSmileRight": 0.4}, 12, 0.6),
        ({"browDownLeft": 1.0, "browDownRight": 1.0}, 4, 1.0),
        ({"jawOpen": 0.5}, 26, 0.5),
        ({"jawOpen": 0.5}, 25, 0.5),
        ({"jawOpen": 0.5, "mouthClose": 0.5}, 25, 0.0),
        ({"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}, 45, 1.0),
        ({"eyeBlinkLeft": 1.0}, 45, 0.0),
        ({"eyeBlinkLeft": 1.0}, 46, 1.0),
        ({"eyeLookOutLeft": 0.6, "eyeLookInRight": 0.6}, 61, 0.6),
        ({"eyeLookOutLeft": 0.6, "eyeLookInRight": 0.6}, 62, 0.0),
        ({"eyeLookInLeft": 0.6, "eyeLookInRight": 0.6}, 66, 0.6),
    ],
)
def test_the_unit_of_a_shape(shapes, unit, intensity):
    assert units(**shapes)[unit] == pytest.approx(intensity)
    assert KNOWN[unit]


@pytest.mark.parametrize(
    ("rotation", "unit"),
    [
        pytest.param((0.2, 0, 0), 54, id="down"),
        pytest.param((-0.2, 0, 0), 53, id="up"),
        pytest.param((0, 0.2, 0), 52, id="right"),
        pytest.param((0, -0.2, 0), 51, id="left"),
        pytest.param((0, 0, 0.2), 55, id="tilt left"),
        pytest.param((0, 0, -0.2), 56, id="tilt right"),
    ],
)
def test_the_head_turns_to_the_persons_own_sides(rotation, unit):
    found = units(rotation)
    assert found[unit] == pytest.approx(0.2 / (np.pi / 4), abs=1e-3)
    assert not np.delete(found[51:57], unit - 51).any()


@settings(deadline=None)
@given(
    arrays(np.float32, len(ARKIT_NAMES), elements=st.floats(0, 1, width=32)),
    arrays(np.float32, 3, elements=st.floats(-3, 3, width=32)),
)
def test_intensities_stay_between_nothing_and_all(weights, rotation):
    found = action_units(weights, rotation)
    assert found.shape == (99,)
    assert ((found >= 0) & (found <= 1)).all()
    assert not found[~KNOWN].any()


def test_a_listener_of_another_face_model_needs_that_model():
    face = Coefficients.from_motion("bfm2009", LAYOUTS["bfm2009"].neutral())
    with pytest.raises(UserError, match="BFM_model_front"):
        ArkitExpression().of(face)


@pytest.mark.parametrize("expression", [np.zeros(7, np.float32), np.full(52, np.nan, np.float32)])
def test_an_expression_that_cannot_be_used_is_refused(expression):
    face = Coefficients.from_motion("arkit52", LAYOUTS["arkit52"].neutral())
    face.expression = expression
    with pytest.raises(UserError, match="52"):
        ArkitExpression().of(face)
