"""A recording that is played to the whole graph in its own time, measured, and compared with offline.

Ends with an error when a limit is exceeded, as `listener_head replay`, whose arguments these are, does.
"""

from __future__ import annotations

import os
from pathlib import Path

from ament_index_python.packages import get_package_prefix

from launch import LaunchDescription
from listener_head.errors import UserError
from listener_head.graph import NodeSpec, ReplayOptions, replay_nodes
from listener_head.policies import POLICY_NAMES
from listener_head.replay.request import NAMESPACE, ReplayRequest, check
from listener_head.replay.thresholds import THRESHOLDS
from listener_head.ros.launching import COMMON, Arguments, Values, describe, flag, number
from listener_head.runner import PLAYER, dds_profile

ARGUMENTS: Arguments = {
    "bag": ("", "recording: a rosbag2 folder, an .mcap or a .db3 file"),
    "image": ("", "topic of its pictures; empty: found by type and usual name"),
    "audio": ("", "topic of its sound; empty: found by type and usual name"),
    "loops": ("1", "how often it is played; the clock goes back each time"),
    "attitude": ("neutral", "positive, neutral or negative"),
    "robot": ("generic", "name or file of the robot that is simulated"),
    "policy": ("network", f"what listens: {', '.join(POLICY_NAMES)}"),
    "network": ("", "network file; empty: the one that ships"),
    "render": ("true", "draw the listener as well"),
    "output": ("out/replay", "folder of the results"),
    "namespace": (NAMESPACE, "namespace of all nodes and topics; the clock is the domain's"),
    # The graph follows the recording's clock, whatever else happens.
    **{name: argument for name, argument in COMMON.items() if name != "use_sim_time"},
    **{
        f"max_{name}": ("", f"{target.label} [{target.unit or '1'}]; usual limit {target.limit:g}")
        for name, target in THRESHOLDS.items()
    },
}


def _request(values: Values) -> ReplayRequest:
    if not values["bag"]:
        raise UserError("there is no recording to play; give bag:=PATH")
    output = Path(values["output"]).absolute()
    options = ReplayOptions(
        bag=str(Path(values["bag"]).absolute()),
        # Beside the results, until these are whole.
        record=str(output.with_name(f".{output.name}.{os.getpid()}.live")),
        image=values["image"],
        audio=values["audio"],
        loops=number(values, "loops"),
        attitude=values["attitude"],
        robot=values["robot"],
        listener=values["network"],
        policy=values["policy"],
        render=flag(values, "render"),
    )
    limits = {name: _limit(values, f"max_{name}") for name in THRESHOLDS if values[f"max_{name}"]}
    return ReplayRequest(options, output, limits)


def _limit(values: Values, name: str) -> float:
    try:
        return float(values[name])
    except ValueError:
        raise UserError(f"{name} is '{values[name]}'; give a number, such as {name}:=50") from None


def _nodes(values: Values) -> list[NodeSpec]:
    request = _request(values)
    check(request)
    return replay_nodes(request.options)


def _judge(values: Values) -> list[str]:
    """The command that watches the nodes and judges their answers."""
    request = _request(values)
    options = request.options
    command = [f"{get_package_prefix('listener_head')}/bin/listener_head", "replay", options.bag]
    for name in ("image", "audio", "loops", "attitude", "robot", "policy", "network"):
        command += [f"--{name}", values[name]] if values[name] else []
    for name, limit in request.limits.items():
        command += [f"--max-{name.replace('_', '-')}", f"{limit!r}"]
    command += [] if options.render else ["--no-renderer"]
    return [*command, "--output", str(request.output), "--launched", options.record]


def generate_launch_description() -> LaunchDescription:
    """What `ros2 launch listener_head replay.launch.py` starts."""
    return describe(ARGUMENTS, dds_profile(), _nodes, ends_with=PLAYER, judge=_judge)
