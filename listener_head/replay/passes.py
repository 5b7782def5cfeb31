"""What a live run answered to each pass of a recording, with the times of arrival on the recording's clock.

The recorder writes arrivals in the computer's time, and `/clock` beside them. Simulated time is told some
hundred times a second, but runs evenly: the difference between the two is one number for each pass, the
smallest over all its ticks, since a tick can only come late.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from listener_head.bags.reader import header_stamp_ns, open_recording
from listener_head.errors import UserError
from listener_head.evaluation.recording import Recording
from listener_head.evaluation.tracks import StampTrack, StateTrack
from listener_head.graph import CLOCK
from listener_head.timing import grid_time_ns, index_at_or_before

_NS_PER_MS = 1e6

Track = TypeVar("Track", bound=StampTrack)


@dataclass(frozen=True)
class Pass:
    """One time through the recording: what arrived from ``began_ns`` to before ``ended_ns``.

    These are of the computer's time; the recording's is that plus ``offset_ns``.
    """

    began_ns: int
    ended_ns: int
    offset_ns: int


def read_passes(path: Path) -> list[Pass]:
    """The passes that the `/clock` of a live run's recording tells of; UserError when there is none."""
    received, told = [], []
    with open_recording(path) as reader:
        connections = [connection for connection in reader.connections if connection.topic == CLOCK]
        for _, received_ns, cdr in reader.messages(connections) if connections else ():
            received.append(received_ns)
            told.append(header_stamp_ns(cdr))  # a Clock is nothing but a stamp
    if not told:
        raise UserError(f"recording {path} has no {CLOCK}; nothing was played while it was made")
    return passes_of(np.array(received, np.int64), np.array(told, np.int64))


def passes_of(received_ns: NDArray[np.int64], clock_ns: NDArray[np.int64]) -> list[Pass]:
    """The passes of ticks [T] of a clock; it goes back where one begins."""
    starts = [0, *(np.flatnonzero(np.diff(clock_ns) < 0) + 1).tolist()]
    ends = [*received_ns[starts[1:]].tolist(), np.iinfo(np.int64).max]
    return [
        Pass(int(received_ns[start]), end, int((ticks - received).max()))
        for start, end, ticks, received in zip(
            starts, ends, np.split(clock_ns, starts[1:]), np.split(received_ns, starts[1:]), strict=True
        )
    ]


def of_pass(recording: Recording, one: Pass, camera_ns: NDArray[np.int64]) -> Recording:
    """What was recorded during a pass, arrivals on the recording's clock.

    ``camera_ns`` are the stamps of the pictures that were played. The parts of a step's latency that the
    listener took from its coarse clock are taken from the arrivals at the recorder.
    """
    speaker, features = _during(recording.speaker, one), _during(recording.features, one)
    listener = _during(recording.listener, one)
    return replace(
        recording,
        first_ns=int(listener.received_ns.min(initial=np.iinfo(np.int64).max)),
        last_ns=int(listener.received_ns.max(initial=0)),
        speaker=speaker,
        listener=listener,
        states=_timed(_during(recording.states, one), speaker, features),
        commands=_during(recording.commands, one),
        joint_states=_during(recording.joint_states, one),
        features=features,
        speaker_images=StampTrack(camera_ns, camera_ns),
        listener_images=_during(recording.listener_images, one),
    )


def _during(track: Track, one: Pass) -> Track:
    inside = (track.received_ns >= one.began_ns) & (track.received_ns < one.ended_ns)
    rows: dict[str, Any] = {
        name: values[inside] for name, values in vars(track).items() if isinstance(values, np.ndarray)
    }
    rows["received_ns"] = rows["received_ns"] + one.offset_ns
    return replace(track, **rows)


def _timed(states: StateTrack, speaker: StampTrack, features: StampTrack) -> StateTrack:
    """States whose times of perception and sound are those of the recorder's clock."""
    # The stamp of a state is the instant after its step's.
    steps = [grid_time_ns(index_at_or_before(stamp) - 1) for stamp in states.stamp_ns.tolist()]
    audio_ms = _ages_ms(features, np.array(steps, np.int64))
    perception_ms = _ages_ms(speaker, states.source_ns)
    # What came late to the recorder was in the listener, all the same, when the step ran.
    answered_ms = (states.received_ns - states.source_ns) / _NS_PER_MS
    perception_ms = np.fmin(perception_ms, answered_ms - states.step_ms - states.waiting_ms)
    return replace(
        states,
        perception_ms=np.where(states.source_ns > 0, perception_ms, 0.0).astype(np.float32),
        audio_ms=np.where(np.isfinite(audio_ms), audio_ms, 0.0).astype(np.float32),
    )


def _ages_ms(track: StampTrack, stamps: NDArray[np.int64]) -> NDArray[np.float64]:
    """How old the messages stamped ``stamps`` [T] were when they arrived [ms]; NaN where none did."""
    if not len(track.stamp_ns):
        return np.full(len(stamps), np.nan)
    rows = np.searchsorted(track.stamp_ns, stamps).clip(0, len(track.stamp_ns) - 1)
    ages = (track.received_ns[rows] - stamps) / _NS_PER_MS
    return np.where(track.stamp_ns[rows] == stamps, ages, np.nan)
