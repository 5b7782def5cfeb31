"""Node `bag_player`: the speaker of a recording as topics, and the recording's time as `/clock`."""

from __future__ import annotations

import threading
import time
from array import array
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rclpy.qos import QoSProfile
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image as ImageMessage

from listener_head.bags import Chunk, Message, Picture, Topic, open_bag
from listener_head.bags.typestore import load_typestore
from listener_head.compat import CvBridge
from listener_head.errors import UserError
from listener_head.graph import CLOCK
from listener_head.msg import AudioChunk
from listener_head.replay.deliveries import Delivery, deliveries, played_topics
from listener_head.replay.playback import TAIL_NS, Playback, start_ns
from listener_head.ros import qos
from listener_head.ros.interfaces import message_type
from listener_head.ros.node import GraphNode, run
from listener_head.ros.readiness import declare_readiness, wait_until_ready
from listener_head.ros.stamps import to_stamp
from listener_head.sources.read_ahead import ReadAhead

_AHEAD = 16  # decoded pictures and other messages


class BagPlayer(GraphNode):
    """Publishes `/clock`, `speaker/image`, `speaker/audio`, and what else the recording has for the graph."""

    def __init__(self, cli_args: Sequence[str] | None = None) -> None:
        super().__init__("bag_player", cli_args)
        self.declare("bag", "", "recording: a rosbag2 folder, an .mcap or a .db3 file", fixed=True)
        self.declare("image", "", "topic of its pictures; empty: found by type and usual name", fixed=True)
        self.declare("audio", "", "topic of its sound; empty: found by type and usual name", fixed=True)
        self.declare("loops", 1, "how often it is played; the clock goes back each time", 1, 1000, fixed=True)
        self.declare("rate", 1.0, "speed, 1 is real time", 0.05, 20.0, fixed=True)
        declare_readiness(self)
        self.finished = threading.Event()
        self._bridge = CvBridge()

    def configure(self) -> None:
        """Looks what is in the recording."""
        if not self.value("bag"):
            raise UserError("there is no recording to play; give the parameter bag")
        self._path = Path(self.value("bag"))
        with open_bag(self._path) as bag:
            self._topics = topics = played_topics(bag, self.value("image"), self.value("audio"))
            self._problems = list(bag.problems)
        self._ticks = self.advertise(Clock, CLOCK, qos.IMAGE)
        self._image = self.advertise(ImageMessage, "speaker/image", qos.IMAGE)
        self._audio = self.advertise(AudioChunk, "speaker/audio", qos.SOUND)
        self._others = {
            topic.name: self._advertise_as_recorded(topic, name, profile)
            for topic, name, profile in (
                (topics.camera_info, "speaker/camera_info", qos.IMAGE),
                (topics.attitude, "attitude", qos.LATCHED),
                (topics.robot_speaking, "robot_speaking", qos.RESULT),
            )
            if topic is not None
        }
        self._stopping = threading.Event()

    def activate(self) -> None:
        """Starts the playing thread."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._play, name="play", daemon=True)
        self._thread.start()

    def deactivate(self) -> None:
        """Stops playing."""
        self._stopping.set()
        self._thread.join()

    def _advertise_as_recorded(self, topic: Topic, name: str, profile: QoSProfile):
        return self.advertise(message_type(topic.msgtype), name, profile), topic.msgtype

    def _play(self) -> None:
        for problem in self._problems:
            self.get_logger().warning(problem)
        if wait_until_ready(self, self._stopping):
            loops = self.value("loops")
            for number in range(1, loops + 1):
                if self._stopping.is_set():
                    break
                self.get_logger().info(f"playing {self._path}, pass {number} of {loops}")
                try:
                    self._play_once()
                except UserError as problem:
                    self.get_logger().error(str(problem))
                    break
        if not self._stopping.is_set():
            self.finished.set()

    def _play_once(self) -> None:
        with ReadAhead(deliveries(self._path, self._topics), _AHEAD) as items:
            first = next(items, None)
            if first is None:
                raise UserError(f"'{self._path}' has no message that can be played; record it again")
            playback = Playback(start_ns(first.due_ns), time.monotonic(), self.value("rate"))
            over = threading.Event()
            ticking = threading.Thread(target=self._tick, args=(playback, over), name="clock", daemon=True)
            ticking.start()
            last_ns = first.due_ns
            for delivery in chain([first], items):
                if self._stopping.wait(playback.seconds_until(delivery.due_ns)):
                    break
                self._publish(delivery)
                last_ns = max(last_ns, delivery.due_ns)
            self._stopping.wait(playback.seconds_until(last_ns + TAIL_NS))
            over.set()
            ticking.join()

    def _tick(self, playback: Playback, over: threading.Event) -> None:
        self._ticks.publish(Clock(clock=to_stamp(playback.time_ns())))
        while not over.wait(playback.seconds_until(playback.next_tick_ns())):
            self._ticks.publish(Clock(clock=to_stamp(playback.time_ns())))

    def _publish(self, delivery: Delivery) -> None:
        item = delivery.item
        if isinstance(delivery.pixels, UserError):
            self.refused(delivery.pixels)
        elif isinstance(item, Picture) and delivery.pixels is not None:
            self._publish_picture(item, delivery.pixels)
        elif isinstance(item, Chunk):
            self._publish_sound(item)
        elif isinstance(item, Message):
            publisher, msgtype = self._others[item.topic]
            publisher.publish(bytes(load_typestore().serialize_cdr(item.message, msgtype)))

    def _publish_picture(self, picture: Picture, pixels: NDArray[np.uint8]) -> None:
        message = self._bridge.cv2_to_imgmsg(pixels, encoding="bgr8")
        message.header.stamp = to_stamp(picture.stamp_ns)
        message.header.frame_id = picture.frame_id
        self._image.publish(message)
        self.counts["images"] += 1

    def _publish_sound(self, chunk: Chunk) -> None:
        message = AudioChunk(sample_rate=chunk.sample_rate, channels=chunk.samples.shape[1])
        message.header.stamp = to_stamp(chunk.stamp_ns)
        message.samples = array("h", np.ascontiguousarray(chunk.samples).tobytes())
        self._audio.publish(message)
        self.counts["audio_chunks"] += 1


def main() -> None:
    """Runs the node."""
    run(BagPlayer)


if __name__ == "__main__":
    main()
