"""Sound in chunks of any size in, feature vectors on the frame grid out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from listener_head.audio.paper45 import Paper45
from listener_head.audio.resample import Resampler
from listener_head.audio.vico45 import Vico45
from listener_head.audio.voice_activity import SILENCE, VoiceActivity
from listener_head.errors import UserError
from listener_head.timing import NS_PER_S

LOWEST_RATE, HIGHEST_RATE = 8_000, 96_000  # [Hz]
HIGHEST_FPS = 100
MOST_CHANNELS = 64

_KINDS = (np.dtype(np.int16), np.dtype(np.float32), np.dtype(np.float64))
_FULL_SCALE = 32768.0
# A sample at or beyond the greatest that 16 bits hold.
_CLIPPING_LEVEL = 32767.0 / _FULL_SCALE
# As in AudioFeatures.msg.
_CLIPPED, _GAP, _SILENT = 1, 2, 4
# Beyond this a float sample is not sound, and its square may not be finite.
_ABSURD_LEVEL = 1e6


class _Layout(Protocol):
    """State of one stream of vectors of ``size`` numbers from sound at ``sample_rate`` [Hz].

    ``includes_instant`` tells whether a sample at a frame's very instant is the last of that frame or the
    first of the next.
    """

    size: int
    sample_rate: int
    includes_instant: bool

    def step(self, sound: NDArray[np.float64]) -> NDArray[np.float64]:
        """The next vector, from the sound since the one before."""
        ...

    def mean_square(self, values: NDArray[np.float64]) -> float:
        """Mean square of the last 1 / fps seconds, from their vector."""
        ...


_LAYOUTS: dict[str, Callable[[int], _Layout]] = {Paper45.name: Paper45, Vico45.name: Vico45}
LAYOUTS = tuple(_LAYOUTS)  # names of the layouts


@dataclass
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

    @property
    def flags(self) -> NDArray[np.uint8]:
        """The three as bits [k]: the FLAG_ constants of AudioFeatures.msg."""
        return (self.clipped * _CLIPPED + self.gap * _GAP + self.silent * _SILENT).astype(np.uint8)

    def __len__(self) -> int:
        return len(self.values)


class FeatureStream:
    """Feature vectors of one stream of sound: the same numbers however it is cut into chunks.

    Frame k belongs to the instant ``t_k = round(k * 1e9 / fps)`` ns on the clock in which the first sample
    stands at ``start_ns``. Its values depend on samples up to t_k only, with zeros before the first one. What
    is heard in it is ``delay`` seconds older.

    - ``paper45``: the first frame is the first with ``t_k >= start_ns``; a frame's last sample, on the
      layout's own sampling grid counted from the first sample, is the last at or before t_k. It is complete
      as soon as a sample at or after t_k has been pushed, so N samples from ``start_ns = 0`` complete the
      frames with ``t_k <= (N - 1) / sample_rate``.
    - ``vico45``: windows tile the sound as the baseline's do. The first frame is the first with
      ``t_k > start_ns``; a frame's last sample is the last before the exact instant k / fps, and with it the
      frame is complete. So from ``start_ns = 0`` frame i + 1 is window i of the clip, the samples from
      1470 i to 1470 (i + 1) at 44.1 kHz.

    Without ``detect_voice``, which takes a third of the time, voice activity stays 0.

    Errors: UserError for a sample rate outside 8 to 96 kHz, a frame rate outside 1 to 100 (for vico45 other
    than 30), an unknown layout.
    """

    def __init__(
        self,
        sample_rate: int,
        layout: str = "paper45",
        fps: int = 30,
        start_ns: int = 0,
        detect_voice: bool = True,
    ) -> None:
        self.sample_rate = _whole("sample_rate", sample_rate, LOWEST_RATE, HIGHEST_RATE, "Hz")
        self.fps = _whole("fps", fps, 1, HIGHEST_FPS, "frames a second")
        self.layout = layout
        self._features = _layout(layout)(self.fps)
        self._resampler = Resampler(self.sample_rate, self._features.sample_rate)
        self._voice = VoiceActivity(self._features.sample_rate, self.fps) if detect_voice else None
        self._start_ns = int(start_ns)
        self._index = self._first_index()
        self._received = 0  # samples per channel so far
        self._due = self._samples_until(self._index)  # samples at which the next frame is complete
        self.channels: int | None = None  # of the samples so far
        self._pending: list[NDArray[np.generic]] = []  # as they came, so that a frame is converted at once
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
        array = checked_samples(samples)
        channels = channels_of(array)
        if len(array) and self.channels not in (None, channels):
            raise UserError(
                f"samples have {channels} channels where the stream began with {self.channels}: "
                "start a new FeatureStream when the source changes"
            )
        if len(array):
            self.channels = channels
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
            flags[1, row] = self._pending_gap
            values[row], activity[row], flags[0, row], flags[2, row] = self._complete()
            position = end
        self._hold(samples[position:], gap)
        return FeatureFrames(values, first_index, activity, *flags)

    def _hold(self, samples: NDArray[np.generic], gap: bool) -> None:
        """Keep samples for the frame that they belong to."""
        if len(samples):
            self._pending.append(samples.copy())  # the caller may use its memory again
            self._pending_gap |= gap
            self._received += len(samples)

    def _complete(self) -> tuple[NDArray[np.float64], float, bool, bool]:
        """Values, voice activity, clipping and silence of the frame whose samples are now all there."""
        heard, clipped = _mono(self._pending)
        sound = self._resampler.advance(heard, self._last_sample(self._index))
        values = self._features.step(sound)
        self._pending.clear()
        self._pending_gap = False
        self._index += 1
        self._due = self._samples_until(self._index)
        mean_square = self._features.mean_square(values)
        activity = self._voice.step(sound, mean_square) if self._voice is not None else 0.0
        return values, activity, clipped, mean_square < SILENCE

    def _first_index(self) -> int:
        """The first frame that has a sample."""
        index = self._start_ns * self.fps // NS_PER_S
        while self._last_sample(index) < 0:
            index += 1
        return index

    def _last_sample(self, index: int) -> int:
        """Position on the layout's sampling grid of a frame's last sample."""
        rate = self._features.sample_rate
        if self._features.includes_instant:
            return (self._instant_ns(index) - self._start_ns) * rate // NS_PER_S
        return self._samples_before(index, rate) - 1

    def _samples_until(self, index: int) -> int:
        """Number of samples that complete a frame."""
        if self._features.includes_instant:
            return -(-(self._instant_ns(index) - self._start_ns) * self.sample_rate // NS_PER_S) + 1
        return self._samples_before(index, self.sample_rate)

    def _instant_ns(self, index: int) -> int:
        """t_k, rounded to whole nanoseconds."""
        return (2 * index * NS_PER_S + self.fps) // (2 * self.fps)

    def _samples_before(self, index: int, rate: int) -> int:
        """Samples at ``rate`` before the exact instant index / fps: rounding would move windows by one."""
        return -((self._start_ns * self.fps - index * NS_PER_S) * rate // (NS_PER_S * self.fps))

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

    ``samples`` is [N] or [N, channels], int16 or float. ``paper45``: row k belongs to ``k / fps`` seconds
    after the first sample, and T is the number of frames up to the last one. ``vico45``: row i is window i,
    the ``1 / fps`` seconds that end at ``(i + 1) / fps``, and T is the number of whole windows, at 44.1 kHz
    N // 1470. UserError as in `FeatureStream`.
    """
    return FeatureStream(sample_rate, layout, fps, detect_voice=False).push(samples)


def _layout(name: str) -> Callable[[int], _Layout]:
    if name not in _LAYOUTS:
        raise UserError(f"audio layout {name!r} is unknown: use {' or '.join(LAYOUTS)}")
    return _LAYOUTS[name]


def _whole(name: str, value: int, lowest: int, highest: int, unit: str) -> int:
    if not isinstance(value, Integral) or not lowest <= value <= highest:
        raise UserError(f"{name} is {value!r}: give a whole number of {unit} from {lowest} to {highest}")
    return int(value)


def checked_samples(samples: ArrayLike) -> NDArray[np.generic]:
    """The samples as an array [N] or [N, channels]; UserError for another type or shape."""
    array = np.asarray(samples)
    if array.dtype not in _KINDS:
        raise UserError(
            f"samples are of type {array.dtype}: give int16, or float32 or float64 with full scale 1"
        )
    if array.ndim not in (1, 2) or (array.ndim == 2 and not 1 <= array.shape[1] <= MOST_CHANNELS):
        raise UserError(
            f"samples have shape {array.shape}: give [N] or [N, channels] with 1 to {MOST_CHANNELS} channels"
        )
    return array


def channels_of(samples: NDArray[np.generic]) -> int:
    """Channels of samples [N] or [N, channels]."""
    return 1 if samples.ndim == 1 else samples.shape[1]


def _mono(pieces: list[NDArray[np.generic]]) -> tuple[NDArray[np.float64], bool]:
    """Mean of the channels as float64 with full scale 1, and whether any sample was clipped or no number."""
    kind, dimensions = pieces[0].dtype, pieces[0].ndim
    if any(piece.dtype != kind or piece.ndim != dimensions for piece in pieces):  # silence was inserted
        parts = [_mono([piece]) for piece in pieces]
        return np.concatenate([sound for sound, _ in parts]), any(clipped for _, clipped in parts)
    samples = np.concatenate(pieces)
    sound = samples.astype(np.float64)
    full_scale = _FULL_SCALE if kind == np.int16 else 1.0
    # Written so that NaN, which both extremes pass on, counts as clipped.
    level = _CLIPPING_LEVEL * full_scale
    clipped = not (samples.min() > -level and samples.max() < level)
    if clipped:
        sound[~(np.abs(sound) <= _ABSURD_LEVEL * full_scale)] = 0.0
    if dimensions == 2:
        sound = sum(sound.T[1:], start=sound.T[0])  # three times as fast as mean or einsum
        full_scale *= samples.shape[1]
    return sound * (1.0 / full_scale), clipped
