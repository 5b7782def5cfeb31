"""The part of latency that the stamps alone tell: how old the picture is that a step uses."""

from __future__ import annotations

from typing import Any

from listener_head.evaluation.latency import NS_PER_MS, percentiles
from listener_head.evaluation.offline.data import Listened
from listener_head.evaluation.offline.schedule import FIXED, Schedule
from listener_head.timing import grid_times_ns


def latency(listened: Listened, schedule: Schedule) -> dict[str, Any]:
    """{"age_ms", "waiting_ms"}, each with p50, p99 and max over the steps that saw the speaker.

    *Age* is from the stamp of the picture to the instant t_k of the step. *Waiting* is as in ListenerState:
    from when its coefficients had arrived to when the step ran, the part that no faster computer shortens. A
    recorded schedule does not tell when they arrived: its waiting is None.
    """
    used = listened.source_ns > 0
    instants = grid_times_ns(listened.indices[used])
    age_ns = instants - listened.source_ns[used]
    waiting = None
    if schedule.rule == FIXED:
        waiting = percentiles((age_ns + schedule.step_delay_ns - schedule.perception_delay_ns) / NS_PER_MS)
    return {"age_ms": percentiles(age_ns / NS_PER_MS), "waiting_ms": waiting}
