"""Stamps of a computer whose clock differs: said once, shown in the diagnostics, and the graph goes on."""

from array import array

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from listener_head.msg import AudioChunk, AudioFeatures, FaceCoefficients, ListenerState
from sensor_msgs.msg import Image

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.ros import qos
from listener_head.ros.convert import to_message
from listener_head.ros.stamps import to_ns, to_stamp
from listener_head.timing import NS_PER_S, RATE_HZ

RATE = 16_000


@pytest.fixture
def diagnosed(bench):
    """Statuses by the name of the node, the newest."""
    statuses = {}

    def take(array):
        statuses.update({status.name: status for status in array.status})

    bench.probe.create_subscription(DiagnosticArray, "/diagnostics", take, qos.RESULT)
    return statuses


def now_ns(bench):
    return bench.probe.get_clock().now().nanoseconds


@pytest.mark.parametrize("ahead_s", [5.0, -3e7])
def test_the_listener_listens_to_a_speaker_of_another_clock(bench, diagnosed, capfd, ahead_s):
    bench.start("listener", diagnostics_rate=10.0)
    states = bench.listen(ListenerState, "listener/state", qos.RESULT)
    speaker = bench.speak(FaceCoefficients, "speaker/coefficients", qos.RESULT)

    def show():
        stamp_ns = now_ns(bench) + round(ahead_s * NS_PER_S)
        face = Coefficients.from_motion("arkit52", LAYOUTS["arkit52"].neutral())
        speaker.publish(to_message(face, stamp_ns, stamp_ns, "camera"))

    timer = bench.probe.create_timer(1 / RATE_HZ, show)
    bench.until(lambda: states and states[-1].mode == ListenerState.MODE_LISTENING, "the mode listening")
    age_s = (now_ns(bench) - to_ns(states[-1].source_stamp)) / NS_PER_S
    assert -0.1 < age_s < 0.5  # on this node's clock

    def shown():
        status = diagnosed.get("/listener")
        return status is not None and "speaker/coefficients: stamps are" in status.message

    bench.until(shown, "the diagnostics")
    status = diagnosed["/listener"]
    assert status.level == DiagnosticStatus.WARN
    values = {value.key: value.value for value in status.values}
    assert float(values["clock_difference_s: speaker/coefficients"]) == pytest.approx(-ahead_s, abs=0.5)
    timer.cancel()
    assert capfd.readouterr().err.count("speaker/coefficients: stamps are") == 1


def test_sound_of_another_clock_comes_to_stand_on_this_one(bench):
    bench.start("audio_features")
    features = bench.listen(AudioFeatures, "speaker/audio_features", qos.RESULT)
    sound = bench.speak(AudioChunk, "speaker/audio", qos.SOUND)
    period_ns = NS_PER_S // 50
    samples = array("h", np.random.default_rng(0).integers(-9000, 9000, RATE // 50, np.int16).tobytes())
    start_ns = now_ns(bench) + 60 * NS_PER_S
    sent = 0

    def speak():
        nonlocal sent
        chunk = AudioChunk(sample_rate=RATE, channels=1, samples=samples)
        chunk.header.stamp = to_stamp(start_ns + sent * period_ns)
        sound.publish(chunk)
        sent += 1

    timer = bench.probe.create_timer(period_ns / NS_PER_S, speak)
    bench.until(
        lambda: features and abs(to_ns(features[-1].header.stamp) - now_ns(bench)) < NS_PER_S // 2,
        "features on this clock",
    )
    count = len(features)
    bench.until(lambda: len(features) > count + 15, "more of them")
    timer.cancel()
    stamps = np.array([to_ns(feature.header.stamp) for feature in features[count:]])
    assert np.allclose(np.diff(stamps), NS_PER_S / RATE_HZ, atol=2)  # one per instant of the grid


def test_images_of_another_clock(bench):
    node = bench.start("face_fit")
    faces = bench.listen(FaceCoefficients, "speaker/coefficients", qos.RESULT)
    camera = bench.speak(Image, "speaker/image", qos.IMAGE)
    image = Image(height=48, width=64, encoding="mono8", step=64, data=array("B", bytes(48 * 64)))

    def show():
        image.header.stamp = to_stamp(now_ns(bench) - 100 * NS_PER_S)
        camera.publish(image)

    def agrees():
        return faces and abs(to_ns(faces[-1].header.stamp) - now_ns(bench)) < NS_PER_S // 2

    bench.feed(node, show, agrees, "coefficients on this clock")
    assert faces[-1].source_stamp == faces[-1].header.stamp


def test_a_clock_that_nobody_drives_is_named(bench, diagnosed):
    bench.start("simulated_robot", use_sim_time=True, diagnostics_rate=10.0)
    bench.until(lambda: "/simulated_robot" in diagnosed, "diagnostics")
    assert "nobody publishes /clock" in diagnosed["/simulated_robot"].message
