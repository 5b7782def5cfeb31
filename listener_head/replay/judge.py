"""What a live run of a recording is worth: measured, compared with offline, and held against thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from listener_head.bags import open_bag
from listener_head.errors import UserError
from listener_head.evaluation.latency import write_metrics
from listener_head.evaluation.offline.data import Perceived
from listener_head.evaluation.offline.evaluate import Evaluated, Job, evaluate_bag
from listener_head.evaluation.offline.listen import listen
from listener_head.evaluation.offline.perceive import perceive
from listener_head.evaluation.offline.schedule import recorded_schedule
from listener_head.evaluation.offline.topics import TopicNames
from listener_head.evaluation.offline.watcher import Perception
from listener_head.evaluation.page.evaluation import write_page
from listener_head.evaluation.recording import Recording, read_recording
from listener_head.graph import ReplayOptions
from listener_head.listener.liveliness import Liveliness
from listener_head.policies import load_policy
from listener_head.progress import Report
from listener_head.replay.agreement import Agreement, agreement
from listener_head.replay.deliveries import played_topics
from listener_head.replay.measure import measure_passes
from listener_head.replay.passes import Pass, of_pass, read_passes
from listener_head.replay.thresholds import Verdict, as_json, verdicts
from listener_head.replay.unrolled import perceived_passes, period_of, unrolled
from listener_head.usage import Usage


def judge(
    options: ReplayOptions, usage: Usage, limits: Mapping[str, float], work: Path, report: Report
) -> list[Verdict]:
    """Write metrics.json and report.html of the run recorded in ``options.record`` to ``work``.

    Both are the offline evaluation of the first pass, by the choices of the live run, with what was measured.
    UserError when nobody was seen, or a node was silent.
    """
    bag, record = Path(options.bag), Path(options.record)
    recording, passes = read_recording(record), read_passes(record)
    if not recording.speaker.valid.any():
        raise UserError(
            f"no face was seen in '{bag}'; give a recording of a speaker, or name its image topic"
        )
    camera_ns = _camera_stamps(options)
    timed = [of_pass(recording, one, camera_ns) for one in passes]
    live = measure_passes(timed, usage, options.render)
    schedule = recorded_schedule(timed[0].states)
    evaluated = evaluate_bag(bag, _job(options), report, schedule, _looked_at(timed[0]))
    compared = _compare(options, recording, passes, timed, evaluated)
    metrics = {**evaluated.metrics, "live": live, "agreement": asdict(compared)}
    found = verdicts(metrics, limits, options.render)
    metrics["thresholds"] = as_json(found)
    write_metrics(metrics, work / "metrics.json")
    write_page(metrics, evaluated.perceived, evaluated.listened, work, recording=timed[0])
    return found


def _job(options: ReplayOptions) -> Job:
    """The listener of the graph, for the offline evaluation."""
    return Job(
        names=TopicNames(image=options.image, audio=options.audio),
        network=Path(options.listener) if options.listener else None,
        policy=options.policy,
        attitude=options.attitude,
    )


def _camera_stamps(options: ReplayOptions) -> NDArray[np.int64]:
    """Of all pictures that were played."""
    with open_bag(options.bag) as bag:
        topics = played_topics(bag, options.image, options.audio)
        return np.array([picture.stamp_ns for picture in bag.stream([topics.image])], np.int64)


def _looked_at(one: Recording) -> frozenset[int]:
    """Stamps of the pictures that the tracker had time for; the others have not changed what it knows."""
    return frozenset(one.speaker.stamp_ns.tolist())


def _compare(
    options: ReplayOptions,
    recording: Recording,
    passes: Sequence[Pass],
    timed: Sequence[Recording],
    evaluated: Evaluated,
) -> Agreement:
    """The live coefficients of all passes against those of an offline listener with the same choices."""
    if len(passes) == 1:
        return agreement(recording.listener, evaluated.listened)
    period_ns = period_of(timed)
    seen = {_looked_at(timed[0]): evaluated.perceived}
    for one in timed[1:]:
        looked_at = _looked_at(one)
        if looked_at not in seen:
            seen[looked_at] = _perceive_again(options, evaluated, looked_at)
    perceived = perceived_passes([seen[_looked_at(one)] for one in timed], period_ns)
    schedule = recorded_schedule(unrolled(recording.states, passes, period_ns))
    job = _job(options)
    policy = load_policy(job.policy, job.network, job.seed)
    listened = listen(perceived, policy, job.policy, schedule, liveliness=Liveliness(policy.layout, job.seed))
    return agreement(unrolled(recording.listener, passes, period_ns), listened)


def _perceive_again(options: ReplayOptions, evaluated: Evaluated, looked_at: frozenset[int]) -> Perceived:
    """A pass in which the tracker had time for other pictures than in the first."""
    perception = Perception(evaluated.perceived.heard.layout)
    with open_bag(options.bag) as bag:
        return perceive(bag, evaluated.topics, perception, only=looked_at)
