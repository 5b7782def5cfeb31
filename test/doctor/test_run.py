"""A check that crashes, hangs or dies becomes a finding; the others go on."""

import sys
import time

import pytest

from listener_head.doctor import checks
from listener_head.doctor.checks import CHECKS, Check, check_of
from listener_head.doctor.finding import Finding, Status, failure, ok, refusal, warning, worst
from listener_head.doctor.run import run_check, run_checks
from listener_head.errors import UserError


def of(limit: float = 10.0) -> Check:
    return Check("driver", checks.machine.memory, limit, "plug it in again")


def python(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def test_a_check_that_raises_is_told_with_its_last_line():
    found = run_check(of(), python("raise ValueError('no such bus')"))
    assert found == failure("the check ended with status 1: ValueError: no such bus", "plug it in again")


def test_a_check_that_dies_is_told_with_the_signal():
    found = run_check(of(), python("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"))
    assert found == failure("the check died by SIGSEGV", "plug it in again")


def test_a_check_that_ends_without_a_word_is_told():
    assert run_check(of(), ["true"]) == failure("the check ended with status 0", "plug it in again")


def test_a_check_that_hangs_is_ended_with_its_own_processes(tmp_path):
    ticks = tmp_path / "ticks"
    ticking = f"while :; do echo >> {ticks}; sleep 0.05; done"
    began = time.monotonic()
    found = run_check(of(limit=0.5), ["sh", "-c", f"({ticking}) & trap '' TERM; {ticking}"])
    assert time.monotonic() - began < 5
    assert found == failure("no answer within 0.5 s", "plug it in again")
    size = ticks.stat().st_size
    time.sleep(0.3)
    assert ticks.stat().st_size == size


def test_a_program_that_cannot_be_started_is_told():
    assert run_check(of(), ["/no/such/program"]).status is Status.FAILURE


def test_checks_come_in_order_whatever_ends_first():
    chosen = [check_of(subject) for subject in ("disk", "processor", "Python")]
    begun, told = [], []
    found = run_checks(chosen, begun.append, lambda subject, finding: told.append((subject, finding)))
    assert list(found) == ["disk", "processor", "Python"]
    assert sorted(begun) == sorted(found)
    assert dict(told) == found


def test_every_subject_is_there_once_and_has_a_remedy():
    subjects = [check.subject for check in CHECKS]
    assert len(set(subjects)) == len(subjects)
    assert all(check.remedy and "\n" not in check.remedy for check in CHECKS)


def test_a_refusal_is_cut_into_what_is_wrong_and_what_to_do():
    assert refusal(UserError("file x is broken; fetch it again; or not")) == failure(
        "file x is broken", "fetch it again; or not"
    )


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ([ok("a"), ok("b")], Finding(Status.OK, "a; b")),
        ([ok("a"), warning("b", "do b")], Finding(Status.WARNING, "a; b", "do b")),
        ([failure("a", "do a"), warning("b", "do b")], Finding(Status.FAILURE, "a; b", "do a")),
    ],
)
def test_the_worst_of_several_counts(findings, expected):
    assert worst(findings) == expected
