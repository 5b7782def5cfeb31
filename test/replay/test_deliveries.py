import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.bags import Chunk, Message, open_bag
from listener_head.bags.writer import RecordingWriter
from listener_head.errors import UserError
from listener_head.replay.deliveries import deliveries, due_ns, in_due_order, played_topics

MS = 1_000_000


def chunk(stamp_ns, samples):
    return Chunk("/audio", stamp_ns, stamp_ns, np.zeros((samples, 1), np.int16), 1000)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 200), st.integers(1, 99), st.booleans()), max_size=60))
def test_items_come_in_the_order_in_which_they_are_due(steps):
    items, stamp_ns = [], 0
    for step, length, is_sound in steps:
        stamp_ns += step * MS
        items.append(chunk(stamp_ns, length) if is_sound else Message("/camera", stamp_ns, stamp_ns, None))
    ordered = list(in_due_order(items))
    assert sorted(map(id, ordered)) == sorted(map(id, items))
    due = [due_ns(item) for item in ordered]
    assert due == sorted(due)


def test_sound_is_delivered_at_its_last_sample():
    assert due_ns(chunk(5 * MS, 20)) == 25 * MS


def test_a_recording_comes_whole_with_its_pixels(speaker_bag):
    with open_bag(speaker_bag) as bag:
        topics = played_topics(bag)
    assert topics.image.name == "/robot/camera/image_raw"
    assert topics.audio is not None
    found = list(deliveries(speaker_bag, topics))
    pictures = [one for one in found if one.pixels is not None]
    assert len(pictures) == topics.image.count
    assert len(found) == topics.image.count + topics.audio.count
    assert all(one.pixels.shape == pictures[0].pixels.shape for one in pictures)


def test_a_recording_without_pictures_is_refused(tmp_path):
    with RecordingWriter(tmp_path / "deaf", {"/imu": "std_msgs/msg/Bool"}) as writer:
        writer.write("/imu", 1, b"\x00\x01\x00\x00\x01")
    with open_bag(tmp_path / "deaf") as bag, pytest.raises(UserError, match="/imu"):
        played_topics(bag)
