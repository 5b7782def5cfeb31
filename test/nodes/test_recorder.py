"""The recorder writes down what is sent, of the graph and of others, and ends in one line when it cannot."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
from listener_head.msg import AudioChunk
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import String

from listener_head.bags import open_bag
from listener_head.ros import qos


def wait_for_messages(bench, node, number: int) -> None:
    bench.until(lambda: node.counts["messages"] >= number, f"{number} messages in the recording")


def test_topics_of_the_graph_and_others_are_recorded(bench, tmp_path: Path) -> None:
    camera = bench.probe.create_publisher(CompressedImage, "/head/compressed", qos.IMAGE)
    words = bench.probe.create_publisher(String, "/words", qos.LATCHED)
    words.publish(String(data="said before the recording"))
    topics = "[speaker/audio, /head/compressed, /words]"
    recorder = bench.start("recorder", output=tmp_path / "bag", topics=topics)
    sound = bench.speak(AudioChunk, "speaker/audio", qos.SOUND)
    bench.until(lambda: camera.get_subscription_count() > 0, "the recorder at the camera")
    wait_for_messages(bench, recorder, 1)
    for index in range(3):
        chunk = AudioChunk(sample_rate=16_000, channels=1)
        chunk.header.stamp.sec = 5 + index
        chunk.samples.extend(range(160))
        sound.publish(chunk)
        camera.publish(CompressedImage(format="jpeg", data=b"picture"))
        wait_for_messages(bench, recorder, 3 + 2 * index)
    recorder.trigger_deactivate()
    recorder.trigger_cleanup()

    with open_bag(tmp_path / "bag") as bag:
        counts = {topic.name: topic.count for topic in bag.topics}
        (heard, *_) = bag.stream([bag.find_audio()])
        (said,) = bag.stream([bag.find("std_msgs/msg/String", "words")])
    assert counts == {"/speaker/audio": 3, "/head/compressed": 3, "/words": 1}
    assert heard.stamp_ns == 5 * 10**9
    np.testing.assert_array_equal(heard.samples[:, 0], np.arange(160))
    assert said.message.data == "said before the recording"


def test_a_topic_that_nobody_writes_is_refused(bench, tmp_path: Path) -> None:
    recorder = bench.configured("recorder", output=tmp_path / "bag", topics="[/weather]", wait_timeout=0.3)

    assert not recorder.bring_up()

    assert "topic '/weather' is not of this graph, and nobody writes it within 0.3 s" in recorder.problem
    assert not (tmp_path / "bag").exists()


def test_a_full_disk_ends_it_and_what_was_recorded_is_kept(bench, tmp_path: Path) -> None:
    recorder = bench.start("recorder", output=tmp_path / "bag", topics="[speaker/audio]")
    sound = bench.speak(AudioChunk, "speaker/audio", qos.SOUND)
    chunk = AudioChunk(sample_rate=16_000, channels=1)
    chunk.header.stamp.sec = 5
    chunk.samples.frombytes(np.random.default_rng(0).bytes(200_000))
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3 << 20, limit[1]))
    try:

        def over() -> bool:
            sound.publish(chunk)
            return bool(recorder.failure)

        bench.until(over, "the disk to be full")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    recorder.trigger_deactivate()
    recorder.trigger_cleanup()

    assert recorder.finished.is_set()
    assert "bag: File too large; free some space" in recorder.failure
    with open_bag(tmp_path / "bag") as bag:
        assert bag.find_audio().count > 10
