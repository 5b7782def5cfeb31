"""Feature frames from stamped chunks of sound, as a microphone's driver or a network delivers them."""

from __future__ import annotations

from numpy.typing import ArrayLike

from listener_head.audio.stream import (
    LOWEST_RATE,
    FeatureFrames,
    FeatureStream,
    channels_of,
    checked_samples,
)
from listener_head.timing import NS_PER_S

# Stamps of a sound card wander by some milliseconds, and its clock drifts against the computer's; beyond
# this the stream is brought back into step.
TOLERANCE_NS = 20_000_000
# More than this is not a lost chunk: another clock, another recording.
RESTART_NS = NS_PER_S


class StampedFeatures:
    """A `FeatureStream` that follows the stamps of its chunks.

    Sound that is missing between two chunks becomes silence whose frames carry ``gap``; sound that comes
    twice is left out once. A jump of more than a second, another sample rate or another number of channels
    starts anew and is counted in ``restarts``.

    Errors: UserError for an unknown layout.
    """

    def __init__(self, layout: str = "paper45") -> None:
        FeatureStream(LOWEST_RATE, layout)  # an unknown layout is refused now, not with the first sound
        self.layout = layout
        self.restarts = 0
        self._stream: FeatureStream | None = None

    def push(self, stamp_ns: int, samples: ArrayLike, sample_rate: int) -> list[FeatureFrames]:
        """The frames that a chunk completes, those of a gap before it first.

        ``stamp_ns`` is the instant of its first sample; ``samples`` is [N] or [N, channels]. UserError as in
        `FeatureStream`; a refused chunk changes nothing.
        """
        array, stream = checked_samples(samples), self._stream
        if stream is not None and stream.sample_rate == sample_rate:
            late_ns = stamp_ns - stream.end_ns
            if abs(late_ns) <= RESTART_NS and stream.channels in (None, channels_of(array)):
                if abs(late_ns) <= TOLERANCE_NS:
                    return [stream.push_frames(array)]
                count = abs(late_ns) * sample_rate // NS_PER_S
                if late_ns > 0:
                    return [stream.insert_silence(count), stream.push_frames(array)]
                return [stream.push_frames(array[count:])]
        fresh = FeatureStream(sample_rate, self.layout, start_ns=stamp_ns)
        if stream is not None:
            self.restarts += 1
        self._stream = fresh
        return [fresh.push_frames(array)]
