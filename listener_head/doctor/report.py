"""The findings as a table, while they come in and at the end, and as a file."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from listener_head import __version__
from listener_head.doctor.checks import Check
from listener_head.doctor.finding import Finding, Status
from listener_head.doctor.run import Findings, run_checks
from listener_head.files import replacing

_MARKS = {
    Status.OK: "[green]ok[/]",
    Status.WARNING: "[bold yellow]warning[/]",
    Status.FAILURE: "[bold red]failure[/]",
}


def watch_checks(checks: Sequence[Check], console: Console) -> Findings:
    """Runs the checks with a display of what is done and what is under way."""
    begun: dict[str, Spinner] = {}
    found: Findings = {}

    def begin(subject: str) -> None:
        begun[subject] = Spinner("dots", text=subject)

    def screen() -> Group:
        running = [spinner for subject, spinner in begun.copy().items() if subject not in found]
        counted = Text(f"{len(found)} of {len(checks)} looked at", style="dim")
        return Group(*running, counted)

    with Live(get_renderable=screen, console=console, transient=True, refresh_per_second=8):
        return run_checks(checks, begin, found.__setitem__)


def table(found: Findings) -> Table:
    """All findings; what to do stands below what is wrong."""
    view = Table("", "subject")
    view.add_column("found", overflow="fold")
    for subject, finding in found.items():
        text = escape(finding.text)
        fix = f"\n[bold]→ {escape(finding.fix)}[/]" if finding.fix else ""
        view.add_row(_MARKS[finding.status], escape(subject), text + fix)
    return view


def summary(found: Findings) -> str:
    """One line: how many fail and how many are warned of."""
    failures, warnings = (_count(found, status) for status in (Status.FAILURE, Status.WARNING))
    if not failures and not warnings:
        return "all is well"
    return f"failures: {failures}, warnings: {warnings}"


def exit_status(found: Findings) -> int:
    """Of the command: 1 when something fails."""
    return 1 if _count(found, Status.FAILURE) else 0


def _count(found: Findings, status: Status) -> int:
    return sum(finding.status is status for finding in found.values())


def write_findings(found: Findings, path: Path) -> None:
    """Writes ``{version, system, findings: [{subject, status, text, fix}]}`` as JSON.

    UserError when the file cannot be written.
    """
    content = {
        "version": __version__,
        "system": platform.platform(),
        "findings": [{"subject": subject, **_plain(finding)} for subject, finding in found.items()],
    }
    with replacing(path) as partial:
        partial.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _plain(finding: Finding) -> dict[str, str]:
    return {name: str(value) for name, value in asdict(finding).items()}
