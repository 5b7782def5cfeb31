"""What a recording holds, as arrays: one track for each topic, sorted by stamp.

Times are integer nanoseconds since the epoch: ``received_ns`` is when the recorder had the message,
``stamp_ns`` its header's stamp, ``source_ns`` the stamp of the camera frame that it comes from (0: none).
An absent topic is a track of length 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import LAYOUTS, Layout, layout_of
from listener_head.errors import UserError
from listener_head.timing import NS_PER_S

Nanoseconds = NDArray[np.int64]
FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]
# A message as it came: when it was received, and the deserialised message.
Received = tuple[int, Any]

# A microphone's stamps wander by some milliseconds; only a longer hole is filled with silence.
AUDIO_GAP_S = 0.05
# A hole longer than this is a wrong stamp, not silence.
AUDIO_GAP_LIMIT_S = 600.0


@dataclass(frozen=True)
class StampTrack:
    """Arrival and stamps [T] of messages whose content is not kept (images)."""

    received_ns: Nanoseconds
    stamp_ns: Nanoseconds


@dataclass(frozen=True)
class CoefficientTrack(StampTrack):
    """Face coefficients: rotation [T, 3] rad, expression [T, E], translation [T, 3] m, and two flags [T].

    Frames that are not valid, or that hold a number that is not finite, are zero and ``valid`` is false.
    """

    source_ns: Nanoseconds
    layout: Layout
    rotation: FloatArray
    expression: FloatArray
    translation: FloatArray
    valid: BoolArray
    confidence: FloatArray


@dataclass(frozen=True)
class StateTrack(StampTrack):
    """ListenerState: small integers [T], times in ms [T], and the networks (name, hash) in order of use."""

    source_ns: Nanoseconds
    attitude: NDArray[np.uint8]
    mode: NDArray[np.uint8]
    flags: NDArray[np.uint8]
    frame: NDArray[np.uint64]
    perception_ms: FloatArray
    waiting_ms: FloatArray
    audio_ms: FloatArray
    step_ms: FloatArray
    networks: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class JointTrack(StampTrack):
    """Joint positions [T, J] rad of the joints ``names``; ``source_ns`` is 0 for measured positions."""

    source_ns: Nanoseconds
    names: tuple[str, ...]
    positions: NDArray[np.float64]


@dataclass(frozen=True)
class FeatureTrack(StampTrack):
    """Audio features: values [T, F] of ``layout``, voice activity [T] 0 to 1, flags [T]."""

    layout: str
    values: FloatArray
    voice_activity: FloatArray
    flags: NDArray[np.uint8]


@dataclass(frozen=True)
class AudioTrack:
    """The sound as one piece: mono samples [N] in -1 to 1, gaps filled with silence."""

    start_ns: int
    sample_rate: int
    samples: FloatArray


def stamp_ns(time: Any) -> int:
    """A builtin_interfaces/Time in nanoseconds."""
    return int(time.sec) * NS_PER_S + int(time.nanosec)


def stamp_track(received: Sequence[int], stamps: Sequence[int]) -> StampTrack:
    """A track of arrival times and stamps, sorted by stamp."""
    order = np.argsort(np.asarray(stamps, np.int64), kind="stable")
    return StampTrack(np.asarray(received, np.int64)[order], np.asarray(stamps, np.int64)[order])


def coefficient_track(topic: str, messages: Sequence[Received]) -> CoefficientTrack:
    """FaceCoefficients messages as a track; UserError for sizes that are not the face model's."""
    times, source = _times(messages), _sources(messages)
    models = {message.face_model for _, message in messages}
    if len(models) > 1:
        raise UserError(f"{topic} mixes face models {', '.join(sorted(models))}; record one at a time")
    layout = layout_of(models.pop()) if models else LAYOUTS["arkit52"]
    expression_size = len(layout.expression_names)
    rotation = _rows(topic, "rotation", [m.rotation for _, m in messages], 3)
    expression = _rows(topic, "expression", [m.expression for _, m in messages], expression_size)
    translation = _rows(topic, "translation", [m.translation for _, m in messages], 3)
    confidence = np.array([m.confidence for _, m in messages], np.float32)
    valid = np.array([m.valid for _, m in messages], bool)
    for values in (rotation, expression, translation, confidence[:, None]):
        valid &= np.isfinite(values).all(axis=1)
    for values in (rotation, expression, translation, confidence):
        values[~valid] = 0.0
    order = np.argsort(times.stamp_ns, kind="stable")
    return CoefficientTrack(
        times.received_ns[order],
        times.stamp_ns[order],
        source[order],
        layout,
        rotation[order],
        expression[order],
        translation[order],
        valid[order],
        confidence[order],
    )


def state_track(messages: Sequence[Received]) -> StateTrack:
    """ListenerState messages as a track."""
    times = _times(messages)
    order = np.argsort(times.stamp_ns, kind="stable")

    def column(name: str, dtype: type) -> NDArray[Any]:
        return np.array([getattr(message, name) for _, message in messages], dtype)[order]

    def milliseconds(name: str) -> FloatArray:
        return np.nan_to_num(column(name, np.float32), nan=0.0, posinf=0.0, neginf=0.0)

    networks = dict.fromkeys((m.network, m.network_hash) for _, m in messages)
    return StateTrack(
        times.received_ns[order],
        times.stamp_ns[order],
        _sources(messages)[order],
        column("attitude", np.uint8),
        column("mode", np.uint8),
        column("flags", np.uint8),
        column("frame", np.uint64),
        milliseconds("perception_ms"),
        milliseconds("waiting_ms"),
        milliseconds("audio_ms"),
        milliseconds("step_ms"),
        tuple(networks),
    )


def command_track(topic: str, messages: Sequence[Received]) -> JointTrack:
    """JointCommand messages as a track; UserError when the joints change on the way."""
    names = tuple(messages[0][1].names) if messages else ()
    for _, message in messages:
        if tuple(message.names) != names:
            raise UserError(f"{topic} changes joints from {list(names)} to {list(message.names)}")
    return _joint_track(topic, messages, _sources(messages), names)


def joint_state_track(topic: str, messages: Sequence[Received], names: tuple[str, ...]) -> JointTrack:
    """JointState messages as a track of the joints ``names``, or of the first message's when empty.

    Several drivers may share the topic: messages that lack one of the joints are left out.
    """
    if not names and messages:
        names = tuple(messages[0][1].name)
    chosen = [(t, m) for t, m in messages if set(names) <= set(m.name) and len(m.position) == len(m.name)]
    return _joint_track(topic, chosen, np.zeros(len(chosen), np.int64), names)


def _joint_track(
    topic: str, messages: Sequence[Received], source: Nanoseconds, names: tuple[str, ...]
) -> JointTrack:
    rows = []
    for _, message in messages:
        if hasattr(message, "positions"):
            rows.append(message.positions)
        else:
            place = {name: i for i, name in enumerate(message.name)}
            rows.append(message.position[[place[name] for name in names]])
    positions = _rows(topic, "positions", rows, len(names), np.float64)
    times = _times(messages)
    good = np.isfinite(positions).all(axis=1)
    order = np.argsort(times.stamp_ns, kind="stable")
    order = order[good[order]]
    return JointTrack(times.received_ns[order], times.stamp_ns[order], source[order], names, positions[order])


def feature_track(topic: str, messages: Sequence[Received]) -> FeatureTrack:
    """AudioFeatures messages as a track; UserError when their size or layout changes on the way."""
    times = _times(messages)
    layouts = {message.layout for _, message in messages}
    if len(layouts) > 1:
        raise UserError(f"{topic} mixes layouts {', '.join(sorted(layouts))}; record one at a time")
    size = len(messages[0][1].values) if messages else 0
    values = _rows(topic, "values", [m.values for _, m in messages], size)
    activity = np.array([m.voice_activity for _, m in messages], np.float32)
    order = np.argsort(times.stamp_ns, kind="stable")
    return FeatureTrack(
        times.received_ns[order],
        times.stamp_ns[order],
        layouts.pop() if layouts else "",
        np.nan_to_num(values[order], posinf=0.0, neginf=0.0),
        np.nan_to_num(activity[order], posinf=0.0, neginf=0.0).clip(0.0, 1.0),
        np.array([m.flags for _, m in messages], np.uint8)[order],
    )


def audio_track(topic: str, messages: Sequence[Received]) -> AudioTrack:
    """AudioChunk messages joined by their stamps; UserError for chunks that do not fit together."""
    if not messages:
        return AudioTrack(0, 0, np.zeros(0, np.float32))
    first = messages[0][1]
    rate, channels = int(first.sample_rate), int(first.channels)
    if rate < 1 or channels < 1:
        raise UserError(f"{topic} has {channels} channels at {rate} Hz; it needs at least one of each")
    chunks = sorted(messages, key=lambda item: stamp_ns(item[1].header.stamp))
    start = stamp_ns(chunks[0][1].header.stamp)
    pieces: list[FloatArray] = []
    length = 0
    for _, chunk in chunks:
        if (chunk.sample_rate, chunk.channels) != (rate, channels) or len(chunk.samples) % channels:
            raise UserError(
                f"{topic} changes to {len(chunk.samples)} samples of {chunk.channels} channels at "
                f"{chunk.sample_rate} Hz, from {channels} channels at {rate} Hz; record one sound at a time"
            )
        gap_s = (stamp_ns(chunk.header.stamp) - start) / NS_PER_S - length / rate
        if gap_s > AUDIO_GAP_LIMIT_S:
            raise UserError(f"{topic} jumps ahead by {gap_s:.0f} s; record it again with one clock")
        if gap_s < -AUDIO_GAP_S:
            continue  # a chunk that was sent twice
        if gap_s > AUDIO_GAP_S:
            pieces.append(np.zeros(round(gap_s * rate), np.float32))
            length += len(pieces[-1])
        mono = np.asarray(chunk.samples, np.int16).reshape(-1, channels).mean(axis=1, dtype=np.float32)
        pieces.append(mono / np.float32(32768.0))
        length += len(mono)
    return AudioTrack(start, rate, np.concatenate(pieces))


def _times(messages: Sequence[Received]) -> StampTrack:
    """Arrival and header stamps in the order given."""
    return StampTrack(
        np.array([t for t, _ in messages], np.int64),
        np.array([stamp_ns(m.header.stamp) for _, m in messages], np.int64),
    )


def _sources(messages: Sequence[Received]) -> Nanoseconds:
    return np.array([stamp_ns(m.source_stamp) for _, m in messages], np.int64)


def _rows(
    topic: str, field: str, rows: Sequence[NDArray[Any]], size: int, dtype: type = np.float32
) -> NDArray[Any]:
    for row in rows:
        if len(row) != size:
            raise UserError(f"{topic} has a message with {len(row)} numbers in {field}; it needs {size}")
    return np.array(rows, dtype).reshape(len(rows), size)
