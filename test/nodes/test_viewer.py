"""What the page is fed with, over real DDS; the page itself is tested in test/viewing."""

import json
import struct
from array import array

import numpy as np
from listener_head.msg import Attitude, AudioFeatures, FaceCoefficients, JointCommand, ListenerState
from sensor_msgs.msg import Image

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.compat import CvBridge
from listener_head.ros import qos
from listener_head.ros.convert import to_message
from listener_head.ros.stamps import to_ns, to_stamp
from listener_head.timing import NS_PER_S

PIXELS = np.full((48, 64, 3), 90, np.uint8)


def latest(stream):
    """The curves of the next message of a stream, and the kinds of its parts."""
    message, kinds, found = next(stream), [], {}
    while message:
        kind, length = struct.unpack_from("<cI", message)
        kinds.append(kind)
        if kind == b"j":
            found = json.loads(message[5 : 5 + length])
        message = message[5 + length :]
    return found, kinds


def test_curves_pictures_and_latency_of_a_graph(bench):
    node = bench.start("viewer", port=0, open_browser=False)
    motion = LAYOUTS["arkit52"].neutral()
    motion[0] = 0.1  # rad
    curves, kinds, states = {}, set(), {}

    def publish():
        now_ns = bench.probe.get_clock().now().nanoseconds
        source_ns = now_ns - NS_PER_S // 20
        face.publish(to_message(Coefficients.from_motion("arkit52", motion), now_ns, source_ns, "c"))
        command = JointCommand(names=["pan"], positions=array("d", [0.5]), source_stamp=to_stamp(source_ns))
        joints.publish(command)
        state.publish(
            ListenerState(mode=1, network="net", perception_ms=9.0, source_stamp=to_stamp(source_ns))
        )
        sound.publish(AudioFeatures(layout="paper45", values=array("f", [0.0] * 45), voice_activity=0.5))
        camera.publish(CvBridge().cv2_to_imgmsg(PIXELS, "bgr8"))

    with node._feed.watch() as stream:
        face = bench.speak(FaceCoefficients, "listener/coefficients", qos.RESULT)
        state = bench.speak(ListenerState, "listener/state", qos.RESULT)
        joints = bench.speak(JointCommand, "joint_commands", qos.RESULT)
        sound = bench.speak(AudioFeatures, "speaker/audio_features", qos.RESULT)
        camera = bench.speak(Image, "speaker/image", qos.IMAGE)

        def all_came():
            publish()
            found, parts = latest(stream)
            curves.update({key: points[-1][1:] for key, points in found["curves"].items()})
            states.update(found.get("state", {}))
            kinds.update(parts)
            return {"head", "face", "joints", "voice", "latency"} <= set(curves) and b"s" in kinds and ready()

        def ready():
            return curves["latency"][1] is not None and states.get("network") == "net"

        bench.until(all_came, "all curves and a picture")
    assert curves["head"] == [5.7296, 0.0, 0.0]
    assert curves["joints"] == [28.6479]
    assert curves["voice"] == [0.0, 0.5]  # energy 0 is full scale
    fitted, to_joints, to_picture = curves["latency"]
    assert fitted == 9.0
    assert to_joints >= 50.0
    assert to_picture is None  # no picture of the listener came
    assert (states["mode"], states["attitude"], states["names"]["joints"]) == (1, "positive", ["pan"])


def test_without_a_page_nobody_is_listened_to(bench):
    node = bench.start("viewer", port=0, open_browser=False)
    assert node.count_subscribers("joint_commands") == 0
    with node._feed.watch():
        joints = bench.speak(JointCommand, "joint_commands", qos.RESULT)
        broken = JointCommand(names=["pan", "tilt"], positions=array("d", [0.5]))

        def refused():
            joints.publish(broken)
            return node.counts["refused"] > 0

        bench.until(refused, "a refusal")
    bench.until(lambda: joints.get_subscription_count() == 0, "the end of the subscription")
    with node._feed.watch():
        bench.until(lambda: joints.get_subscription_count() == 1, "a subscription for the next page")


def test_an_attitude_is_kept_for_a_listener_that_starts_later(bench):
    node = bench.start("viewer", port=0, open_browser=False)
    node._set_attitude("negative")
    received = bench.listen(Attitude, "attitude", qos.LATCHED)
    bench.until(lambda: received, "the attitude")
    assert received[0].attitude == Attitude.NEGATIVE
    assert to_ns(received[0].header.stamp) > 0
