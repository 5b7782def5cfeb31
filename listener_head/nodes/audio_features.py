"""Node `audio_features`: sound to one feature vector per instant of the 30 Hz grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from listener_head.audio import FeatureFrames, StampedFeatures
from listener_head.errors import UserError
from listener_head.listener import load_listener
from listener_head.msg import AudioChunk
from listener_head.msg import AudioFeatures as AudioFeaturesMessage
from listener_head.ros import qos
from listener_head.ros.convert import float_array
from listener_head.ros.node import GraphNode, run
from listener_head.ros.stamps import to_ns, to_stamp
from listener_head.timing import grid_time_ns


class AudioFeatures(GraphNode):
    """Subscribes to `speaker/audio`, publishes `speaker/audio_features` stamped with the grid's instants."""

    def __init__(self, cli_args: Sequence[str] | None = None) -> None:
        super().__init__("audio_features", cli_args)
        self.declare("layout", "", "layout of the feature vector; empty: the network's", fixed=True)
        self.declare("network", "", "network file of the listener; empty: the one that ships", fixed=True)

    def configure(self) -> None:
        """Makes the stream of features."""
        self._features = StampedFeatures(self._layout())
        self._publisher = self.advertise(AudioFeaturesMessage, "speaker/audio_features")

    def activate(self) -> None:
        """Listens to the microphone."""
        self.subscribe(AudioChunk, "speaker/audio", self._hear, qos.SOUND)

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

    def _hear(self, chunk: AudioChunk) -> None:
        self.counts["chunks"] += 1
        samples = np.frombuffer(chunk.samples, np.int16)
        try:
            if chunk.channels < 1 or len(samples) % chunk.channels:
                raise UserError(
                    f"audio chunk of {len(samples)} samples does not hold {chunk.channels} channels"
                )
            samples = samples.reshape(-1, chunk.channels)
            restarts = self._features.restarts
            completed = self._features.push(to_ns(chunk.header.stamp), samples, chunk.sample_rate)
        except UserError as problem:
            self.refused(problem)
            return
        if self._features.restarts > restarts:
            self.get_logger().warning("the sound's stamps or form changed; starting anew")
        for frames in completed:
            self._publish(frames)

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
