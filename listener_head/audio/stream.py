"""Sound in chunks of any size in, feature vectors on the frame grid out."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike, NDArray

from listener_head.audio.paper45 import Paper45
from listener_head.audio.resample import Resampler
from listener_head.audio.voice_activity import VoiceActivity
from listener_head.errors import UserError
from listener_head.timing import NS_PER_S

LOWEST_RATE, HIGHEST_RATE = 8_000, 96_000  # [Hz]
HIGHEST_FPS = 100
MOST_CHANNELS = 64

_LAYOUTS = {Paper45.name: Paper45}
_ANNOUNCED_LAYOUTS = ("vico45",)

_FULL_SCALE = 32768.0
# A sample at or beyond the greatest that 16 bits hold.
_CLIPPING_LEVEL = 32767.0 / _FULL_SCALE
# Beyond this a float sample is not sound, and its square may not be finite.
_ABSURD_LEVEL = 1e6
_SILENCE_LOG_ENERGY = float(np.log(1e-8))  # mean square at -80 dB of full scale


@dataclass(frozen=True)
class FeatureFrames:
    """The k frames that a chunk completed; all arrays have length k, which may be 0.

    Frame i of them has index ``first_index + i`` on the grid.
    """

    values: NDArray[np.float32]  # [k, size of the layout]
    first_index: int
    voice_activity: NDArray[np.float32]  # 0 to 1
    clipped: NDArray[np.bool_]  # a sample since the frame before was at full scale or no number
    gap: NDArray[np.bool_]  # sound since the frame before was missing (`insert_silence`)
    silent: NDArray[np.bool_]  # mean square of the last 1 / fps seconds below -80 dB of full scale

    def __len__(self) -> int:
        return len(self.values)


class FeatureStream:
    """Feature vectors of one stream of sound: the same numbers however it is cut into chunks.

    Frame k belongs to the instant ``t_k = round(k * 1e9 / fps)`` ns on the clock in which the first sample
    stands at ``start_ns``; the first frame is the first with ``t_k >= start_ns``. It is complete as soon as a
    sample at or after t_k has been pushed, so N samples from ``start_ns = 0`` complete the frames with
    ``t_k <= (N - 1) / sample_rate``. Its values depend on samples up to t_k only: on the layout's own
    sampling grid, counted from the first sample, the window's last sample is the last at or before t_k, with
    zeros before the first one. What is heard in it is ``delay`` seconds older.

    Errors: UserError for a sample rate outside 8 to 96 kHz, a frame rate outside 1 to 100, an unknown layout.
    """

    def __init__(self, sample_rate: int, layout: str = "paper45", fps: int = 30, start_ns: int = 0) -> None:
        self.sample_rate = _whole("sample_rate", sample_rate, LOWEST_RATE, HIGHEST_RATE, "Hz")
        self.fps = _whole("fps", fps, 1, HIGHEST_FPS, "frames a second")
        self.layout = layout
        self._features = _layout(layout)(self.fps)
        self._resampler = Resampler(self.sample_rate, self._features.sample_rate)
        self._voice_activity = VoiceActivity(self.fps)
        self._start_ns = int(start_ns)
        self._index = self._start_ns * self.fps // NS_PER_S
        while self._instant_ns(self._index) < self._start_ns:
            self._index += 1
        self._received = 0  # samples per channel so far
        self._due = self._samples_until(self._index)  # samples at which the next frame is complete
        self._channels: int | None = None
        self._pending: list[NDArray[np.float64]] = []
        self._pending_clipped = False
        self._pending_gap = False

    @property
    def size(self) -> int:
        """Numbers in a frame."""
        return self._features.size

    @property
    def delay(self) -> float:
        """Age of the newest sound in a frame at its instant [s]: 0 at the layout's own rate, else 3 ms."""
        return self._resampler.delay

    @property
    def next_index(self) -> int:
        """Index on the grid of the next frame to be completed."""
        return self._index

    @property
    def end_ns(self) -> int:
        """Instant of the next sample to be pushed [ns]."""
        return self._start_ns + self._received * NS_PER_S // self.sample_rate

    def push(self, samples: ArrayLike) -> NDArray[np.float32]:
        """Values of the frames that these samples complete [k, size]; see `push_frames`."""
        return self.push_frames(samples).values

    def push_frames(self, samples: ArrayLike) -> FeatureFrames:
        """Take the next samples, [N] or [N, channels], and return the frames that they complete.

        int16, or floats with full scale 1; channels are averaged. Floats that are not finite, or beyond a
        million, become zero and count as clipped. UserError for another type or shape, or when the number of
        channels changes.
        """
        array = _checked(samples)
        channels = 1 if array.ndim == 1 else array.shape[1]
        if len(array) and self._channels not in (None, channels):
            raise UserError(
                f"samples have {channels} channels where the stream began with {self._channels}: "
                "start a new FeatureStream when the source changes"
            )
        if len(array):
            self._channels = channels
        return self._consume(array, gap=False)

    def insert_silence(self, count: int) -> FeatureFrames:
        """Put ``count`` samples of silence where sound was lost; their frames carry the flag ``gap``."""
        if count < 0:
            raise UserError(f"insert_silence: count is {count}: give zero or more samples")
        return self._consume(np.broadcast_to(np.float64(0.0), (count,)), gap=True)

    def _consume(self, samples: NDArray[np.generic], gap: bool) -> FeatureFrames:
        first_index = self._index
        capacity = self._frames_within(self._received + len(samples))
        values = np.empty((capacity, self.size), np.float32)
        activity = np.empty(capacity, np.float32)
        flags = np.empty((3, capacity), np.bool_)
        position = 0
        for row in range(capacity):
            end = position + self._due - self._received
            self._hold(samples[position:end], gap)
            flags[:2, row] = self._pending_clipped, self._pending_gap
            values[row], activity[row], flags[2, row] = self._complete()
            position = end
        self._hold(samples[position:], gap)
        return FeatureFrames(values, first_index, activity, *flags)

    def _hold(self, samples: NDArray[np.generic], gap: bool) -> None:
        """Keep samples for the frame that they belong to."""
        if len(samples) == 0:
            return
        mono, clipped = _mono(samples)
        self._pending.append(mono)
        self._pending_clipped |= clipped
        self._pending_gap |= gap
        self._received += len(mono)

    def _complete(self) -> tuple[NDArray[np.float64], float, bool]:
        """Values, voice activity and silence of the frame whose samples are now all there."""
        sound = self._resampler.advance(np.concatenate(self._pending), self._last_sample(self._index))
        values = self._features.step(sound)
        self._pending.clear()
        self._pending_clipped = self._pending_gap = False
        self._index += 1
        self._due = self._samples_until(self._index)
        activity = self._voice_activity.step(values[self._features.loudness])
        return values, activity, bool(values[self._features.energy] < _SILENCE_LOG_ENERGY)

    def _instant_ns(self, index: int) -> int:
        """t_k, rounded to whole nanoseconds."""
        return (2 * index * NS_PER_S + self.fps) // (2 * self.fps)

    def _last_sample(self, index: int) -> int:
        """Position on the layout's sampling grid of a frame's last sample."""
        return (self._instant_ns(index) - self._start_ns) * self._features.sample_rate // NS_PER_S

    def _samples_until(self, index: int) -> int:
        """Number of samples that complete a frame: up to the first at or after its instant."""
        return -(-(self._instant_ns(index) - self._start_ns) * self.sample_rate // NS_PER_S) + 1

    def _frames_within(self, received: int) -> int:
        """Frames from the next one on that this many samples complete."""
        last_ns = self._start_ns + (received - 1) * NS_PER_S // self.sample_rate
        estimate = max(0, last_ns * self.fps // NS_PER_S - self._index)
        while self._samples_until(self._index + estimate) <= received:
            estimate += 1
        return estimate


def extract_features(
    samples: ArrayLike, sample_rate: int, layout: str = "paper45", fps: int = 30
) -> NDArray[np.float32]:
    """Feature vectors of a whole clip [T, 45]: what a `FeatureStream` makes of it, in one call.

    ``samples`` is [N] or [N, channels], int16 or float; frame k belongs to ``k / fps`` seconds after the
    first sample, and T is the number of frames up to the last one. UserError as in `FeatureStream`.
    """
    return FeatureStream(sample_rate, layout, fps).push(samples)


def _layout(name: str) -> type[Paper45]:
    if name in _LAYOUTS:
        return _LAYOUTS[name]
    available = ", ".join(_LAYOUTS)
    if name in _ANNOUNCED_LAYOUTS:
        raise UserError(f"audio layout {name!r} is not supported by this version: use {available}")
    raise UserError(f"audio layout {name!r} is unknown: use {available}")


def _whole(name: str, value: int, lowest: int, highest: int, unit: str) -> int:
    if not isinstance(value, Integral) or not lowest <= value <= highest:
        raise UserError(f"{name} is {value!r}: give a whole number of {unit} from {lowest} to {highest}")
    return int(value)


def _checked(samples: ArrayLike) -> NDArray[np.generic]:
    array = np.asarray(samples)
    if array.dtype != np.int16 and array.dtype not in (np.float32, np.float64):
        raise UserError(
            f"samples are of type {array.dtype}: give int16, or float32 or float64 with full scale 1"
        )
    if array.ndim not in (1, 2) or (array.ndim == 2 and not 1 <= array.shape[1] <= MOST_CHANNELS):
        raise UserError(
            f"samples have shape {array.shape}: give [N] or [N, channels] with 1 to {MOST_CHANNELS} channels"
        )
    return array


def _mono(samples: NDArray[np.generic]) -> tuple[NDArray[np.float64], bool]:
    """Mean of the channels as float64 with full scale 1, and whether any sample was clipped or no number."""
    sound = samples.astype(np.float64)
    if samples.dtype == np.int16:
        sound /= _FULL_SCALE
    # Written so that NaN, which both extremes pass on, counts as clipped.
    clipped = not (sound.min() > -_CLIPPING_LEVEL and sound.max() < _CLIPPING_LEVEL)
    if clipped:
        sound[~(np.abs(sound) <= _ABSURD_LEVEL)] = 0.0
    if sound.ndim == 2:
        sound = np.einsum("nc->n", sound) / sound.shape[1]  # twice as fast as mean
    return sound, clipped
