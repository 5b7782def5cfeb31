"""One recording evaluated: perceived, listened to by every listener that is asked for, and measured."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from listener_head.bags import Bag, Message, open_bag
from listener_head.bags.clocks import CLOCKS
from listener_head.errors import UserError
from listener_head.evaluation.latency import Metrics, percentiles
from listener_head.evaluation.motion import latency, responsiveness, separability, statistics, windows
from listener_head.evaluation.offline.data import Listened, Perceived
from listener_head.evaluation.offline.listen import listen
from listener_head.evaluation.offline.perceive import perceive
from listener_head.evaluation.offline.provenance import versions
from listener_head.evaluation.offline.schedule import (
    PERCEPTION_DELAY_NS,
    RECORDED,
    SCHEDULES,
    Schedule,
    fixed_schedule,
    recorded_schedule,
)
from listener_head.evaluation.offline.topics import ChosenTopics, TopicNames, choose_topics
from listener_head.evaluation.offline.watcher import Perception
from listener_head.evaluation.page.model import FORMAT
from listener_head.evaluation.series import ATTITUDE_NAMES
from listener_head.evaluation.tracks import state_track
from listener_head.evaluation.truth import judge, reference_motion
from listener_head.graph import TOPICS
from listener_head.listener.liveliness import Liveliness
from listener_head.listener.reference import read_reference
from listener_head.policies import POLICY_NAMES, Policy, load_policy
from listener_head.progress import Report
from listener_head.timing import RATE_HZ


@dataclass(frozen=True)
class Job:
    """How recordings are evaluated; each field is an option of `listener_head evaluate`."""

    names: TopicNames = field(default_factory=TopicNames)
    clock: str = "stamp"
    network: Path | None = None
    policy: str = "network"
    policies: tuple[str, ...] = POLICY_NAMES
    attitude: str = "neutral"
    reference: Path | None = None
    liveliness: bool = True
    seed: int = 0
    schedule: str = "fixed"
    perception_delay_ns: int = PERCEPTION_DELAY_NS
    backend: str = "landmarks"
    face_model: str = "arkit52"
    deep3d_network: str = ""
    device: str = "auto"


@dataclass(frozen=True)
class Evaluated:
    """A recording's evaluation: what was perceived, what the chosen listener did, and ``metrics``.

    ``beside`` is what it did, without liveliness, from the true listener's first frame on; None without one.
    """

    path: Path
    clock: str
    topics: ChosenTopics
    perceived: Perceived
    listened: Listened
    beside: Listened | None
    metrics: Metrics


def check_job(job: Job) -> None:
    """Refuse what no recording can be evaluated with, before a long one is looked at; UserError names it."""
    for name, value, known in (
        ("attitude", job.attitude, ATTITUDE_NAMES),
        ("schedule", job.schedule, SCHEDULES),
        ("clock", job.clock, CLOCKS),
    ):
        if value not in known:
            raise UserError(f"{name} '{value}' is unknown; choose one of {', '.join(known)}")
    for policy in dict.fromkeys([job.policy, *job.policies]):
        loaded = load_policy(policy, job.network, job.seed)
    if job.reference is not None:
        read_reference(job.reference, loaded.face_model, loaded.reference)


def evaluate_bag(
    path: Path,
    job: Job,
    report: Report,
    schedule: Schedule | None = None,
    only: Collection[int] | None = None,
) -> Evaluated:
    """Evaluate one recording; all of ``metrics`` but ``times`` is the same every time.

    ``schedule`` takes the place of the job's, and ``only`` pictures with these stamps are looked at: what a
    live run of the recording did.
    UserError for a recording that cannot be read or shows no speaker, and options that do not fit it.
    """
    began = time.perf_counter()
    policy = load_policy(job.policy, job.network, job.seed)
    perception = Perception(policy.audio_layout, job.backend, job.face_model, job.deep3d_network, job.device)
    with open_bag(path) as bag:
        topics = choose_topics(bag, job.names)
        if schedule is None and job.schedule == RECORDED:
            schedule = _recorded(bag)
        perceived = _perceive(bag, topics, perception, job.clock, report, only)
    if schedule is None:
        schedule = fixed_schedule(perceived, job.attitude, job.perception_delay_ns)
    stage = _Stages(report)
    listened = _listen(perceived, policy, schedule, job, stage)
    beside, truth = _beside_truth(perceived, schedule, job, bag.problems, stage)
    metrics = {
        "format": FORMAT,
        "bag": _about(bag, topics, job.clock),
        "listener": _about_listener(policy, job, listened),
        "schedule": {
            "rule": schedule.rule,
            "perception_delay_ms": schedule.perception_delay_ns / 1e6,
            "step_delay_ms": schedule.step_delay_ns / 1e6,
        },
        "problems": list(bag.problems),
        "frames": _frames(perceived, listened),
        "statistics": {key: vars(row) for key, row in statistics(listened).items()},
        "separability": _separability(perceived, policy, schedule, job, listened, stage),
        "responsiveness": responsiveness(listened),
        "truth": truth,
        "images": None,
        "windows": windows(listened, perceived.truth),
        "latency": latency(listened, schedule),
        "live": None,
        "agreement": None,
        "thresholds": None,
        "versions": versions(perception),
    }
    metrics["times"] = _times(perceived, listened, time.perf_counter() - began)
    return Evaluated(path, job.clock, topics, perceived, listened, beside.get(job.policy), metrics)


def _perceive(
    bag: Bag,
    topics: ChosenTopics,
    perception: Perception,
    clock: str,
    report: Report,
    only: Collection[int] | None,
) -> Perceived:
    total = max(1, round(bag.duration_s))
    return perceive(
        bag,
        topics,
        perception,
        clock,
        only,
        report=lambda done: report("watching and listening", round(done), total),
    )


def _recorded(bag: Bag) -> Schedule:
    """What the listener of a live run wrote down."""
    topic = bag.find(TOPICS["listener/state"], "listener/state")
    if topic is None:
        raise UserError(
            f"'{bag.path}' has no listener/state, so there is no live run to repeat; "
            "leave out --schedule recorded"
        )
    messages = [each for each in bag.stream([topic]) if isinstance(each, Message)]
    return recorded_schedule(state_track([(each.received_ns, each.message) for each in messages]))


class _Stages:
    """Tells how far each run of a listener is."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def of(self, what: str) -> Callable[[int, int], None]:
        """What a run is given to tell its progress."""
        return lambda done, total: self._report(what, done, total)


def _listen(perceived: Perceived, policy: Policy, schedule: Schedule, job: Job, stage: _Stages) -> Listened:
    """The chosen listener, as the node runs it."""
    reference = None
    if job.reference is not None:
        reference = read_reference(job.reference, policy.face_model, policy.reference).motion
    liveliness = Liveliness(policy.layout, job.seed) if job.liveliness else None
    report = stage.of(f"{job.policy} listens")
    return listen(perceived, policy, job.policy, schedule, reference, liveliness, report)


def _separability(
    perceived: Perceived, policy: Policy, schedule: Schedule, job: Job, listened: Listened, stage: _Stages
) -> dict[str, Any] | None:
    """The same speaker heard with every attitude that the listener knows; None when it knows none."""
    if not policy.attitudes:
        return None
    runs = {}
    for attitude in policy.attitudes:
        same = np.full_like(schedule.attitude, ATTITUDE_NAMES.index(attitude))
        if np.array_equal(same, schedule.attitude):
            runs[attitude] = listened
        else:
            again = replace(job, attitude=attitude)
            runs[attitude] = _listen(perceived, policy, replace(schedule, attitude=same), again, stage)
    return separability(runs)


def _beside_truth(
    perceived: Perceived, schedule: Schedule, job: Job, problems: list[str], stage: _Stages
) -> tuple[dict[str, Listened], dict[str, Any] | None]:
    """Policies from the true listener's first frame on, without liveliness, and what is measured of them.

    Nothing without a true listener; one who is hardly seen is named in ``problems``.
    """
    truth, runs = perceived.truth, {}
    if truth is None:
        return {}, None
    try:
        reference = reference_motion(truth)
        for name in dict.fromkeys([*job.policies, job.policy]):
            policy = load_policy(name, job.network, job.seed)
            report = stage.of(f"{name} beside the true listener")
            runs[name] = listen(perceived, policy, name, schedule, reference, report=report)
        return runs, judge(runs, truth, job.seed)
    except UserError as problem:
        problems.append(str(problem))
        return {}, None


def _about(bag: Bag, topics: ChosenTopics, clock: str) -> dict[str, Any]:
    return {
        "name": bag.path.name,
        "hash": bag.digest,
        "storage": bag.storage,
        "duration_s": bag.duration_s,
        "clock": clock,
        "topics": topics.names(),
    }


def _about_listener(policy: Policy, job: Job, listened: Listened) -> dict[str, Any]:
    return {
        "policy": job.policy,
        "name": policy.name,
        "hash": policy.hash,
        "attitude": listened.attitude,
        "face_model": policy.face_model,
        "audio_layout": policy.audio_layout,
        "liveliness": job.liveliness,
        "seed": job.seed,
    }


def _frames(perceived: Perceived, listened: Listened) -> dict[str, int]:
    return {
        "pictures": len(perceived.speaker.stamp_ns),
        "with_face": int(perceived.speaker.valid.sum()),
        "steps": len(listened.indices),
        "with_sound": int(listened.heard.sum()),
        "with_speaker": int(listened.seen.sum()),
    }


def _times(perceived: Perceived, listened: Listened, wall_s: float) -> dict[str, Any]:
    """What it took on this machine: the only figures that differ from run to run."""
    return {
        "perception_ms": percentiles(perceived.perception_ms),
        "features_ms": percentiles(perceived.features_ms),
        "step_ms": percentiles(listened.step_ms),
        "wall_s": wall_s,
        "real_time_factor": len(listened.indices) / RATE_HZ / wall_s,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
