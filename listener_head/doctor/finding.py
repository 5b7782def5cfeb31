"""What a check says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from listener_head.errors import UserError


class Status(StrEnum):
    """How grave a finding is."""

    OK = "ok"
    WARNING = "warning"  # something will not work or not well, which not everybody needs
    FAILURE = "failure"  # listener_head does not run like this


@dataclass(frozen=True)
class Finding:
    """``text`` is one line about what was found, ``fix`` one about what to do, if there is anything."""

    status: Status
    text: str
    fix: str = ""


def ok(text: str) -> Finding:
    """All is well."""
    return Finding(Status.OK, text)


def warning(text: str, fix: str) -> Finding:
    """Something will not work or not well."""
    return Finding(Status.WARNING, text, fix)


def failure(text: str, fix: str) -> Finding:
    """Listener_head does not run like this."""
    return Finding(Status.FAILURE, text, fix)


def refusal(problem: UserError) -> Finding:
    """The failure that a UserError tells of: its line names the thing, and after a semicolon the fix."""
    text, _, fix = str(problem).partition("; ")
    return failure(text, fix)


def worst(findings: Sequence[Finding]) -> Finding:
    """One finding of several: all texts, the gravest status, and its fix."""
    order = list(Status)
    gravest = max(findings, key=lambda finding: order.index(finding.status))
    return Finding(gravest.status, "; ".join(finding.text for finding in findings), gravest.fix)
