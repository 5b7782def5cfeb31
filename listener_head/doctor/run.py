"""Runs the checks, each in a process of its own: one that crashes or hangs becomes a finding."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from listener_head.doctor.checks import Check
from listener_head.doctor.finding import Finding, Status, failure

Findings = dict[str, Finding]
"""By subject, in the order of the checks."""

AT_ONCE = 3  # checks side by side, of those that are not timed
KILLED = 1.0  # [s] to wait for a process that was killed: one that hangs in a driver stays


def run_checks(
    checks: Sequence[Check], begun: Callable[[str], None], told: Callable[[str, Finding], None]
) -> Findings:
    """Runs all of them, the timed ones last and one after another.

    ``begun`` hears of a subject when its check starts, ``told`` of what it found; both on other threads.
    """

    def run(check: Check) -> tuple[str, Finding]:
        begun(check.subject)
        finding = run_check(check)
        told(check.subject, finding)
        return check.subject, finding

    found: Findings = {}
    for timed, at_once in ((False, AT_ONCE), (True, 1)):
        with ThreadPoolExecutor(at_once) as pool:
            found |= dict(pool.map(run, (check for check in checks if check.timed is timed)))
    return {check.subject: found[check.subject] for check in checks}


def run_check(check: Check, command: Sequence[str] = ()) -> Finding:
    """What a check finds; ``command`` takes the place of its process."""
    try:
        process = subprocess.Popen(
            command or [sys.executable, "-m", "listener_head.doctor.child", check.subject],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,  # so that its own processes end with it
        )
    except OSError as problem:
        return failure(f"the check does not start ({problem.strerror})", "end other programs, and look again")
    try:
        out, problems = process.communicate(timeout=check.limit)
    except subprocess.TimeoutExpired:
        _kill(process)
        return failure(f"no answer within {check.limit:g} s", check.remedy)
    if process.returncode or not out:
        return failure(_last_words(process.returncode, problems), check.remedy)
    answer = json.loads(out)
    return Finding(Status(answer["status"]), answer["text"], answer["fix"])


def _kill(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(KILLED)


def _last_words(status: int, problems: str) -> str:
    ended = f"died by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
    lines = problems.strip().splitlines()
    return f"the check {ended}: {lines[-1].strip()}" if lines else f"the check {ended}"
