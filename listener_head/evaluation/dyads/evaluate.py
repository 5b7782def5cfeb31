"""All measures of some policies on a set of dyads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from listener_head.coefficients import Layout
from listener_head.dyads.clips import DyadClip, DyadClips
from listener_head.errors import UserError
from listener_head.evaluation.dyads.ablation import INPUTS, ablate
from listener_head.evaluation.dyads.generation import respond_all
from listener_head.evaluation.dyads.judge import TRUTH, Judge, Row
from listener_head.policies.policy import Policy

# No sound, weight, angle or place has such a number in any face model.
_ABSURD = 1e6

# What is evaluated of a set; the rest is for training.
EVALUATED = ("test", "ood")


@dataclass(frozen=True)
class Evaluation:
    """Results by split, and in it by policy; splits without clips are left out.

    ``clips``: their number by attitude and ``all``. ``distances``: FD × 100 (`feature_distance`) by policy,
    then by attitude and ``average`` over all clips. ``measures``: by policy and ``truth``, then by expression
    and pose. ``ablation``: by input of the network. ``responsiveness``: by policy and ``truth``, then
    ``responsiveness`` and ``granger`` (`listener_head.evaluation.dyads.responsiveness`); empty without clips
    of a minute.
    """

    clips: dict[str, dict[str, int]]
    distances: dict[str, dict[str, dict[str, Row]]]
    measures: dict[str, dict[str, dict[str, Row]]]
    ablation: dict[str, dict[str, Row]]
    responsiveness: dict[str, dict[str, dict[str, Row]]]
    skipped: tuple[str, ...]


@dataclass(frozen=True)
class Progress:
    """How many clips have been answered, of how many."""

    stage: str
    done: int
    total: int


def usable_clips(dyads: DyadClips) -> DyadClips:
    """The clips that can be evaluated; those of one frame, of wrong sizes or not finite join ``skipped``."""
    kept, skipped = [], list(dyads.skipped)
    for clip in dyads:
        fault = _fault(clip, dyads.layout)
        if fault:
            skipped.append(f"{clip.name}: {fault}")
        else:
            kept.append(clip)
    return DyadClips(dyads.layout, dyads.audio_layout, tuple(kept), tuple(skipped))


def _fault(clip: DyadClip, layout: Layout) -> str:
    if len(clip) < 2:
        return f"has {len(clip)} frames, at least 2 are needed"
    size = (len(clip), layout.size)
    if clip.listener.shape != size or clip.speaker.shape != size or len(clip.audio) != len(clip):
        shapes = f"{clip.audio.shape}, {clip.speaker.shape} and {clip.listener.shape}"
        return f"sound, speaker and listener have shapes {shapes}, which do not fit"
    if not all(np.abs(part).max() < _ABSURD for part in (clip.audio, clip.speaker, clip.listener)):
        return "has numbers that are not finite, or absurdly large"
    return ""


def evaluate_policies(
    dyads: DyadClips, policies: Mapping[str, Policy], report: Callable[[Progress], None], seed: int = 0
) -> Evaluation:
    """Evaluate policies by name on the splits test and ood; the one named ``network`` is also ablated.

    The same clips, policies and seed give the same numbers. UserError when there is nothing to evaluate or a
    policy is made for another face model or sound.
    """
    dyads = usable_clips(dyads)
    for name, policy in policies.items():
        _check(name, policy, dyads)
    splits = {split: dyads.of(split).clips for split in EVALUATED}
    splits = {split: clips for split, clips in splits.items() if clips}
    if not splits:
        raise UserError(
            f"the dyads have no usable clip in the splits {' and '.join(EVALUATED)} ({len(dyads)} usable in "
            f"all, {len(dyads.skipped)} skipped); give a set whose metadata has the column data_split"
        )
    runs = len(policies) + (len(INPUTS) if "network" in policies else 0)
    counter = _Counter(report, runs * sum(len(clips) for clips in splits.values()))
    result = Evaluation({}, {}, {}, {}, {}, dyads.skipped)
    for split, chosen in splits.items():
        counter.begin(f"the true listeners of {split}")
        judge = Judge(chosen, dyads.layout, seed)
        result.clips[split] = {name: len(members) for name, members in judge.groups.items()}
        result.distances[split] = {}
        truth = [clip.listener[1:] for clip in chosen]
        result.measures[split] = {TRUTH: judge.measures(truth)}
        result.responsiveness[split] = {TRUTH: judge.responsiveness(truth)} if judge.controls else {}
        for name, policy in policies.items():
            counter.begin(f"{name} on {split}")
            motions = respond_all(policy, chosen, counter.advance)
            counter.begin(f"scores of {name} on {split}")
            result.distances[split][name] = judge.distances(motions)
            result.measures[split][name] = judge.measures(motions)
            if judge.controls:
                result.responsiveness[split][name] = judge.responsiveness(motions)
        if "network" in policies:
            counter.begin(f"ablation on {split}")
            result.ablation[split] = ablate(policies["network"], chosen, counter.advance)
    return result


def _check(name: str, policy: Policy, dyads: DyadClips) -> None:
    given, needed = (dyads.layout.face_model, dyads.audio_layout), (policy.face_model, policy.audio_layout)
    if given != needed:
        raise UserError(
            f"the dyads are {given[0]} with sound {given[1]}, policy '{name}' ({policy.name}) is made for "
            f"{needed[0]} with {needed[1]}; extract the set anew or give another network"
        )


class _Counter:
    """Counts answered clips for the progress bar."""

    def __init__(self, report: Callable[[Progress], None], total: int) -> None:
        self._report, self._total, self._done = report, total, 0
        self._stage = ""

    def begin(self, stage: str) -> None:
        self._stage = stage
        self._tell()

    def advance(self) -> None:
        self._done += 1
        self._tell()

    def _tell(self) -> None:
        self._report(Progress(self._stage, self._done, self._total))


def as_json(evaluation: Evaluation, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The evaluation as a JSON object, after the facts of what was evaluated."""
    return {**facts, **asdict(evaluation), "skipped": list(evaluation.skipped)}
