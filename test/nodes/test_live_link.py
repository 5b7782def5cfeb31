import socket
import struct

import numpy as np
import pytest
from listener_head.msg import FaceCoefficients

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.ros import qos
from listener_head.ros.convert import float_array, to_message

LAYOUT = LAYOUTS["arkit52"]


@pytest.fixture
def avatar():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.setblocking(False)
        yield receiver


def received(avatar):
    try:
        return avatar.recv(1000)
    except BlockingIOError:
        return None


def test_each_face_becomes_a_packet(bench, avatar):
    bench.start("live_link", port=avatar.getsockname()[1], subject="robin")
    faces = bench.speak(FaceCoefficients, "listener/coefficients", qos.RESULT)
    motion = LAYOUT.neutral()
    motion[LAYOUT.index("jawOpen")] = 0.75
    faces.publish(to_message(Coefficients.from_motion("arkit52", motion), 10**18, None, "camera"))
    packets = []
    bench.until(lambda: packets.append(received(avatar)) or packets[-1], "a packet")
    assert b"robin" in packets[-1]
    values = struct.unpack("!61f", packets[-1][-61 * 4 :])
    assert values[LAYOUT.expression_names.index("jawOpen")] == pytest.approx(0.75)


def test_a_face_that_cannot_be_sent_is_refused_and_the_next_goes_out(bench, avatar):
    node = bench.start("live_link", port=avatar.getsockname()[1])
    faces = bench.speak(FaceCoefficients, "listener/coefficients", qos.RESULT)
    good = to_message(Coefficients.from_motion("arkit52", LAYOUT.neutral()), 1, None, "camera")
    cut_off = to_message(Coefficients.from_motion("arkit52", LAYOUT.neutral()), 1, None, "camera")
    cut_off.expression = float_array(np.zeros(7))
    basel = Coefficients.from_motion("bfm2009", LAYOUTS["bfm2009"].neutral())
    faces.publish(cut_off)
    bench.until(lambda: node.counts["refused"] == 1, "the refusal of seven shapes")
    faces.publish(to_message(basel, 1, None, "camera"))
    bench.until(lambda: node.counts["refused"] == 2, "the refusal of another face model")
    assert "BFM_model_front.mat" in node.problem
    assert received(avatar) is None
    faces.publish(good)
    bench.until(lambda: received(avatar) is not None, "a packet")


def test_nobody_at_the_port_does_not_matter(bench):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    node = bench.start("live_link", port=port)
    faces = bench.speak(FaceCoefficients, "listener/coefficients", qos.RESULT)
    message = to_message(Coefficients.from_motion("arkit52", LAYOUT.neutral()), 1, None, "camera")
    for count in (1, 2, 3):
        faces.publish(message)
        bench.until(lambda count=count: node.counts["packets"] == count, "the next packet")
    assert not node.counts["refused"]


def test_a_host_that_is_none_is_named(bench):
    node = bench.configured("live_link", host="no.such.host.invalid")
    assert not node.bring_up()
    assert "no.such.host.invalid" in node.problem
