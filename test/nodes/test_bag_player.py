import numpy as np
import pytest
from listener_head.msg import Attitude, AudioChunk, ListenerState
from rclpy.qos import QoSProfile, QoSReliabilityPolicy
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Bool

from listener_head.bags.typestore import load_typestore
from listener_head.bags.writer import RecordingWriter
from listener_head.compat import CvBridge
from listener_head.ros import qos
from listener_head.ros.stamps import to_ns
from listener_head.timing import NS_PER_S

START_NS = 1_600_000_000 * NS_PER_S
FRAMES, PERIOD_NS = 10, 40_000_000
TOPICS = {
    "/eye/image_raw": "sensor_msgs/msg/Image",
    "/eye/camera_info": "sensor_msgs/msg/CameraInfo",
    "/ear/audio": "listener_head/msg/AudioChunk",
    "/attitude": "listener_head/msg/Attitude",
    "/robot_speaking": "std_msgs/msg/Bool",
}
# Every tick counts here, though one may be lost in life.
CLOCK = QoSProfile(depth=500, reliability=QoSReliabilityPolicy.BEST_EFFORT)
MANY = QoSProfile(depth=100, reliability=QoSReliabilityPolicy.BEST_EFFORT)


def pixels(number):
    return np.random.default_rng(number).integers(0, 256, (8, 12, 3), np.uint8)


def record(path, *left_out):
    """Ten pictures and their sound; camera_info comes after the first picture."""
    store = load_typestore()
    kinds = store.types

    def header(time_ns):
        seconds, nanoseconds = divmod(time_ns, NS_PER_S)
        stamp = kinds["builtin_interfaces/msg/Time"](sec=seconds, nanosec=nanoseconds)
        return kinds["std_msgs/msg/Header"](stamp=stamp, frame_id="eye")

    topics = {topic: msgtype for topic, msgtype in TOPICS.items() if topic not in left_out}
    with RecordingWriter(path, topics) as writer:

        def write(topic, time_ns, **fields):
            if topic in topics:
                message = kinds[TOPICS[topic]](**fields)
                writer.write(topic, time_ns, bytes(store.serialize_cdr(message, TOPICS[topic])))

        for number in range(FRAMES):
            time_ns = START_NS + number * PERIOD_NS
            shape = {"height": 8, "width": 12, "encoding": "bgr8", "is_bigendian": 0, "step": 36}
            data = pixels(number).reshape(-1)
            write("/eye/image_raw", time_ns, header=header(time_ns), data=data, **shape)
            samples = np.full(640, number, np.int16)
            sound = {"sample_rate": 16000, "channels": 1, "samples": samples}
            write("/ear/audio", time_ns + PERIOD_NS, header=header(time_ns), **sound)
            if number == 3:
                write("/eye/camera_info", time_ns, **camera_info(kinds, header(time_ns)))
                write("/attitude", time_ns, header=header(time_ns), attitude=0)
                write("/robot_speaking", time_ns, data=True)
    return path


def camera_info(kinds, header):
    roi = kinds["sensor_msgs/msg/RegionOfInterest"](
        x_offset=0, y_offset=0, height=0, width=0, do_rectify=False
    )
    k = np.array([700.0, 0, 6, 0, 700, 4, 0, 0, 1])
    return {
        "header": header,
        "height": 8,
        "width": 12,
        "distortion_model": "plumb_bob",
        "d": np.zeros(5),
        "k": k,
        "r": np.eye(3).reshape(-1),
        "p": np.zeros(12),
        "binning_x": 0,
        "binning_y": 0,
        "roi": roi,
    }


def test_all_that_a_graph_takes_is_played_under_its_own_stamps(bench, tmp_path):
    arrived = []
    for kind, topic, profile in (
        (Image, "speaker/image", MANY),
        (CameraInfo, "speaker/camera_info", MANY),
        (AudioChunk, "speaker/audio", qos.SOUND),
        (Attitude, "attitude", qos.LATCHED),
        (Bool, "robot_speaking", qos.RESULT),
    ):
        bench.probe.create_subscription(
            kind, topic, lambda message, topic=topic: arrived.append((topic, message)), profile
        )
    topics = "[speaker/image, speaker/camera_info, speaker/audio, attitude, robot_speaking]"
    player = bench.start("bag_player", bag=record(tmp_path / "bag"), wait_for=topics)
    bench.until(player.finished.is_set, "the end of the recording")
    by_topic = {}
    for topic, message in arrived:
        by_topic.setdefault(topic, []).append(message)
    images = by_topic["speaker/image"]
    assert [to_ns(image.header.stamp) for image in images] == [
        START_NS + number * PERIOD_NS for number in range(FRAMES)
    ]
    assert images[0].header.frame_id == "eye"
    for number, image in enumerate(images):
        np.testing.assert_array_equal(CvBridge().imgmsg_to_cv2(image, "bgr8"), pixels(number))
    sound = np.concatenate([np.frombuffer(chunk.samples, np.int16) for chunk in by_topic["speaker/audio"]])
    np.testing.assert_array_equal(sound, np.repeat(np.arange(FRAMES), 640))
    # A camera is known before its first picture, whenever that was recorded.
    assert arrived[0][0] == "speaker/camera_info"
    assert arrived[0][1].k[0] == 700
    assert [message.attitude for message in by_topic["attitude"]] == [Attitude.POSITIVE]
    assert [message.data for message in by_topic["robot_speaking"]] == [True]


def test_the_clock_runs_evenly_and_goes_back_with_each_pass(bench, tmp_path):
    ticks = []
    bench.probe.create_subscription(Clock, "/clock", ticks.append, CLOCK)
    bag = record(tmp_path / "bag", "/eye/camera_info")
    player = bench.start("bag_player", bag=bag, loops=2, rate=2.0, wait_for="[/clock]")
    bench.until(player.finished.is_set, "the end of the recording")
    told = np.array([to_ns(tick.clock) for tick in ticks])
    back = np.flatnonzero(np.diff(told) < 0)
    assert len(back) == 1
    for one in np.split(told, back + 1):
        assert one[0] < START_NS - NS_PER_S // 2  # timers and the robot get under way
        assert one[-1] > START_NS + FRAMES * PERIOD_NS + NS_PER_S // 4  # and the last answers are awaited
        assert np.median(np.diff(one)) == pytest.approx(NS_PER_S / 120, rel=0.1)


def test_a_listener_in_simulated_time_begins_anew_with_each_pass(bench, tmp_path):
    bench.start("listener", use_sim_time=True)
    states = bench.listen(ListenerState, "listener/state", MANY)
    player = bench.start("bag_player", bag=record(tmp_path / "bag"), loops=2, wait_for="[/clock]")
    bench.until(player.finished.is_set, "the end of the recording")
    stamps = np.array([to_ns(state.header.stamp) for state in states])
    assert (np.abs(stamps - START_NS) < 3 * NS_PER_S).all()  # none from before there was a clock
    (back,) = np.flatnonzero(np.diff(stamps) < 0) + 1
    assert [state.frame for state in states].index(0, 1) == back
    jumped = [bool(state.flags & ListenerState.FLAG_CLOCK_JUMPED) for state in states]
    assert np.flatnonzero(jumped).tolist() == [back]
    for one in np.split(stamps, [back]):
        assert abs(np.median(np.diff(one)) - NS_PER_S / 30) <= 1


def test_what_it_cannot_play_is_named(bench, tmp_path):
    bag = record(tmp_path / "bag", "/eye/image_raw")
    for parameters, named in (
        ({"bag": bag}, "/ear/audio"),
        ({"bag": tmp_path / "nothing"}, "nothing"),
        ({"bag": '""'}, "parameter bag"),
    ):
        node = bench.configured("bag_player", **parameters)
        assert not node.bring_up()
        assert named in node.problem
