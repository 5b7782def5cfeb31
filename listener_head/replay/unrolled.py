"""Passes of a recording one after the other in time, so that each stamp is there once.

The listener begins anew after a gap of more than a second as it does when the clock goes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from listener_head.evaluation.offline.data import Perceived
from listener_head.evaluation.recording import Recording
from listener_head.evaluation.tracks import CoefficientTrack, StateTrack
from listener_head.replay.passes import Pass
from listener_head.timing import NS_PER_S, RATE_HZ

Track = TypeVar("Track", StateTrack, CoefficientTrack)


def unrolled(track: Track, passes: Sequence[Pass], period_ns: int) -> Track:
    """A track in which each pass comes ``period_ns`` after the one before: the clock never goes back.

    Stamps of frames that no picture led to stay 0.
    """
    began = np.array([one.began_ns for one in passes], np.int64)
    number = np.searchsorted(began, track.received_ns, side="right") - 1
    later_ns = number.clip(0) * period_ns
    order = np.argsort(track.stamp_ns + later_ns, kind="stable")
    rows: dict[str, Any] = {
        name: values[order] for name, values in vars(track).items() if isinstance(values, np.ndarray)
    }
    later_ns = later_ns[order]
    rows["stamp_ns"] = rows["stamp_ns"] + later_ns
    rows["source_ns"] = np.where(rows["source_ns"] > 0, rows["source_ns"] + later_ns, 0)
    return replace(track, **rows)


def period_of(passes: Sequence[Recording]) -> int:
    """From one pass to the next [ns]: whole seconds, so whole steps, and a gap that the listener notices."""
    longest_ns = max(one.last_ns - one.first_ns for one in passes)
    return (longest_ns // NS_PER_S + 4) * NS_PER_S


def perceived_passes(perceived: Sequence[Perceived], period_ns: int) -> Perceived:
    """What was perceived in all passes, of each pass what was perceived in it, ``period_ns`` apart."""
    speakers, sounds = [one.speaker for one in perceived], [one.heard for one in perceived]
    speaker = replace(
        speakers[0],
        stamp_ns=np.concatenate([s.stamp_ns + k * period_ns for k, s in enumerate(speakers)]),
        motion=np.concatenate([s.motion for s in speakers]),
        valid=np.concatenate([s.valid for s in speakers]),
    )
    steps = period_ns // NS_PER_S * RATE_HZ
    heard = replace(
        sounds[0],
        indices=np.concatenate([h.indices + k * steps for k, h in enumerate(sounds)]),
        values=np.concatenate([h.values for h in sounds]),
        voice_activity=np.concatenate([h.voice_activity for h in sounds]),
        flags=np.concatenate([h.flags for h in sounds]),
    )
    return replace(perceived[0], speaker=speaker, heard=heard)
