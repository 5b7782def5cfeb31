"""Node `speaker_source`: a video file, or camera and microphone, as topics in real time."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import Image as ImageMessage

from listener_head.compat import CvBridge
from listener_head.errors import UserError
from listener_head.msg import AudioChunk
from listener_head.ros import qos
from listener_head.ros.node import GraphNode, run
from listener_head.ros.readiness import declare_readiness, wait_until_ready
from listener_head.ros.stamps import to_stamp
from listener_head.sources import Image, Sound, VideoFile
from listener_head.sources.live import Camera, Microphone
from listener_head.sources.read_ahead import ReadAhead
from listener_head.timing import NS_PER_S


class SpeakerSource(GraphNode):
    """Publishes `speaker/image` and `speaker/audio`."""

    def __init__(self, cli_args: Sequence[str] | None = None) -> None:
        super().__init__("speaker_source", cli_args)
        self.declare(
            "video", "", "video file with sound; empty: use the camera and the microphone", fixed=True
        )
        self.declare("camera", 0, "number of the camera, -1 for none", -1, 255, fixed=True)
        self.declare("microphone", "", "name or number of the microphone, 'none' for none", fixed=True)
        about = "frames are scaled down to this"
        self.declare("largest_side", 640, about, 64, 8192, unit="pixels", fixed=True)
        self.declare("loop", False, "play the video file again and again", fixed=True)
        self.declare("frame_id", "camera_optical_frame", "the camera's optical frame (REP 103)", fixed=True)
        declare_readiness(self)
        self.finished = threading.Event()
        self._bridge = CvBridge()

    def configure(self) -> None:
        """Opens the file or the devices."""
        self._image = self.advertise(ImageMessage, "speaker/image", qos.IMAGE)
        self._audio = self.advertise(AudioChunk, "speaker/audio", qos.SOUND)
        self._stopping = threading.Event()
        self._video = (
            VideoFile(self.value("video"), self.value("largest_side")) if self.value("video") else None
        )
        self._camera = self._microphone = None
        if self._video is None and self.value("camera") >= 0:
            self._camera = Camera(self.value("camera"))

    def activate(self) -> None:
        """Starts the playing thread."""
        self._stopping.clear()
        if self._video is None and self.value("microphone") != "none":
            self._microphone = Microphone(self.value("microphone"), self._heard)
        play = self._play_file if self._video else self._play_camera
        self._thread = threading.Thread(target=play, name="play", daemon=True)
        self._thread.start()

    def deactivate(self) -> None:
        """Stops playing."""
        self._stopping.set()
        self._thread.join()
        if self._microphone is not None:
            self._microphone.close()

    def cleanup(self) -> None:
        """Frees the camera."""
        if self._camera is not None:
            self._camera.close()

    def _play_file(self) -> None:
        video = self._video
        with ReadAhead(video.endless_events() if self.value("loop") else video.events()) as events:
            if wait_until_ready(self, self._stopping):
                self.get_logger().info(f"playing {video.path}, {video.duration:.1f} s")
                start_ns = self.get_clock().now().nanoseconds
                for event in events:
                    if self._stopping.wait(self._seconds_until(start_ns + event.due_ns)):
                        return
                    self._publish(event, start_ns)
        self.finished.set()

    def _publish(self, event: Image | Sound, start_ns: int) -> None:
        if isinstance(event, Image):
            self._publish_image(event.pixels, start_ns + event.time_ns)
        else:
            self._publish_sound(event.samples, event.sample_rate, start_ns + event.time_ns)

    def _play_camera(self) -> None:
        self.get_logger().info("playing camera and microphone")
        while self._camera is not None and not self._stopping.is_set():
            pixels = self._camera.read()
            if pixels is None:
                self.refused(UserError(f"camera {self._camera.device} went away; plug it in and restart"))
                self._stopping.wait(1.0)
                continue
            self._publish_image(pixels, self.get_clock().now().nanoseconds)

    def _heard(self, samples: NDArray[np.int16], age: float) -> None:
        first_ns = self.get_clock().now().nanoseconds - round(age * NS_PER_S)
        self._publish_sound(samples, self._microphone.sample_rate, first_ns)

    def _publish_image(self, pixels: NDArray[np.uint8], stamp_ns: int) -> None:
        message = self._bridge.cv2_to_imgmsg(pixels, encoding="bgr8")
        message.header.stamp = to_stamp(stamp_ns)
        message.header.frame_id = self.value("frame_id")
        self._image.publish(message)
        self.counts["images"] += 1

    def _publish_sound(self, samples: NDArray[np.int16], sample_rate: int, stamp_ns: int) -> None:
        message = AudioChunk(sample_rate=sample_rate, channels=samples.shape[1])
        message.header.stamp = to_stamp(stamp_ns)
        message.samples = array("h", samples.tobytes())
        self._audio.publish(message)
        self.counts["audio_chunks"] += 1

    def _seconds_until(self, time_ns: int) -> float:
        return max(0.0, (time_ns - self.get_clock().now().nanoseconds) / NS_PER_S)


def main() -> None:
    """Runs the node."""
    run(SpeakerSource)


if __name__ == "__main__":
    main()
