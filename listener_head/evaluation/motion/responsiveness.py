"""Does a listener answer its speaker, where there is no true listener to tell the right answer?"""

from __future__ import annotations

from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np

from listener_head.dyads.clips import DyadClip
from listener_head.evaluation.dyads.responsiveness import LEAST_CLIP_S, Controls
from listener_head.evaluation.motion.pieces import Piece, pieces
from listener_head.evaluation.offline.data import Listened
from listener_head.timing import RATE_HZ

# A longer run is cut into clips of a minute or more, so that memory does not grow with it, and of very long
# ones so many are taken, spread evenly.
_CLIP_FRAMES = 60 * RATE_HZ
_MOST_CLIPS = 15


def responsiveness(listened: Listened, seed: int = 0) -> dict[str, Any] | None:
    """The score *granger* of a run against circularly shifted speakers, ready for JSON; None under 59 s.

    ``granger`` has the fields of `listener_head.evaluation.dyads.responsiveness.Gain`; ``clips`` and
    ``seconds`` are what of the run it is from: unbroken stretches of a minute or more.
    """
    clips = [clip for part in pieces(listened) for clip in _clips(part)]
    if not clips:
        return None
    chosen = np.unique(np.linspace(0, len(clips) - 1, min(len(clips), _MOST_CLIPS)).round().astype(int))
    clips = [clips[i] for i in chosen]
    gain = Controls(clips, listened.layout, seed).granger([clip.listener[1:] for clip in clips])
    seconds = sum(len(clip) for clip in clips) / RATE_HZ
    return {"granger": asdict(gain), "clips": len(clips), "seconds": seconds}


def _clips(part: Piece) -> list[DyadClip]:
    """The piece in clips, as dyads whose listener's frame k + 1 is the answer to the speaker's frame k."""
    if len(part) < LEAST_CLIP_S * RATE_HZ:
        return []
    edges = np.linspace(0, len(part), max(1, len(part) // _CLIP_FRAMES) + 1).astype(int)
    return [
        DyadClip(
            name="",
            audio=part.audio[start:end],
            speaker=part.speaker[start:end],
            listener=np.concatenate([part.motion[max(start - 1, 0)][None], part.motion[start : end - 1]]),
            attitude="",
            speaker_id="",
            listener_id="",
            split="",
        )
        for start, end in pairwise(edges.tolist())
    ]
