"""Samples of ROS sound messages, whatever made the message: rclpy, rosbags, or a test. No ROS in here.

Taken are this package's AudioChunk and both packages that are called audio_common_msgs: ros-drivers'
(AudioData, AudioDataStamped, described by an AudioInfo of its own topic) and mgonzs13's (Audio,
AudioStamped).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from listener_head.errors import UserError
from listener_head.plain import plain
from listener_head.timing import NS_PER_S

if TYPE_CHECKING:
    import av

Samples = NDArray[np.int16]

AUDIO_CHUNK = "listener_head/msg/AudioChunk"
AUDIO_INFO = "audio_common_msgs/msg/AudioInfo"
# The messages that hold sound, the best to know the time of first.
SOUNDS = (
    AUDIO_CHUNK,
    "audio_common_msgs/msg/AudioStamped",
    "audio_common_msgs/msg/AudioDataStamped",
    "audio_common_msgs/msg/Audio",
    "audio_common_msgs/msg/AudioData",
)

# What is taken from outside, whatever a message says.
HIGHEST_RATE = 768_000
MOST_CHANNELS = 64
LONGEST_S = 10  # of sound in one message
MOST_BYTES = 2**25
_MOST_MP3_BYTES = 2**20

# GStreamer's names of sample formats, as ros-drivers' AudioInfo says them.
_GSTREAMER = {
    "S8": "i1",
    "U8": "u1",
    "S16LE": "<i2",
    "S16BE": ">i2",
    "S32LE": "<i4",
    "S32BE": ">i4",
    "F32LE": "<f4",
    "F32BE": ">f4",
    "F64LE": "<f8",
    "F64BE": ">f8",
}
_PCM_CODINGS = ("", "wave", "wav", "raw", "pcm")
# PortAudio's numbers of sample formats, as mgonzs13's AudioInfo says them, and where its samples stand.
_PORTAUDIO = {
    1: ("float32_data", np.float32),
    2: ("int32_data", np.int32),
    8: ("int16_data", np.int16),
    16: ("int8_data", np.int8),
    32: ("uint8_data", np.uint8),
}


class SoundDecoder:
    """Makes int16 samples of the sound messages of one topic, in the order in which they were sent.

    Messages say their rate and number of channels themselves, but for ros-drivers' AudioData and
    AudioDataStamped: those have it from ``use_info``, or are taken as S16LE of ``sample_rate`` and
    ``channels``, or without either as MP3 if that is what they are.
    """

    def __init__(self, sample_rate: int = 0, channels: int = 0) -> None:
        self._rate, self._channels = sample_rate, max(1, channels)
        self._format, self._coding = "S16LE", "wave" if sample_rate else ""
        self._mp3: _Mp3 | None = None

    def use_info(self, info: Any) -> None:
        """Take over what a ros-drivers AudioInfo says of the messages that follow."""
        self._rate, self._channels = int(info.sample_rate), int(info.channels)
        self._format = info.sample_format.upper() or "S16LE"
        self._coding = info.coding_format.lower() or "wave"

    def decode(self, message: Any) -> tuple[Samples, int]:
        """Samples [N, channels], full scale 32767, and samples per second.

        Of MP3, N may be zero: what is begun in one message ends in the next. UserError for what cannot
        be read.
        """
        if hasattr(message, "samples"):  # AudioChunk
            return _samples(message.samples, np.int16, message.channels, message.sample_rate)
        audio = getattr(message, "audio", message)
        if hasattr(audio, "audio_data"):
            return _portaudio(audio)
        return self._bytes(np.frombuffer(audio.data, np.uint8))

    @property
    def holds_back(self) -> bool:
        """Whether samples come later than with the message that they were sent in, as those of MP3 do."""
        return self._mp3 is not None

    def _bytes(self, data: NDArray[np.uint8]) -> tuple[Samples, int]:
        coding = self._coding
        if not coding:
            if not _is_mp3(data) and self._mp3 is None:
                raise UserError(
                    "sound without a sample rate; record its AudioInfo, or give sample rate and channels"
                )
            coding = "mp3"
        if coding == "mp3":
            return self._decode_mp3(data)
        if coding not in _PCM_CODINGS:
            raise UserError(f"sound of coding format '{plain(coding)}' is not supported; use wave or mp3")
        if self._format not in _GSTREAMER:
            known = ", ".join(_GSTREAMER)
            raise UserError(
                f"sound of sample format '{plain(self._format)}' is not supported; use one of {known}"
            )
        kind = np.dtype(_GSTREAMER[self._format])
        if len(data) % kind.itemsize:
            raise UserError(f"sound of {len(data)} bytes does not hold samples of {kind.itemsize} bytes")
        return _samples(data, kind, self._channels, self._rate)

    def _decode_mp3(self, data: NDArray[np.uint8]) -> tuple[Samples, int]:
        if len(data) > _MOST_MP3_BYTES:
            raise UserError(f"sound of {len(data)} bytes of MP3; a message may have {_MOST_MP3_BYTES}")
        self._mp3 = self._mp3 or _Mp3()
        try:
            return self._mp3.decode(data)
        except UserError:
            self._mp3 = None  # what comes after a fault may be another stream
            raise


class SampleClock:
    """Stamps of sound that has none of its own, or those of its arrival: by counting samples.

    Arrivals wander by the load of machine and network, and sound cards do not; the count follows the arrivals
    slowly, so that neither their jitter nor the card's drift is heard as a gap.
    """

    RESTART_NS = NS_PER_S // 4
    SHARE = 50  # of the distance to the arrival that is made good with each message

    def __init__(self) -> None:
        self._end_ns: int | None = None
        self._rate = 0

    def stamp(self, first_ns: int, count: int, rate: int) -> int:
        """The instant of the first of ``count`` samples that were first heard of at about ``first_ns``."""
        late_ns = 0 if self._end_ns is None else first_ns - self._end_ns
        if self._end_ns is None or rate != self._rate or abs(late_ns) > self.RESTART_NS:
            stamp_ns = first_ns
        else:
            stamp_ns = self._end_ns + late_ns // self.SHARE
        self._end_ns, self._rate = stamp_ns + count * NS_PER_S // rate, rate
        return stamp_ns


class _Mp3:
    """A stream of MP3 frames that may begin and end anywhere in a message."""

    def __init__(self) -> None:
        import av  # half of the time and memory that the import of this module would take

        self._codec: av.AudioCodecContext = av.CodecContext.create("mp3", "r")
        self._resampler: av.AudioResampler | None = None
        self._rate, self._channels = 0, 1
        self._unheard = 0  # bytes since the last samples

    def decode(self, data: NDArray[np.uint8]) -> tuple[Samples, int]:
        import av

        pieces: list[Samples] = []
        count = 0
        try:
            for packet in self._codec.parse(data.tobytes()):
                for frame in self._codec.decode(packet):
                    pieces += self._samples(frame)
                    count += frame.samples
                    if count > LONGEST_S * frame.sample_rate:
                        raise UserError(f"MP3 of more than {LONGEST_S} s of sound in one message")
        except av.FFmpegError as problem:
            raise UserError(f"MP3 sound cannot be decoded ({problem.strerror})") from problem
        self._unheard = 0 if pieces else self._unheard + len(data)
        if self._unheard > _MOST_MP3_BYTES:
            raise UserError(f"sound of {self._unheard} bytes without one frame of MP3")
        if not pieces:
            return np.zeros((0, self._channels), np.int16), self._rate or HIGHEST_RATE
        return np.concatenate(pieces), self._rate

    def _samples(self, frame: av.AudioFrame) -> list[Samples]:
        import av

        rate, channels = frame.sample_rate, frame.layout.nb_channels
        if self._resampler is None or (rate, channels) != (self._rate, self._channels):
            if self._resampler is not None:
                raise UserError(f"MP3 sound changes to {rate} Hz and {channels} channels in the midst")
            self._resampler = av.AudioResampler(format="s16", layout=frame.layout.name, rate=rate)
            self._rate, self._channels = rate, channels
        made = self._resampler.resample(frame)
        return [piece.to_ndarray().reshape(-1, channels).astype(np.int16, copy=False) for piece in made]


def _is_mp3(data: NDArray[np.uint8]) -> bool:
    """Whether data starts as an MP3 frame does: 11 bits of sync, layer III, no value that is reserved."""
    if data[:3].tobytes() == b"ID3":
        return True
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return False
    version, layer, bitrate, rate = data[1] >> 3 & 3, data[1] >> 1 & 3, data[2] >> 4, data[2] >> 2 & 3
    return bool(version != 1 and layer == 1 and bitrate not in (0, 15) and rate != 3)


def _portaudio(audio: Any) -> tuple[Samples, int]:
    number = audio.info.format
    if number not in _PORTAUDIO:
        known = ", ".join(str(each) for each in _PORTAUDIO)
        raise UserError(f"sound of PortAudio's format {number} is not supported; use one of {known}")
    name, kind = _PORTAUDIO[number]
    return _samples(getattr(audio.audio_data, name), kind, audio.info.channels, audio.info.rate)


def _samples(data: Any, kind: Any, channels: int, rate: int) -> tuple[Samples, int]:
    """Samples [N, channels] of a field of a message; refused before anything is copied."""
    if not 1 <= rate <= HIGHEST_RATE:
        raise UserError(f"sound has {rate} samples per second; it needs 1 to {HIGHEST_RATE}")
    values = np.frombuffer(data, kind) if len(data) else np.zeros(0, kind)
    if not 1 <= channels <= MOST_CHANNELS or len(values) % channels:
        raise UserError(f"sound of {len(values)} samples does not hold {channels} channels")
    if values.nbytes > MOST_BYTES or len(values) > LONGEST_S * rate * channels:
        raise UserError(
            f"sound of {len(values)} samples, {channels} channels and {rate} Hz is too long for one message; "
            f"it may have {LONGEST_S} s and {MOST_BYTES} bytes"
        )
    return _int16(values).reshape(-1, channels), int(rate)


def _int16(values: NDArray[Any]) -> Samples:
    """Samples of another type in 16 bits, full scale 32767; those that are no number are silent."""
    if values.dtype.kind == "f":
        scaled = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=1.0, neginf=-1.0) * 32767
        return np.clip(np.rint(scaled), -32768, 32767).astype(np.int16)
    if values.dtype.itemsize == 2:
        return values.astype(np.int16, copy=False)
    if values.dtype.itemsize == 4:
        return (values >> 16).astype(np.int16)
    offset = 128 if values.dtype.kind == "u" else 0
    return ((values.astype(np.int16) - offset) << 8).astype(np.int16)
