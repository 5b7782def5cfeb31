"""Packets of the Live Link Face protocol, read by a parser written from the format alone."""

import importlib
import socket
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from listener_head.avatar import LiveLinkEncoder, LiveLinkSender
from listener_head.coefficients import ARKIT_NAMES
from listener_head.errors import UserError

STAMP_NS = 1_700_000_000_123_456_789
STILL = np.zeros(3, np.float32)
# Unreal's EARFaceBlendShape, from 52 on.
ANGLES = [
    "HeadYaw", "HeadPitch", "HeadRoll",
    "LeftEyeYaw", "LeftEyePitch", "LeftEyeRoll", "RightEyeYaw", "RightEyePitch", "RightEyeRoll",
]  # fmt: skip


def parse(packet):
    """Version, device, subject, (frame, sub-frame, rate, denominator) and values by name of a packet."""
    version, packet = packet[0], packet[1:]
    texts = []
    for _ in range(2):
        (length,) = struct.unpack_from("!i", packet)
        texts.append(packet[4 : 4 + length].decode())
        packet = packet[4 + length :]
    time = struct.unpack_from("!ifii", packet)
    assert packet[16] == 61
    values = struct.unpack("!61f", packet[17:])
    return version, *texts, time, dict(zip([*ARKIT_NAMES, *ANGLES], values, strict=True))


def weights(**named):
    result = np.zeros(len(ARKIT_NAMES), np.float32)
    for name, value in named.items():
        result[ARKIT_NAMES.index(name)] = value
    return result


@settings(deadline=None)
@given(
    shapes=arrays(np.float32, len(ARKIT_NAMES), elements=st.floats(0, 1, width=32)),
    rotation=arrays(np.float32, 3, elements=st.floats(-1, 1, width=32)),
    stamp_ns=st.integers(0, 2**62),
    subject=st.text(st.characters(codec="utf-8"), min_size=1, max_size=60),
)
def test_every_face_comes_back_out_of_its_packet(shapes, rotation, stamp_ns, subject):
    version, device, name, time, values = parse(LiveLinkEncoder(subject).encode(shapes, rotation, stamp_ns))
    assert version == 6
    assert len(device) == 36  # readers take the device id to be a UUID
    assert name == subject
    assert np.array_equal(np.float32([values[shape] for shape in ARKIT_NAMES]), shapes)
    assert np.isfinite(list(values.values())).all()
    frame, sub_frame, rate, denominator = time
    assert (rate, denominator) == (30, 1)
    assert 0 <= sub_frame <= 1
    of_day = stamp_ns % (24 * 3600 * 10**9) / 1e9
    assert (frame + sub_frame) / 30 == pytest.approx(of_day, abs=1e-3)


def test_the_head_turns_as_the_app_says():
    encode = LiveLinkEncoder("x").encode
    # Our rotation: pitch down, yaw to the person's own right, roll to the person's own left.
    for axis, name in enumerate(("HeadPitch", "HeadYaw", "HeadRoll")):
        rotation = STILL.copy()
        rotation[axis] = 0.3
        values = parse(encode(weights(), rotation, STAMP_NS))[-1]
        turned = {key: value for key, value in values.items() if abs(value) > 1e-6}
        assert turned == {name: pytest.approx(0.3)}


def test_the_eyes_turn_with_the_shapes_that_look():
    encode = LiveLinkEncoder("x").encode
    own_left = parse(encode(weights(eyeLookOutLeft=1.0, eyeLookInRight=1.0), STILL, STAMP_NS))[-1]
    assert own_left["LeftEyeYaw"] < -0.5
    assert own_left["LeftEyeYaw"] == own_left["RightEyeYaw"]
    down = parse(encode(weights(eyeLookDownLeft=1.0, eyeLookDownRight=1.0), STILL, STAMP_NS))[-1]
    assert down["LeftEyePitch"] > 0.5
    assert down["LeftEyePitch"] == down["RightEyePitch"]


def test_an_independent_reader_agrees():
    try:
        reader = importlib.import_module("pylivelinkface")
    except ImportError:
        pytest.skip("pylivelinkface is not installed")
    shapes = np.linspace(0, 1, len(ARKIT_NAMES), dtype=np.float32)
    packet = LiveLinkEncoder("listener").encode(shapes, np.float32([0.1, -0.2, 0.05]), STAMP_NS)
    found, face = reader.PyLiveLinkFace.decode(packet)
    assert found
    assert face._blend_shapes[:52] == pytest.approx(shapes.tolist())
    for shape in reader.FaceBlendShape:
        own = shape.name[0].lower() + shape.name[1:]
        if own in ARKIT_NAMES:
            assert face.get_blendshape(shape) == pytest.approx(shapes[ARKIT_NAMES.index(own)])
    assert face.get_blendshape(reader.FaceBlendShape.HeadPitch) == pytest.approx(0.1, abs=0.02)
    assert face.get_blendshape(reader.FaceBlendShape.HeadYaw) == pytest.approx(-0.2, abs=0.02)


@pytest.mark.parametrize("subject", ["", "x" * 257, "ö" * 129])
def test_a_subject_that_cannot_be_sent_is_refused(subject):
    with pytest.raises(UserError, match="bytes"):
        LiveLinkEncoder(subject)


@pytest.mark.parametrize(("host", "port"), [("no.such.host.invalid", 11111), ("", 0), ("a" * 300, 1)])
def test_an_address_that_is_none_is_refused(host, port):
    with pytest.raises(UserError):
        LiveLinkSender(host, port)


def test_a_closed_port_costs_nothing():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    sender = LiveLinkSender("127.0.0.1", port)
    assert [sender.send(b"x" * 300) for _ in range(50)] == [""] * 50
    sender.close()
