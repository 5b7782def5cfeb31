"""The paper's three parts of a set: checked, and made for a set that has none."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np

from listener_head.dyads.clips import DyadClip, DyadClips

TEST_SHARE, OOD_SHARE = 0.1, 0.1  # of the clips
_MOST_NAMED = 5


def check_splits(clips: DyadClips) -> tuple[str, ...]:
    """What is against the paper's rule (section 4): a line for each part, which names the offenders.

    Every identity of D_test must also be in D_train, and none of D_ood.
    """
    known = {split: _people(clips.of(split).clips) for split in ("train", "test", "ood")}
    if not known["train"]:
        return ()
    lines = []
    strangers = known["test"] - known["train"]
    if strangers:
        lines.append(f"split test has identities that are not in train: {_named(strangers)}")
    familiar = known["ood"] & known["train"]
    if familiar:
        lines.append(f"split ood has identities that are in train too: {_named(familiar)}")
    return tuple(lines)


def split(clips: DyadClips, seed: int = 0) -> DyadClips:
    """The clips with D_train, D_test and D_ood made anew after the paper's rule, about a tenth for each test.

    D_ood gets whole groups of people who met nobody else, as many as fit; where everybody is connected with
    everybody it stays empty. D_test gets clips all of whose people also remain in D_train.
    """
    rng = np.random.default_rng(seed)
    order = [clips.clips[i] for i in rng.permutation(len(clips))]
    ood = _strangers(order, round(OOD_SHARE * len(order)))
    rest = [clip for clip in order if clip.name not in ood]
    test = _spared(rest, round(TEST_SHARE * len(order)))
    parts = {**dict.fromkeys(ood, "ood"), **dict.fromkeys(test, "test")}
    made = tuple(replace(clip, split=parts.get(clip.name, "train")) for clip in clips)
    return replace(clips, clips=made)


def _strangers(clips: list[DyadClip], wanted: int) -> set[str]:
    """Names of the clips of whole groups of people, at most ``wanted`` clips."""
    chosen: set[str] = set()
    for group in _groups(clips):
        if len(chosen) + len(group) <= wanted:
            chosen |= {clip.name for clip in group}
    return chosen


def _groups(clips: list[DyadClip]) -> list[list[DyadClip]]:
    """The clips by the people whom conversations connect."""
    group_of: dict[str, set[str]] = {}
    for clip in clips:
        together = set[str]().union(*(group_of.get(person, {person}) for person in clip.identities))
        group_of.update(dict.fromkeys(together, together))
    groups: dict[int, list[DyadClip]] = defaultdict(list)
    for clip in clips:
        groups[id(group_of[clip.speaker_id])].append(clip)
    return list(groups.values())


def _spared(clips: list[DyadClip], wanted: int) -> set[str]:
    """Names of at most ``wanted`` clips without which all their people are still there."""
    count = Counter(person for clip in clips for person in clip.identities)
    chosen: set[str] = set()
    for clip in clips:
        if len(chosen) < wanted and all(count[person] > 1 for person in clip.identities):
            chosen.add(clip.name)
            count.subtract(clip.identities)
    return chosen


def _people(clips: tuple[DyadClip, ...]) -> set[str]:
    return {person for clip in clips for person in clip.identities}


def _named(people: set[str]) -> str:
    names = sorted(people)
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
