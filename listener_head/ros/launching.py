"""What the launch files share: arguments, the environment, and a graph's nodes as launch actions."""

from __future__ import annotations

import os
from collections.abc import Callable

from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    GroupAction,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.events.process import ProcessExited
from launch.launch_context import LaunchContext
from launch.launch_description import LaunchDescription
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node, PushROSNamespace, SetParameter

from listener_head.errors import EXIT_BAD_INPUT, UserError
from listener_head.graph import NodeSpec
from listener_head.paths import config_dir

# Name -> default and description.
Arguments = dict[str, tuple[str, str]]
Values = dict[str, str]

# Arguments of every launch file, by the custom of nav2_bringup.
COMMON: Arguments = {
    "params_file": ("", "YAML file of parameters; empty: config/listener_head.yaml"),
    "use_sim_time": ("false", "take the time from /clock"),
    "use_respawn": ("false", "start a node again when it ends by itself"),
    "log_level": ("info", "debug, info, warn, error or fatal"),
}


def describe(
    arguments: Arguments,
    variables: dict[str, str],
    nodes: Callable[[Values], list[NodeSpec]],
    ends_with: str = "",
) -> LaunchDescription:
    """A launch file: its arguments, environment variables that are not set yet, and the nodes of a graph.

    ``arguments`` needs ``namespace`` beside COMMON. All ends when the node ``ends_with`` does, and when a
    node refuses its input.
    """

    def start(context: LaunchContext) -> list[GroupAction]:
        values = {name: LaunchConfiguration(name).perform(context) for name in arguments}
        params_file = values["params_file"] or str(config_dir() / "listener_head.yaml")
        group = [
            PushROSNamespace(values["namespace"]),
            SetParameter("use_sim_time", flag(values, "use_sim_time")),
        ]
        group += [_node(spec, params_file, values, ends_with) for spec in nodes(values)]
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


def _node(spec: NodeSpec, params_file: str, values: Values, ends_with: str) -> Node:
    is_last = spec.executable == ends_with
    return Node(
        package="listener_head",
        executable=spec.executable,
        name=spec.executable,
        parameters=[params_file, spec.parameters] if spec.parameters else [params_file],
        remappings=list(spec.remaps.items()),
        arguments=["--ros-args", "--log-level", values["log_level"]],
        output="screen",
        respawn=flag(values, "use_respawn") and not is_last,
        on_exit=[EmitEvent(event=Shutdown(reason=f"{ends_with} has ended"))] if is_last else None,
    )


def _end_on_refusal(event: ProcessExited, _context: LaunchContext) -> EmitEvent | None:
    if event.returncode != EXIT_BAD_INPUT:
        return None
    return EmitEvent(event=Shutdown(reason=f"{event.process_name} refuses its input, as it says above"))
