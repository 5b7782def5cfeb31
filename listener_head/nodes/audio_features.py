"""Node `audio_features`: sound to one feature vector per instant of the 30 Hz grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from listener_head.audio import FeatureFrames, StampedFeatures
from listener_head.errors import UserError
from listener_head.listener import load_listener
from listener_head.msg import AudioFeatures as AudioFeaturesMessage
from listener_head.ros import qos
from listener_head.ros.by_type import SubscriptionByType
from listener_head.ros.convert import float_array
from listener_head.ros.node import GraphNode, run
from listener_head.ros.stamps import stamp_of, to_stamp
from listener_head.sounds import AUDIO_INFO, HIGHEST_RATE, MOST_CHANNELS, SOUNDS, SampleClock, SoundDecoder
from listener_head.timing import NS_PER_S, grid_time_ns


class AudioFeatures(GraphNode):
    """Subscribes to `speaker/audio`, publishes `speaker/audio_features` stamped with the grid's instants.

    Sound may be of this package's type or of either package called audio_common_msgs.
    """

    def __init__(self, cli_args: Sequence[str] | None = None) -> None:
        super().__init__("audio_features", cli_args)
        self.declare("layout", "", "layout of the feature vector; empty: the network's", fixed=True)
        self.declare("network", "", "network file of the listener; empty: the one that ships", fixed=True)
        about = "of bare AudioData; 0: what speaker/audio_info says, or MP3"
        self.declare("sample_rate", 0, about, 0, HIGHEST_RATE, unit="Hz", fixed=True)
        about = "of bare AudioData, where speaker/audio_info does not say it"
        self.declare("channels", 1, about, 1, MOST_CHANNELS, fixed=True)

    def configure(self) -> None:
        """Makes the stream of features."""
        self._features = StampedFeatures(self._layout())
        self._publisher = self.advertise(AudioFeaturesMessage, "speaker/audio_features")

    def activate(self) -> None:
        """Listens to the microphone."""
        self._decoder = SoundDecoder(self.value("sample_rate"), self.value("channels"))
        self._sound_clock = SampleClock()
        SubscriptionByType(self, "speaker/audio", SOUNDS, self._hear, qos.SOUND)
        SubscriptionByType(self, "speaker/audio_info", [AUDIO_INFO], self._decoder.use_info, qos.RESULT)

    def status(self) -> dict[str, object]:
        """For the diagnostics."""
        return {"restarts": self._features.restarts} if self.counts["chunks"] else {}

    def _layout(self) -> str:
        """What the parameters ask for; UserError when they contradict each other."""
        layout, network = self.value("layout"), self.value("network")
        if layout and not network:
            return layout
        listener = load_listener(network or None)
        if layout not in ("", listener.audio_layout):
            raise UserError(
                f"layout is {layout}, but network {listener.name} was trained on {listener.audio_layout}; "
                "leave the parameter layout empty, or give another network"
            )
        return listener.audio_layout

    def _hear(self, message: Any) -> None:
        self.counts["chunks"] += 1
        try:
            samples, rate = self._decoder.decode(message)
            if not len(samples):
                return
            restarts = self._features.restarts
            completed = self._features.push(self._first_ns(message, len(samples), rate), samples, rate)
        except UserError as problem:
            self.refused(problem)
            return
        if self._features.restarts > restarts:
            self.get_logger().warning("the sound's stamps or form changed; starting anew")
        for frames in completed:
            self._publish(frames)

    def _first_ns(self, message: Any, count: int, rate: int) -> int:
        """The instant of the first of ``count`` samples: of the header, or counted from arrivals."""
        stamp_ns = stamp_of(message.header) if hasattr(message, "header") else 0
        duration_ns = count * NS_PER_S // rate
        if stamp_ns:
            stamp_ns = self.local_ns("speaker/audio", stamp_ns + duration_ns) - duration_ns
        if stamp_ns and not self._decoder.holds_back:
            return stamp_ns
        first_ns = stamp_ns or self.get_clock().now().nanoseconds - duration_ns
        return self._sound_clock.stamp(first_ns, count, rate)

    def _publish(self, frames: FeatureFrames) -> None:
        flags = frames.flags
        for i in range(len(frames)):
            message = AudioFeaturesMessage(layout=self._features.layout, values=float_array(frames.values[i]))
            message.header.stamp = to_stamp(grid_time_ns(frames.first_index + i))
            message.voice_activity = float(frames.voice_activity[i])
            message.flags = int(flags[i])
            self._publisher.publish(message)
            self.counts["frames"] += 1


def main() -> None:
    """Runs the node."""
    run(AudioFeatures)


if __name__ == "__main__":
    main()
