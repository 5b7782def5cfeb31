"""Face coefficients of a rosbag2 recording, on the time of the speaker's picture and sound."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from listener_head.bags.reader import header_stamp_ns, open_recording
from listener_head.bags.typestore import load_typestore
from listener_head.coefficients import Coefficients
from listener_head.errors import UserError
from listener_head.evaluation.tracks import Received, coefficient_track, stamp_ns
from listener_head.graph import TOPICS
from listener_head.rendering.sequence import CoefficientSequence, check_gaps

if TYPE_CHECKING:
    from listener_head.bags.connection import Connection
    from listener_head.bags.storage import Storage

BAG_ENDINGS = (".mcap", ".db3")
FACES = "listener_head/msg/FaceCoefficients"
LISTENER = "listener/coefficients"
# What tells when a recording of the graph begins, beside its coefficients.
_SPEAKER = ("speaker/image", "speaker/coefficients", "speaker/audio")


def read_bag(path: Path, topic: str = "") -> CoefficientSequence:
    """The coefficients of ``topic``, or of the one topic `listener/coefficients` or of any at all.

    Time 0 is the first stamp of the speaker's picture, coefficients or sound in the same namespace, whichever
    is earliest, or that of the coefficients themselves. Messages that are not valid are left out.

    Raises UserError that names the topics in the recording when there are no coefficients or the choice is
    not clear, and for messages that do not fit their face model.
    """
    store = load_typestore()
    with open_recording(path) as reader:
        chosen = _choose(path, reader.connections, topic)
        name = chosen[0].topic
        messages: list[Received] = []
        for _, _, data in reader.messages(chosen):
            message: Any = store.deserialize_cdr(data, FACES)
            messages.append((stamp_ns(message.header.stamp), message))
        messages.sort(key=lambda each: each[0])
        start_ns = min([messages[0][0], *_speaker_starts(reader, name)])
    track = coefficient_track(name, messages)
    rows = [row for row in np.flatnonzero(track.valid) if _rest_is_finite(messages[row][1])]
    if not rows:
        reason = messages[0][1].reason or "no reason given"
        raise UserError(
            f"topic {name} of '{path}' has no valid coefficients ({reason}); choose another topic"
        )
    times = track.stamp_ns[rows] - start_ns
    check_gaps(f"topic {name} of '{path}'", times)
    model = track.layout.face_model
    frames = [_coefficients(name, model, messages[row][1]) for row in rows]
    return CoefficientSequence(path, times, frames, not _is(name, LISTENER), starts_with_sound=True)


def _choose(path: Path, connections: list[Connection], topic: str) -> list[Connection]:
    """The connections of one topic that has coefficients."""
    faces = [c for c in connections if c.msgtype == FACES and c.msgcount]
    names = sorted({c.topic for c in faces})
    if not names:
        there = ", ".join(sorted(f"{c.topic} ({c.msgtype})" for c in connections)) or "nothing"
        raise UserError(
            f"recording '{path}' has no {FACES}; it has {there}; record the topic listener/coefficients"
        )
    if topic:
        wanted = [name for name in names if name == topic] or [name for name in names if _is(name, topic)]
    else:
        wanted = [name for name in names if _is(name, LISTENER)] or names
    if len(wanted) != 1:
        what = f"no coefficients on '{topic}'" if topic and not wanted else "several topics of coefficients"
        raise UserError(
            f"recording '{path}' has {what}; choose with --topic one of {', '.join(wanted or names)}"
        )
    chosen = [c for c in faces if c.topic == wanted[0]]
    for connection in chosen:
        if connection.digest and connection.digest != load_typestore().hash_rihs01(FACES):
            raise UserError(
                f"topic {connection.topic} of '{path}' has another version of {FACES}; "
                "read it with the version of this package that recorded it"
            )
    return chosen


def _is(name: str, ending: str) -> bool:
    """Whether a full topic name ends with these components."""
    return f"/{name.strip('/')}".endswith(f"/{ending.strip('/')}")


def _speaker_starts(reader: Storage, name: str) -> list[int]:
    """The first stamps of what tells of the speaker in the namespace of topic ``name``."""
    namespace = "/".join(name.split("/")[:-2])
    starts = []
    for key in _SPEAKER:
        connections = [
            c
            for c in reader.connections
            if c.topic == f"{namespace}/{key}" and c.msgtype == TOPICS[key] and c.msgcount
        ]
        if connections:
            _, _, first = next(iter(reader.messages(connections)))
            starts.append(header_stamp_ns(first))
    return starts


def _rest_is_finite(message: Any) -> bool:
    """Whether what the track does not hold is finite."""
    rest = (message.identity, message.texture, message.lighting, message.crop)
    return all(np.isfinite(values).all() for values in rest)


def _coefficients(topic: str, face_model: str, message: Any) -> Coefficients:
    """The coefficients of a message whose sizes but for ``crop`` are those of the face model."""
    motion = np.concatenate([message.rotation, message.expression, message.translation, message.crop])
    try:
        coefficients = Coefficients.from_motion(face_model, motion, message.identity)
    except UserError as problem:
        raise UserError(f"topic {topic}: {problem}") from None
    coefficients.texture, coefficients.lighting = message.texture, message.lighting
    return coefficients
