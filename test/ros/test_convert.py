import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from listener_head.msg import FaceCoefficients

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.errors import UserError
from listener_head.ros.convert import from_message, to_message
from listener_head.ros.stamps import to_ns, to_stamp

numbers = st.floats(allow_nan=True, allow_infinity=True, width=32)


@given(st.integers(0, 2**31 * 10**9 - 1))
def test_stamps_keep_every_nanosecond(ns):
    assert to_ns(to_stamp(ns)) == ns


@pytest.mark.parametrize("face_model", LAYOUTS)
def test_coefficients_survive_the_message(face_model):
    rng = np.random.default_rng(0)
    sent = Coefficients.from_motion(face_model, rng.standard_normal(LAYOUTS[face_model].size), [1.0, -2.0])
    sent.confidence = 0.5
    message = to_message(sent, 1_500_000_000, 1_400_000_001, "camera", "7")
    received = from_message(message)
    assert np.array_equal(received.motion, sent.motion)
    assert received.identity.tolist() == [1.0, -2.0]
    assert received.confidence == 0.5
    assert received.valid
    assert to_ns(message.header.stamp) == 1_500_000_000
    assert to_ns(message.source_stamp) == 1_400_000_001
    assert (message.header.frame_id, message.face_id) == ("camera", "7")


def test_invalid_frames_keep_their_reason():
    received = from_message(to_message(Coefficients.invalid("arkit52", "no face"), 0, None, "camera"))
    assert not received.valid
    assert received.reason == "no face"


def test_wrong_size_is_refused_with_both_sizes():
    message = to_message(Coefficients.from_motion("arkit52", LAYOUTS["arkit52"].neutral()), 0, 0, "camera")
    message.expression = message.expression[:5]
    with pytest.raises(UserError, match="has 5 numbers; arkit52 needs 52"):
        from_message(message)


@given(
    st.lists(numbers, max_size=60),
    st.lists(numbers, min_size=3, max_size=3),
    st.sampled_from(["arkit52", "bfm2009", "", "flame"]),
    st.booleans(),
)
def test_no_message_gives_numbers_that_are_not_finite(expression, rotation, face_model, valid):
    message = FaceCoefficients(face_model=face_model, expression=expression, valid=valid)
    message.rotation = np.array(rotation, np.float32)
    try:
        coefficients = from_message(message)
    except UserError:
        return
    assert np.isfinite(coefficients.motion).all()
