"""What the user of a replay asks for, and whether it can be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from listener_head.bags import open_bag
from listener_head.graph import ReplayOptions
from listener_head.policies import load_policy
from listener_head.replay.deliveries import played_topics
from listener_head.replay.playback import LEAD_NS, TAIL_NS
from listener_head.replay.thresholds import checked_limits
from listener_head.robot import load_robot
from listener_head.timing import NS_PER_S

NAMESPACE = "listener_replay"


@dataclass(frozen=True)
class ReplayRequest:
    """The graph, limits as `checked_limits` takes them, and a folder for the results."""

    options: ReplayOptions
    output: Path
    limits: Mapping[str, float]


def check(request: ReplayRequest) -> float:
    """Seconds that the replay takes; refuses wrong input before anything starts with a UserError."""
    options = request.options
    checked_limits(request.limits)
    load_robot(options.robot)
    load_policy(options.policy, options.listener or None).reset(attitude=options.attitude)
    with open_bag(options.bag) as bag:
        played_topics(bag, options.image, options.audio)
        return options.loops * (bag.duration_s + (LEAD_NS + TAIL_NS) / NS_PER_S)
