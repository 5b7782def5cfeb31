"""The command as a user runs it, and real images over real DDS."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from listener_head.doctor import dds
from listener_head.doctor.checks import CHECKS
from listener_head.doctor.finding import Status, failure, ok, warning
from listener_head.doctor.image_link import READ
from listener_head.doctor.report import exit_status, summary, write_findings
from listener_head.errors import UserError
from listener_head.runner import environment, own_domain

COMMAND = [sys.executable, "-c", "import sys; from listener_head.cli import main; sys.exit(main())", "doctor"]

# Fast DDS as it is without config/fastdds.xml, with too little shared memory for a picture.
TINY = """<profiles xmlns="http://www.eprosima.com">
  <transport_descriptors>
    <transport_descriptor>
      <transport_id>small</transport_id>
      <type>SHM</type>
      <segment_size>524288</segment_size>
    </transport_descriptor>
  </transport_descriptors>
  <participant profile_name="mine" is_default_profile="true">
    <rtps>
      <userTransports><transport_id>small</transport_id></userTransports>
      <useBuiltinTransports>false</useBuiltinTransports>
    </rtps>
  </participant>
</profiles>
"""


def doctor(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, "COLUMNS": "100", **variables},
    )


@pytest.mark.alone
def test_the_command_tells_all_subjects_writes_them_and_fails_for_one(tmp_path):
    path = tmp_path / "out" / "doctor.json"
    done = doctor("--json", path, ROS_DOMAIN_ID="home")
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "ROS_DOMAIN_ID is 'home'" in done.stdout
    assert "→ export ROS_DOMAIN_ID=0" in done.stdout
    findings = {finding["subject"]: finding for finding in json.loads(path.read_text())["findings"]}
    assert list(findings) == [check.subject for check in CHECKS]
    for finding in findings.values():
        assert finding["text"] and "\n" not in finding["text"] + finding["fix"]
        assert bool(finding["fix"]) is (finding["status"] != Status.OK)
        assert finding["subject"] in done.stdout
    # What every computer that runs these tests has.
    assert {findings[name]["status"] for name in ("Python", "messages", "head", "graphics")} == {"ok"}
    assert "images of 640 x 480 arrived" in findings["transport"]["text"]


@pytest.mark.parametrize(
    ("found", "status", "line"),
    [
        ({"disk": ok("large")}, 0, "all is well"),
        ({"disk": ok("large"), "clock": warning("late", "set it")}, 0, "failures: 0, warnings: 1"),
        ({"disk": failure("full", "empty it"), "clock": ok("right")}, 1, "failures: 1, warnings: 0"),
    ],
)
def test_only_failures_count(found, status, line):
    assert exit_status(found) == status
    assert summary(found) == line


def test_findings_that_cannot_be_written_are_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot write"):
        write_findings({"disk": ok("large")}, tmp_path / "file" / "doctor.json")


@pytest.mark.alone
def test_the_users_profile_is_put_to_the_test(tmp_path, monkeypatch):
    profile = tmp_path / "mine.xml"
    profile.write_text(TINY)
    monkeypatch.setenv("FASTRTPS_DEFAULT_PROFILES_FILE", str(profile))
    found = dds.transport()
    assert found.status is Status.FAILURE, found
    assert "FASTRTPS_DEFAULT_PROFILES_FILE" in found.fix


def test_in_a_domain_with_nobody_the_reader_gives_up():
    done = subprocess.run(
        [sys.executable, "-m", "listener_head.doctor.image_link", READ, "--patience", "0.3"],
        env=environment(own_domain()),
        capture_output=True,
        text=True,
    )
    said = json.loads(done.stdout)
    assert said["matched"] is None and said["latencies_ms"] == []
