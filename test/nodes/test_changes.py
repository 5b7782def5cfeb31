"""Parameters that change at run time take effect."""

import time

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PointStamped
from listener_head.msg import Attitude, FaceCoefficients, ListenerState
from sensor_msgs.msg import Image, JointState

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.ros import qos
from listener_head.ros.convert import to_message
from listener_head.ros.stamps import to_ns
from listener_head.timing import NS_PER_S, RATE_HZ, grid_time_ns

# Turned, so that a gain has something to change.
FACE = LAYOUTS["arkit52"].neutral() + np.array([0.1, 0.2, 0.05, *np.zeros(55)], np.float32)


@pytest.fixture
def watched(bench):
    """A listener with a speaker before it, and what it publishes."""
    bench.start("listener", liveliness=False)
    speaker = bench.speak(FaceCoefficients, "speaker/coefficients", qos.RESULT)

    def show():
        now_ns = bench.probe.get_clock().now().nanoseconds
        speaker.publish(to_message(Coefficients.from_motion("arkit52", FACE), now_ns, now_ns, "camera"))

    timer = bench.probe.create_timer(1 / RATE_HZ, show)
    states = bench.listen(ListenerState, "listener/state", qos.RESULT)
    faces = bench.listen(FaceCoefficients, "listener/coefficients", qos.RESULT)
    bench.until(lambda: any(state.mode == ListenerState.MODE_LISTENING for state in states), "listening")
    yield states, faces
    timer.cancel()


def test_the_attitude_by_parameter_and_by_topic(bench):
    node = bench.start("listener")
    states = bench.listen(ListenerState, "listener/state", qos.RESULT)
    bench.change("listener", "attitude", "positive")
    bench.until(lambda: states and states[-1].attitude == Attitude.POSITIVE, "the parameter's attitude")
    topic = bench.speak(Attitude, "attitude", qos.LATCHED)
    topic.publish(Attitude(attitude=Attitude.NEGATIVE))
    bench.until(lambda: states[-1].attitude == Attitude.NEGATIVE, "the topic's attitude")
    assert node.value("attitude") == "negative"


def test_the_policy(bench, watched):
    states, _ = watched
    bench.change("listener", "policy", "mirror")
    bench.until(lambda: states[-1].network == "mirror", "the other policy")
    assert not bench.set("listener", "policy", "wise").successful
    assert states[-1].network == "mirror"


def test_the_gains(bench, watched):
    _, faces = watched
    bench.until(lambda: spread(faces[-10:]) > 0, "motion")
    bench.change("listener", "head_gain", 0.0)
    bench.change("listener", "expression_gain", 0.0)
    bench.until(lambda: spread(faces[-10:]) < 1e-6, "stillness")
    count = len(faces)
    bench.change("listener", "head_gain", 2.0)
    bench.until(lambda: spread(faces[count:]) > 1e-3, "motion again")


def spread(faces):
    """The largest range of an angle [rad]."""
    return np.ptp([face.rotation for face in faces], axis=0).max() if len(faces) > 9 else np.inf


def test_liveliness(bench):
    bench.start("listener")
    faces = bench.listen(FaceCoefficients, "listener/coefficients", qos.RESULT)
    bench.until(lambda: len(faces) > 20, "an idle listener")
    assert spread(faces) > 0
    bench.change("listener", "liveliness", False)
    bench.until(lambda: spread(faces[-10:]) == 0, "stillness")
    bench.change("listener", "liveliness", True)
    bench.until(lambda: spread(faces[-10:]) > 0, "life")


def test_the_step_delay(bench):
    bench.start("listener", step_delay=0.0)
    delays_s = []

    def take(state):
        step_ns = to_ns(state.header.stamp) - NS_PER_S // RATE_HZ
        delays_s.append((bench.probe.get_clock().now().nanoseconds - step_ns) / NS_PER_S)

    bench.probe.create_subscription(ListenerState, "listener/state", take, qos.RESULT)
    bench.until(lambda: len(delays_s) > 15, "steps")
    assert min(delays_s) < 0.029
    bench.change("listener", "step_delay", 0.03)
    delays_s.clear()
    bench.until(lambda: len(delays_s) > 15, "later steps")
    # The first may be of a step that was under way.
    assert min(delays_s[1:]) > 0.0299


def test_the_rate_of_diagnostics(bench):
    bench.start("simulated_robot")
    arrivals = []
    bench.probe.create_subscription(
        DiagnosticArray, "/diagnostics", lambda _: arrivals.append(time.monotonic()), qos.RESULT
    )
    bench.change("simulated_robot", "diagnostics_rate", 10.0)
    bench.until(lambda: len(arrivals) > 6, "diagnostics")
    assert np.median(np.diff(arrivals[1:])) < 0.3


def test_the_rate_of_pictures(bench):
    bench.start("renderer", size=16, device="cpu", rate=10.0)
    pictures = bench.listen(Image, "listener/image", qos.RESULT)
    listener = bench.speak(FaceCoefficients, "listener/coefficients", qos.RESULT)
    face = Coefficients.from_motion("arkit52", FACE)

    def drawn(indices):
        """Of grid instants, those of which there are pictures, when there is one of the last."""
        pictures.clear()
        for index in indices:
            listener.publish(to_message(face, grid_time_ns(index), None, "camera"))
        last = grid_time_ns(indices[-1])
        bench.until(lambda: any(to_ns(picture.header.stamp) == last for picture in pictures), "a picture")
        return len(pictures)

    first = 51_000_000_002  # every third is drawn, this one and the others given last here
    assert drawn([first]) == 1
    assert drawn([first + 1, first + 2, first + 3]) == 1
    bench.change("renderer", "rate", 30.0)
    assert drawn([first + 4]) == 1
    assert drawn([first + 5]) == 1


def test_looking_at_the_speaker(bench):
    bench.start("simulated_robot")
    bench.start("joint_mapper", simulated=True)
    states = bench.listen(JointState, "joint_states", qos.RESULT)
    listener = bench.speak(FaceCoefficients, "listener/coefficients", qos.RESULT)
    speaker = bench.speak(PointStamped, "speaker/position", qos.RESULT)
    place = PointStamped()
    place.header.frame_id = "torso_link"
    place.point.x, place.point.y, place.point.z = 1.0, 1.0, 0.5

    def show():
        now = bench.probe.get_clock().now()
        face = Coefficients.from_motion("arkit52", LAYOUTS["arkit52"].neutral())
        listener.publish(to_message(face, now.nanoseconds, now.nanoseconds, "camera"))
        place.header.stamp = now.to_msg()
        speaker.publish(place)

    timer = bench.probe.create_timer(1 / RATE_HZ, show)
    count = len(states)
    bench.until(lambda: len(states) > count + 100, "a second")
    assert abs(states[-1].position[0]) < 0.01
    bench.change("joint_mapper", "look_at_speaker", True)
    bench.until(lambda: abs(states[-1].position[0]) > 0.3, "the head turned to the speaker")
    bench.change("joint_mapper", "look_at_speaker", False)
    bench.until(lambda: abs(states[-1].position[0]) < 0.1, "the head back")
    timer.cancel()
