"""The commands `listener_head robots ...`.

They are not in `listener_head.robot`, which takes half a second to import; each imports what it needs.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from listener_head.errors import UserError

if TYPE_CHECKING:
    from listener_head.robot import Robot

app = typer.Typer(help="Robot heads: list, show, check against a URDF.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name or path of a robot file.")]


@app.command("list")
def list_robots() -> None:
    """List the robot files that ship.

    Example: listener_head robots list
    """
    from listener_head.robot.robot_file import load_robot, robot_files

    table = Table("robot", "description", "follows", "joints", "verified")
    for path in robot_files():
        robot = load_robot(path)
        follows = [*robot.head_angles, *(["face"] if robot.shows_expression else [])]
        table.add_row(
            path.stem,
            escape(robot.description),
            ", ".join(follows),
            str(len(robot.joints)),
            _verified(robot),
        )
    Console().print(table)


@app.command()
def show(name: Name) -> None:
    """Show a robot's joints, what drives them, their limits with sources, and how late a nod comes.

    Example: listener_head robots show tiago
    """
    from listener_head.robot import load_robot

    robot = load_robot(name)
    console = Console()
    _print_head(console, robot)
    console.print(_joints(robot))
    _print_lights(console, robot)
    console.print(_limits(robot))
    console.print(_nods(robot))


@app.command()
def check(
    name: Name,
    urdf: Annotated[Path | None, typer.Option(help="The robot's URDF file.")] = None,
    topic: Annotated[
        str | None, typer.Option(help="Topic that has the URDF, such as robot_description.")
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the topic.", min=0.1)] = 5.0,
) -> None:
    """Check the way a robot's head turns, and its file against a URDF; status 1 if anything is wrong.

    Example: listener_head robots check tiago --topic robot_description
    """
    from listener_head.robot import load_robot
    from listener_head.robot.check import check as check_robot
    from listener_head.robot.urdf_reader import parse_urdf, read_urdf

    if urdf is not None and topic is not None:
        raise UserError("--urdf and --topic are both given; choose one source of the URDF")
    robot = load_robot(name)
    described = None
    if urdf is not None:
        described = read_urdf(urdf)
    elif topic is not None:
        from listener_head.ros.robot_description import read_robot_description

        described = parse_urdf(read_robot_description(topic, timeout), f"the text on topic '{topic}'")
    console = Console()
    _print_head(console, robot)
    console.print(_nods(robot))
    findings = check_robot(robot, described)
    if findings:
        table = Table("", "what", "finding")
        for finding in sorted(findings, key=lambda finding: not finding.wrong):
            mark = "[bold red]wrong[/]" if finding.wrong else "note"
            table.add_row(mark, escape(finding.subject), escape(finding.message))
        console.print(table)
    wrong = sum(finding.wrong for finding in findings)
    against = (
        "itself; --urdf or --topic compares it with the robot's URDF" if described is None else "the URDF"
    )
    console.print(f"{wrong or 'nothing'} wrong, checked against {against}", soft_wrap=True)
    if wrong:
        raise typer.Exit(1)


def _print_head(console: Console, robot: Robot) -> None:
    console.print(f"[bold]{escape(robot.name)}[/]: {escape(robot.description)}", soft_wrap=True)
    console.print(f"verified on the robot: {_verified(robot)}; {robot.rate:g} commands a second")
    for command in robot.commands:
        joints = "all joints" if command.joints is None else ", ".join(command.joints)
        line = f"{command.type} on {command.topic}: {joints} [{command.unit}]"
        console.print(escape(line), soft_wrap=True)
    if robot.urdf is not None:
        console.print(escape(f"URDF: {robot.urdf}"), soft_wrap=True)


def _joints(robot: Robot) -> Table:
    legs = () if robot.platform is None else tuple(leg.joint for leg in robot.platform.legs)
    table = Table("joint", "driven by (rad per rad, or per full expression)", "neutral")
    for joint in robot.joints:
        driven = ", ".join(f"{gain:+g} {signal}" for signal, gain in joint.drive.items())
        still = "the platform" if joint.name in legs else "nothing: it keeps still"
        table.add_row(escape(joint.name), driven or still, f"{joint.neutral:g} rad")
    return table


def _limits(robot: Robot) -> Table:
    from listener_head.robot.description import UNITS

    table = Table()
    for column in ("joint", "limit", "value"):
        table.add_column(column, no_wrap=True)
    table.add_column("source")
    for joint in robot.joints:
        position = joint.limits.position
        value = f"{position.min:g} to {position.max:g} rad"
        table.add_row(escape(joint.name), "position", value, escape(position.source))
        for quantity in ("velocity", "acceleration", "jerk"):
            limit = getattr(joint.limits, quantity)
            table.add_row("", quantity, f"{limit.max:g} {UNITS[quantity]}", escape(limit.source))
        table.add_section()
    return table


def _print_lights(console: Console, robot: Robot) -> None:
    for light in robot.lights:
        driven = ", ".join(f"{gain:+g} {signal}" for signal, gain in light.drive.items())
        console.print(escape(f"light on {light.topic}: {light.base:g} {driven}"), soft_wrap=True)


def _nods(robot: Robot) -> Table:
    """What the robot's own limits leave of a nod."""
    from listener_head.robot.response import NODS, nod

    table = Table("nod", "comes after", "amplitude kept", title="what the limits leave of a nod")
    for frequency, amplitude in NODS:
        response = nod(robot, frequency, amplitude)
        table.add_row(
            f"{frequency:g} Hz, ±{amplitude:g}°",
            "-" if response.delay is None else f"{1e3 * response.delay:.0f} ms",
            f"{response.kept:.2f}",
        )
    return table


def _verified(robot: Robot) -> str:
    return "yes" if robot.verified else "no"
