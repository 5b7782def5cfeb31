"""Who meets whom in a synthetic set, in what attitude and for which part of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from listener_head.dyads.clips import ATTITUDES
from listener_head.dyads.splits import OOD_SHARE, TEST_SHARE

# Clips for each person of a part: in ViCo 483 clips show 92 people; here each listens once in each attitude.
_CLIPS_PER_PERSON = 3


@dataclass(frozen=True)
class Meeting:
    """One clip to be made: ``number`` in the set, the names of its people, attitude and part."""

    number: int
    speaker: str
    listener: str
    attitude: str
    split: str


def plan(clips: int, seed: int) -> list[Meeting]:
    """The meetings of a set of ``clips`` clips, attitudes in turn, about a tenth of them in each test part.

    All people of D_test are in D_train, none of D_ood's is.
    """
    rng = np.random.default_rng([seed, clips])
    test, ood = (_share(clips, share) for share in (TEST_SHARE, OOD_SHARE))
    train = clips - test - ood
    people = [f"person{number:03d}" for number in range(_people(train))]
    strangers = [f"stranger{number:03d}" for number in range(_people(ood))]
    met = [(_other(people, listener, rng), listener) for listener in _turns(people, train)]
    known = [str(name) for name in rng.permutation(sorted({person for pair in met for person in pair}))]
    for group, count in ((known, test), (strangers, ood)):
        met += [(_other(group, listener, rng), listener) for listener in _turns(group, count)]
    parts = ["train"] * train + ["test"] * test + ["ood"] * ood
    # Each part begins with the first attitude.
    turns = [*range(train), *range(test), *range(ood)]
    return [
        Meeting(number, speaker, listener, ATTITUDES[turn % len(ATTITUDES)], part)
        for number, ((speaker, listener), part, turn) in enumerate(zip(met, parts, turns, strict=True))
    ]


def _share(clips: int, share: float) -> int:
    """Clips of a test part: one in each attitude at least, where the set is large enough."""
    return max(round(share * clips), min(len(ATTITUDES), clips // 4))


def _people(clips: int) -> int:
    return max(2, -(-clips // _CLIPS_PER_PERSON)) if clips else 0


def _turns(people: list[str], clips: int) -> list[str]:
    """The listener of each clip: everybody once in each attitude before the next one begins."""
    return [people[clip // _CLIPS_PER_PERSON % len(people)] for clip in range(clips)]


def _other(people: list[str], listener: str, rng: np.random.Generator) -> str:
    return str(rng.choice([person for person in people if person != listener]))
