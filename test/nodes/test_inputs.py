"""What cameras and microphones send: by the type that is seen on the topic, and within bounds."""

import sys
from array import array
from contextlib import suppress
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from listener_head.msg import AudioChunk, AudioFeatures, FaceCoefficients
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState
from std_msgs.msg import String

from listener_head.audio import extract_features
from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.compat import CvBridge
from listener_head.render import HeadRenderer
from listener_head.ros import qos
from listener_head.ros.convert import from_message, positions_of, to_message, values_of
from listener_head.ros.interfaces import is_installed, message_type
from listener_head.ros.stamps import to_ns, to_stamp
from listener_head.timing import NS_PER_S, grid_time_ns, index_at_or_before

RATE = 16000
CHUNK = 480
FIRST = 9_000  # at a whole second, so that its instants round as those after zero do
START_NS = grid_time_ns(FIRST)


@pytest.fixture
def stranger(ros):
    """A node with a participant of its own, as in another process: one participant has one type a topic."""
    context = ros.context.Context()
    ros.init(context=context)
    node = ros.create_node("stranger", context=context)
    yield node
    node.destroy_node()
    ros.shutdown(context=context)


@pytest.fixture(scope="module")
def portrait():
    """The head in BGR, 240 x 240."""
    renderer = HeadRenderer(240)
    pixels = renderer.render(Coefficients.from_motion("arkit52", LAYOUTS["arkit52"].neutral()))
    renderer.close()
    return np.ascontiguousarray(pixels[..., ::-1])


def raw(pixels):
    return CvBridge().cv2_to_imgmsg(pixels, "bgr8")


def compressed(pixels):
    data = array("B", cv2.imencode(".jpg", pixels)[1].tobytes())
    return CompressedImage(format="bgr8; jpeg compressed bgr8", data=data)


def speak(bench, node, message, topic, profile):
    """A publisher of another process, once the node under test listens to it."""
    publisher = node.create_publisher(message, topic, profile)
    bench.until(lambda: publisher.get_subscription_count() > 0, f"a subscription to {topic}")
    return publisher


def watch(bench, node, publisher, message, faces):
    """Sends an image until a face comes of it."""
    start = len(faces)
    stamps = iter(range(NS_PER_S, 100 * NS_PER_S, NS_PER_S // 30))

    def publish():
        message.header.stamp = to_stamp(next(stamps))
        publisher.publish(message)

    bench.feed(node, publish, lambda: any(face.valid for face in faces[start:]), "a face")


def test_compressed_and_raw_images_are_taken_as_they_are_published(bench, stranger, portrait):
    node = bench.start("face_fit")
    faces = bench.listen(FaceCoefficients, "speaker/coefficients", qos.RESULT)
    for kind, message in ((CompressedImage, compressed(portrait)), (Image, raw(portrait))):
        camera = speak(bench, stranger, kind, "speaker/image", qos.IMAGE)
        watch(bench, node, camera, message, faces)
        stranger.destroy_publisher(camera)
        bench.until(lambda: not node.count_publishers("speaker/image"), "the publisher's end")
    assert node.counts["refused"] == 0


def test_image_transport_takes_the_topic_beside(bench, portrait):
    node = bench.start("face_fit", image_transport="compressed")
    faces = bench.listen(FaceCoefficients, "speaker/coefficients", qos.RESULT)
    camera = bench.speak(CompressedImage, "speaker/image/compressed", qos.IMAGE)
    watch(bench, node, camera, compressed(portrait), faces)


def test_a_transport_that_is_none_is_refused(bench):
    node = bench.configured("face_fit", image_transport="theora")
    assert not node.bring_up()
    assert "theora" in node.problem and "compressed" in node.problem


@pytest.mark.parametrize(
    ("executable", "topic", "expected"),
    [
        ("face_fit", "speaker/image", "sensor_msgs/msg/CompressedImage"),
        ("audio_features", "speaker/audio", "listener_head/msg/AudioChunk"),
    ],
)
def test_another_type_on_the_topic_is_named_once(bench, stranger, executable, topic, expected):
    node = bench.start(executable)
    stranger.create_publisher(String, topic, qos.RESULT)
    bench.until(lambda: node.counts["refused"] > 0, "a refusal")
    assert f"/{topic} has type std_msgs/msg/String" in node.problem and expected in node.problem
    seen = []
    node.create_timer(1.2, lambda: seen.append(True))  # two more looks at the graph
    bench.until(lambda: seen, "a while")
    assert node.counts["refused"] == 1


def test_a_type_whose_package_is_missing_names_the_package():
    with pytest.raises(ValueError, match=r"nowhere_msgs.*not installed.*ros-\$ROS_DISTRO-nowhere-msgs"):
        message_type("nowhere_msgs/msg/Thing")
    with pytest.raises(ValueError, match="std_msgs that is installed has no Thing"):
        message_type("std_msgs/msg/Thing")


# Sound of the two packages called audio_common_msgs, of which an installation has one at most.


def sound_package():
    """The name of the one whose messages are installed, or an empty string."""
    if not is_installed("audio_common_msgs"):
        return ""
    import audio_common_msgs.msg as messages

    return "mgonzs13" if hasattr(messages, "AudioStamped") else "ros-drivers"


def needs(package):
    reason = f"audio_common_msgs of {package} is not installed"
    return pytest.mark.skipif(sound_package() != package, reason=reason)


def audio_stamped(samples):
    from audio_common_msgs.msg import AudioStamped

    message = AudioStamped()
    message.audio.info.format, message.audio.info.channels, message.audio.info.rate = 8, 1, RATE
    message.audio.audio_data.int16_data = array("h", samples.tobytes())
    return message


def audio_data_stamped(samples):
    from audio_common_msgs.msg import AudioDataStamped

    message = AudioDataStamped()
    message.audio.data = array("B", samples.astype("<i2").tobytes())
    return message


def audio_data(samples):
    from audio_common_msgs.msg import AudioData

    return AudioData(data=array("B", samples.astype("<i2").tobytes()))


def talk(bench, node, publisher, make):
    """Sends a second of noise, after chunks of another time until one has come; returns the noise."""
    silence = np.zeros(CHUNK, np.int16)

    def heard():
        # Best effort: messages may be lost until both sides have found each other.
        publisher.publish(stamped(make(silence), START_NS - 100 * NS_PER_S))
        return node.counts["chunks"] > 0

    bench.until(heard, "the first chunk")
    samples = (3000 * np.random.default_rng(0).standard_normal(RATE)).astype(np.int16)
    for i in range(0, RATE - CHUNK, CHUNK):
        publisher.publish(stamped(make(samples[i : i + CHUNK]), START_NS + i * NS_PER_S // RATE))
        bench.executor.spin_once(timeout_sec=0.0)
    return samples


def stamped(message, stamp_ns):
    if hasattr(message, "header"):
        message.header.stamp = to_stamp(stamp_ns)
    return message


def features_from(bench, received, start_ns, count):
    def of_the_clip():
        return [message for message in received if to_ns(message.header.stamp) >= start_ns]

    bench.until(lambda: len(of_the_clip()) >= count, f"{count} feature vectors")
    return of_the_clip()


@needs("mgonzs13")
def test_audio_stamped_is_heard_as_our_own_chunks_are(bench, stranger):
    from audio_common_msgs.msg import AudioStamped

    check_stamped_sound(bench, stranger, AudioStamped, audio_stamped)


@needs("ros-drivers")
def test_audio_data_stamped_is_heard_once_its_info_is_known(bench, stranger):
    from audio_common_msgs.msg import AudioDataStamped, AudioInfo

    check_stamped_sound(
        bench,
        stranger,
        AudioDataStamped,
        audio_data_stamped,
        AudioInfo(channels=1, sample_rate=RATE, sample_format="S16LE", coding_format="WAVE"),
    )


def check_stamped_sound(bench, stranger, kind, make, info=None):
    node = bench.start("audio_features")
    received = bench.listen(AudioFeatures, "speaker/audio_features", qos.RESULT)
    sound = speak(bench, stranger, kind, "speaker/audio", qos.SOUND)
    if info is not None:
        speak(bench, stranger, type(info), "speaker/audio_info", qos.RESULT).publish(info)
    samples = talk(bench, node, sound, make)
    expected = extract_features(samples, RATE)
    for message in features_from(bench, received, START_NS, 27):
        index = index_at_or_before(to_ns(message.header.stamp))
        np.testing.assert_allclose(message.values, expected[index - FIRST], rtol=1e-4, atol=1e-4)


@needs("ros-drivers")
def test_bare_audio_data_has_its_rate_of_a_parameter_and_its_time_of_its_arrival(bench, stranger):
    from audio_common_msgs.msg import AudioData

    node = bench.start("audio_features", sample_rate=RATE)
    received = bench.listen(AudioFeatures, "speaker/audio_features", qos.RESULT)
    sound = speak(bench, stranger, AudioData, "speaker/audio", qos.SOUND)
    began_ns = node.get_clock().now().nanoseconds
    half_a_second = audio_data(np.full(RATE // 2, 1000, np.int16))

    def heard():
        sound.publish(half_a_second)
        bench.executor.spin_once(timeout_sec=0.05)
        return len(received) >= 10

    bench.until(heard, "ten feature vectors")
    stamps = [to_ns(message.header.stamp) for message in received]
    assert began_ns - NS_PER_S < stamps[0] < stamps[-1] < began_ns + 20 * NS_PER_S
    assert node.counts["refused"] == 0


@needs("ros-drivers")
def test_bare_audio_data_without_a_rate_says_what_to_give(bench, stranger):
    from audio_common_msgs.msg import AudioData

    node = bench.start("audio_features")
    talk(bench, node, speak(bench, stranger, AudioData, "speaker/audio", qos.SOUND), audio_data)
    bench.until(lambda: node.counts["refused"] > 0, "a refusal")
    assert "sample rate" in node.problem


@needs("mgonzs13")
@pytest.mark.parametrize("name", ["AudioData", "AudioInfo"])
def test_a_message_that_the_other_package_means_is_refused_by_name(name):
    with pytest.raises(ValueError, match="ros-drivers' package, but mgonzs13's"):
        message_type(f"audio_common_msgs/msg/{name}")


# Garbage, straight into the callbacks.


@pytest.fixture(scope="module")
def nodes(ros):
    """The two nodes, for direct calls."""
    from listener_head.nodes.audio_features import AudioFeatures as Ear
    from listener_head.nodes.face_fit import FaceFit

    made = Ear(), FaceFit()
    for node in made:
        assert node.bring_up(), node.problem
    yield made
    for node in made:
        node.trigger_shutdown()
        node.destroy_node()


def published(node, topic, message, act):
    """What a node publishes on a topic while ``act`` runs."""
    from rclpy.executors import SingleThreadedExecutor

    received = []
    subscription = node.create_subscription(message, topic, received.append, 100)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    act()
    for _ in range(100):
        executor.spin_once(timeout_sec=0.01)
    executor.remove_node(node)
    node.destroy_subscription(subscription)
    return received


STAMPS = st.tuples(st.integers(-(2**31), 2**31 - 1), st.integers(0, 2**32 - 1))


@given(
    stamp=STAMPS,
    rate=st.sampled_from([0, 1, 8000, 16000, 96000, 2**32 - 1]),
    channels=st.integers(0, 255),
    samples=st.binary(max_size=4000).map(lambda data: data[: len(data) // 2 * 2]),
)
@settings(deadline=None, max_examples=300)
def test_any_chunk_is_heard_or_refused_with_one_line(nodes, stamp, rate, channels, samples):
    ear, _ = nodes
    chunk = AudioChunk(sample_rate=rate, channels=channels, samples=array("h", samples))
    chunk.header.stamp.sec, chunk.header.stamp.nanosec = stamp
    ear.problem = ""
    ear._hear(chunk)
    assert "\n" not in ear.problem and len(ear.problem) < 400


def test_extreme_chunks_make_finite_features(nodes):
    ear, _ = nodes
    extremes = [np.full(CHUNK, value, np.int16) for value in (-32768, 32767, 0)]
    extremes.append(np.tile(np.array([32767, -32768], np.int16), CHUNK // 2))

    def send():
        for i, samples in enumerate(extremes * 10):
            chunk = AudioChunk(sample_rate=RATE, channels=1, samples=array("h", samples.tobytes()))
            chunk.header.stamp = to_stamp(START_NS + i * CHUNK * NS_PER_S // RATE)
            ear._hear(chunk)

    features = published(ear, "speaker/audio_features", AudioFeatures, send)
    assert len(features) > 20
    for message in features:
        assert np.isfinite([*message.values, message.voice_activity]).all()


def test_a_chunk_of_many_seconds_is_refused_before_it_is_heard(nodes):
    ear, _ = nodes
    ear._hear(AudioChunk(sample_rate=8000, channels=1, samples=array("h", bytes(2 * 80_002))))
    assert "too long for one message" in ear.problem


@given(
    stamp=STAMPS,
    height=st.integers(0, 2**32 - 1),
    width=st.integers(0, 2**32 - 1),
    step=st.integers(0, 2**32 - 1),
    encoding=st.sampled_from(["bgr8", "mono8", "yuv422"]) | st.text(max_size=300),
    frame_id=st.text(max_size=400),
    data=st.binary(max_size=100),
)
@settings(deadline=None, max_examples=200)
def test_an_image_that_lies_about_its_size_is_refused(
    nodes, stamp, height, width, step, encoding, frame_id, data
):
    _, eye = nodes
    image = Image(height=height, width=width, step=step, encoding=encoding, data=array("B", data))
    image.header.frame_id = frame_id
    image.header.stamp.sec, image.header.stamp.nanosec = stamp
    try:
        eye._fit(image)  # as its thread does, which hands what it raises to refused()
    except ValueError as problem:
        eye.refused(problem)
    assert eye.problem.isprintable() and len(eye.problem) < 500


@given(stamp=st.integers(0, 2**31 - 1), data=st.binary(max_size=400), format=st.text(max_size=100))
@settings(deadline=None, max_examples=100)
def test_a_picture_that_is_none_gives_coefficients_that_are_not_valid(nodes, stamp, data, format):
    _, eye = nodes
    image = CompressedImage(format=format, data=array("B", data))
    coefficients = eye.coefficients_of(image, stamp)
    assert not coefficients.valid and coefficients.reason.isprintable() and len(coefficients.reason) < 300
    assert len(eye.status()) < 40


OPENED = []
sys.addaudithook(lambda event, arguments: OPENED.append(str(arguments[0])) if event == "open" else None)


def test_no_path_in_a_message_is_opened(nodes, tmp_path):
    ear, eye = nodes
    path = tmp_path / "named"
    path.write_text("x")
    text = str(path)
    image = Image(height=1, width=1, step=3, encoding=text, data=array("B", bytes(3)))
    picture = CompressedImage(format=text, data=array("B", text.encode()))
    image.header.frame_id = picture.header.frame_id = text
    OPENED.clear()
    for message in (image, picture):
        with suppress(ValueError):
            eye._fit(message)
    eye._set_camera(CameraInfo(distortion_model=text, d=[0.1], k=[1.0] * 9, width=1, height=1))
    ear._hear(SimpleNamespace(data=array("B", text.encode())))
    face = FaceCoefficients(face_model=text, face_id=text, reason=text)
    with pytest.raises(ValueError, match="unknown"):
        from_message(face)
    assert text not in OPENED


# Between messages and numbers

ANY = st.floats(width=32)


def floats(size):
    return st.lists(ANY, min_size=size, max_size=size).map(lambda values: array("f", values))


def is_finite(message):
    fields = ("rotation", "translation", "expression", "crop", "identity", "texture", "lighting")
    arrays = [np.asarray(getattr(message, name)) for name in fields]
    return all(np.isfinite(each).all() for each in [*arrays, np.array(message.confidence)])


@given(
    expression=st.one_of(floats(52), floats(64), floats(3)),
    pose=floats(6),
    fixed=st.one_of(floats(0), floats(80), st.just(array("f", bytes(4 * 100_000)))),
    confidence=ANY,
    face_model=st.sampled_from(["arkit52", "bfm2009", "x" * 500, "\n"]),
    reason=st.text(max_size=500),
    valid=st.booleans(),
)
@settings(deadline=None, max_examples=300)
def test_coefficients_of_a_message_are_finite_and_none_that_are_not_leave(
    expression, pose, fixed, confidence, face_model, reason, valid
):
    message = FaceCoefficients(face_model=face_model, expression=expression, valid=valid, reason=reason)
    message.rotation, message.translation = np.array(pose[:3], np.float32), np.array(pose[3:], np.float32)
    message.identity, message.confidence = fixed, confidence
    try:
        taken = from_message(message)
    except ValueError as problem:
        assert str(problem).isprintable() and len(str(problem)) < 300
    else:
        answer = to_message(taken, 1, 1, "camera")
        assert is_finite(answer) and 0.0 <= answer.confidence <= 1.0
        assert answer.reason.isprintable() and len(answer.reason) < 300
    own = Coefficients.from_motion("arkit52", np.resize(np.array(pose, np.float32), 58))
    own.confidence = confidence
    assert is_finite(to_message(own, 1, 1, "camera"))


@given(ns=st.integers(-(2**80), 2**80))
def test_every_instant_has_a_stamp(ns):
    stamp = to_stamp(ns)
    assert 0 <= stamp.sec < 2**31 and 0 <= stamp.nanosec < NS_PER_S
    if 0 <= ns < 2**31 * NS_PER_S:
        assert to_ns(stamp) == ns


def test_joint_states_of_too_many_joints_are_refused():
    with pytest.raises(ValueError, match="1001 joints"):
        positions_of(JointState(name=["a"] * 1001))
    with pytest.raises(ValueError, match="5000 joints"):
        positions_of(JointState(name=["a"], position=array("d", bytes(8 * 5000))))
    assert positions_of(JointState(name=["a", "b"], position=[1.0])) == {"a": 1.0}


def test_audio_features_of_too_many_numbers_are_refused():
    with pytest.raises(ValueError, match="2000 numbers"):
        values_of(AudioFeatures(values=array("f", bytes(4 * 2000))))
    assert values_of(AudioFeatures(values=[1.0, 2.0])).tolist() == [1.0, 2.0]
