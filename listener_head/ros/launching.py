"""What the launch files share: arguments, the environment, and a graph's nodes as launch actions."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from signal import SIGINT
from typing import Any

from launch.action import Action
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    GroupAction,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.events.process import ProcessExited, SignalProcess
from launch.launch_context import LaunchContext
from launch.launch_description import LaunchDescription
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node, PushROSNamespace, SetParameter

from listener_head.errors import EXIT_BAD_INPUT, UserError
from listener_head.graph import NodeSpec
from listener_head.paths import config_dir
from listener_head.runner import RECORDER, RESPAWN_DELAY

# Name -> default and description.
Arguments = dict[str, tuple[str, str]]
Values = dict[str, str]

# Arguments of every launch file, by the custom of nav2_bringup.
COMMON: Arguments = {
    "params_file": ("", "YAML file of parameters; empty: config/listener_head.yaml"),
    "use_sim_time": ("false", "take the time from /clock"),
    "use_composition": ("false", "all nodes in one process: half the memory, see docs/reliability.md"),
    "use_respawn": ("false", f"start a process again {RESPAWN_DELAY:g} s after it has ended by itself"),
    "autostart": ("true", "nodes configure and activate themselves; false leaves it to a lifecycle manager"),
    "log_level": ("info", "debug, info, warn, error or fatal"),
}


def describe(
    arguments: Arguments,
    variables: dict[str, str],
    nodes: Callable[[Values], list[NodeSpec]],
    ends_with: str = "",
    judge: Callable[[Values], list[str]] | None = None,
) -> LaunchDescription:
    """A launch file: its arguments, environment variables that are not set yet, and the nodes of a graph.

    ``arguments`` needs ``namespace`` and those of COMMON, of which ``use_sim_time`` may be left out. All ends
    when the node ``ends_with`` does, and with an error when a node refuses its input.

    ``judge`` gives the command of a process beside the nodes. With one, the nodes are interrupted when
    ``ends_with`` has ended, and all ends when the judge does: with an error unless its status is 0.
    """

    def start(context: LaunchContext) -> list[Action]:
        values = {name: LaunchConfiguration(name).perform(context) for name in arguments}
        end = _interrupt_nodes if judge else _end(f"{ends_with} has ended")
        group: list[Action] = [PushROSNamespace(values["namespace"])]
        for name in ("use_sim_time", "autostart"):
            if name in values:
                group.append(SetParameter(name, flag(values, name)))
        specs = nodes(values)
        if flag(values, "use_composition"):
            has_end = any(spec.executable == ends_with for spec in specs)
            group.append(_composed(specs, values, end if has_end else None))
        else:
            for spec in specs:
                group.append(_node(spec, values, end if spec.executable == ends_with else None))
        if judge:
            group.append(ExecuteProcess(cmd=judge(values), output="screen", on_exit=_end_with_judge))
        return [GroupAction(group)]

    declared = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, (default, text) in arguments.items()
    ]
    environment = [
        SetEnvironmentVariable(name, value) for name, value in variables.items() if name not in os.environ
    ]
    refusal = RegisterEventHandler(OnProcessExit(on_exit=_end_on_refusal))
    return LaunchDescription([*declared, *environment, refusal, OpaqueFunction(function=start)])


def flag(values: Values, name: str) -> bool:
    """The value of an argument that is true or false; UserError for anything else."""
    if values[name].lower() not in ("true", "false"):
        raise UserError(f"{name} is '{values[name]}'; give {name}:=true or {name}:=false")
    return values[name].lower() == "true"


def number(values: Values, name: str) -> int:
    """The value of an argument that is a whole number; UserError for anything else."""
    try:
        return int(values[name])
    except ValueError:
        raise UserError(f"{name} is '{values[name]}'; give a whole number, such as {name}:=0") from None


def _node(spec: NodeSpec, values: Values, on_exit: EmitEvent | None) -> Node:
    params_file = _params_file(values)
    return Node(
        package="listener_head",
        executable=spec.executable,
        name=spec.executable,
        parameters=[params_file, spec.parameters] if spec.parameters else [params_file],
        remappings=list(spec.remaps.items()),
        arguments=["--ros-args", "--log-level", values["log_level"]],
        # What a recorder has written is kept.
        **_ending(values, on_exit, lasts=spec.executable != RECORDER),
    )


def _composed(specs: Sequence[NodeSpec], values: Values, on_exit: EmitEvent | None) -> Node:
    """All nodes in one process; launch adds at the end what holds for all of them."""
    arguments: list[str] = []
    for spec in specs:
        arguments += ["--node", spec.executable, "--ros-args", "--params-file", _params_file(values)]
        for name, value in spec.parameters.items():
            # What is JSON is YAML.
            arguments += ["-p", f"{name}:={json.dumps(value, ensure_ascii=False)}"]
        for old, new in spec.remaps.items():
            arguments += ["-r", f"{old}:={new}"]
    return Node(
        package="listener_head",
        executable="compose",
        arguments=[*arguments, "--all", "--ros-args", "--log-level", values["log_level"]],
        **_ending(values, on_exit),
    )


def _params_file(values: Values) -> str:
    return values["params_file"] or str(config_dir() / "listener_head.yaml")


def _ending(values: Values, on_exit: EmitEvent | None, lasts: bool = True) -> dict[str, Any]:
    """What becomes of a process that ends, as arguments of Node."""
    respawn = flag(values, "use_respawn") and on_exit is None and lasts
    return {"output": "screen", "respawn": respawn, "respawn_delay": RESPAWN_DELAY, "on_exit": on_exit}


def _end(reason: str) -> EmitEvent:
    return EmitEvent(event=Shutdown(reason=reason))


# The judge is no node, and goes on.
_interrupt_nodes = EmitEvent(
    event=SignalProcess(signal_number=SIGINT, process_matcher=lambda process: isinstance(process, Node))
)


def _end_with_judge(event: ProcessExited, _context: LaunchContext) -> EmitEvent:
    # Only an exception makes `ros2 launch` end with a status that is not 0.
    if event.returncode:
        raise RuntimeError(f"{event.process_name} has ended with status {event.returncode}, see above")
    return _end("all is measured")


def _end_on_refusal(event: ProcessExited, _context: LaunchContext) -> None:
    if event.returncode == EXIT_BAD_INPUT:
        raise RuntimeError(f"{event.process_name} refuses its input, as it says above")
