"""Nodes under a lifecycle manager, and processes that end when they are told to, whatever they are at."""

import os
import re
import signal
import time
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from node_process import start

from listener_head.graph import TOPICS
from listener_head.ros import qos
from listener_head.ros.interfaces import is_installed
from listener_head.ros.node import Phase
from listener_head.ros.stopping import GRACE

CONFIGURE, CLEANUP = Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_CLEANUP
ACTIVATE, DEACTIVATE = Transition.TRANSITION_ACTIVATE, Transition.TRANSITION_DEACTIVATE
END_WITHIN = 2.0  # [s]

# How each node is started, and a parameter that is fixed while it is active with another value.
CYCLES = {
    "action_units": ({}, "face_model", ""),
    "audio_features": ({}, "layout", "paper45"),
    "face_fit": ({}, "backend", "landmarks"),
    "joint_mapper": ({"simulated": True}, "robot", "pepper"),
    "listener": ({}, "frame_id", "other_camera"),
    "live_link": ({}, "port", 22222),
    "recorder": ({"topics": "['attitude']"}, "output", "second"),
    "renderer": ({"size": 16, "device": "cpu"}, "size", 32),
    "simulated_robot": ({}, "robot", "pepper"),
    "speaker_source": ({"camera": -1, "microphone": "none"}, "frame_id", "other"),
    "viewer": ({"port": 0, "open_browser": False}, "open_browser", False),
}


def transition(bench, node, number):
    request = ChangeState.Request(transition=Transition(id=number))
    return bench.call(ChangeState, f"{node.get_name()}/change_state", request).success


def endpoints(node):
    """What others see of a node."""
    return [
        sorted(each.topic_name for each in (*node.publishers, *node.subscriptions)),
        sorted(service.srv_name for service in node.services),
        len(list(node.timers)),
        len(list(node.waitables)),
    ]


@pytest.mark.parametrize("executable", CYCLES)
def test_it_is_configured_anew_with_other_parameters(bench, executable, tmp_path, monkeypatch):
    if executable == "action_units" and not is_installed("hri_msgs"):
        pytest.skip("hri_msgs is not installed")
    monkeypatch.chdir(tmp_path)
    parameters, name, value = CYCLES[executable]
    node = bench.configured(executable, **parameters)
    unconfigured = endpoints(node)
    active = []
    for _ in range(3):
        assert transition(bench, node, CONFIGURE) and transition(bench, node, ACTIVATE), node.problem
        assert "deactivate and clean up first" in bench.set(executable, name, value).reason
        active.append(endpoints(node))
        assert transition(bench, node, DEACTIVATE)
        assert transition(bench, node, CLEANUP)
        assert endpoints(node)[1:] == unconfigured[1:]
        assert [topic for topic in endpoints(node)[0] if topic in TOPICS] == []
        bench.change(executable, name, value)
        if executable == "recorder":
            value = f"{value}_too"  # a recording is not written over
    assert active[1] == active[2]


def test_what_is_set_while_inactive_waits_for_the_next_configure(bench):
    node = bench.configured("renderer", size=16, device="cpu")
    assert transition(bench, node, CONFIGURE)
    result = bench.set("renderer", "size", 32)
    assert result.successful and "next configure" in result.reason


def test_a_configure_that_failed_can_be_tried_again(bench):
    diagnostics = []
    bench.probe.create_subscription(DiagnosticArray, "/diagnostics", diagnostics.append, qos.RESULT)
    node = bench.configured("listener", network="/nowhere.onnx", diagnostics_rate=10.0)
    unconfigured = endpoints(node)
    assert not transition(bench, node, CONFIGURE)
    assert node.phase is Phase.UNCONFIGURED and endpoints(node) == unconfigured

    def said():
        return [
            status for array in diagnostics for status in array.status if "/nowhere.onnx" in status.message
        ]

    bench.until(lambda: len(said()) > 2, "the diagnostics")  # it stays until the next attempt
    assert {status.level for status in said()} == {DiagnosticStatus.ERROR}
    bench.change("listener", "network", "")
    assert transition(bench, node, CONFIGURE) and transition(bench, node, ACTIVATE)
    diagnostics.clear()
    bench.until(lambda: len(diagnostics) > 2, "more diagnostics")
    assert diagnostics[-1].status[0].message == "running"


def test_an_error_of_ours_leaves_a_node_that_can_be_tried_again(bench, monkeypatch):
    node = bench.configured("simulated_robot")
    monkeypatch.setattr(node, "activate", lambda: 1 / 0)
    assert transition(bench, node, CONFIGURE)
    assert not transition(bench, node, ACTIVATE)
    assert node.phase is Phase.UNCONFIGURED
    monkeypatch.undo()
    assert transition(bench, node, CONFIGURE) and transition(bench, node, ACTIVATE)


def test_a_node_that_a_manager_has_shut_down_ends_quietly(bench):
    node = bench.start("simulated_robot")
    assert transition(bench, node, Transition.TRANSITION_ACTIVE_SHUTDOWN)
    assert node.phase is Phase.FINALIZED
    node.shut_down()


# Processes


def wait_for_handlers(process):
    """Until the process has its own handler of SIGTERM, which it has before it imports anything heavy."""
    bit = 1 << (signal.SIGTERM - 1)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        status = Path(f"/proc/{process.pid}/status").read_text()
        fields = dict(line.split(":", 1) for line in status.splitlines())
        if int(fields["SigCgt"], 16) & bit:
            return
        time.sleep(0.002)
    raise AssertionError("no handler")


def assert_ends(process, number):
    began = time.monotonic()
    process.send_signal(number)
    try:
        said, _ = process.communicate(timeout=20)
    finally:
        process.kill()
    took = time.monotonic() - began
    assert took < END_WITHIN, said
    assert process.returncode == 0, said
    assert "Traceback" not in said and "KeyboardInterrupt" not in said
    return took


@pytest.mark.alone
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.parametrize("after_s", [0.0, 0.2, 0.5, 0.9, 1.4])
def test_it_ends_while_it_still_starts(number, after_s):
    process = start("face_fit")
    wait_for_handlers(process)
    time.sleep(after_s)  # imports, then loads its network, then spins
    assert_ends(process, number)


@pytest.mark.alone
def test_it_ends_while_something_hangs(tmp_path):
    pipe = tmp_path / "robot.yaml"
    os.mkfifo(pipe)  # whoever opens it waits for a writer
    process = start("joint_mapper", "-p", f"robot:={pipe}")
    wait_for_handlers(process)
    time.sleep(1.5)
    assert process.poll() is None
    assert_ends(process, signal.SIGTERM)


@pytest.mark.alone
def test_it_leaves_nothing_in_shared_memory():
    """Unless it was so late that it was left behind, which a busy machine may do to it once."""
    for _ in range(3):
        of_others = set(Path("/dev/shm").glob("fastrtps_*"))  # it maps those that write to it, as we do
        process = start("simulated_robot")
        for line in process.stdout:
            if line.rstrip().endswith("active"):
                break
        maps = Path(f"/proc/{process.pid}/maps").read_text()
        segments = {Path(name) for name in re.findall(r"/dev/shm/fastrtps_[0-9a-f]{16}", maps)}
        segments -= of_others
        assert segments
        took = assert_ends(process, signal.SIGINT)
        if took < GRACE:
            break
    left = [segment for segment in segments if segment.exists()]
    assert not left, f"ended within {took:.2f} s"


@pytest.mark.alone
def test_it_ends_unconfigured():
    process = start("joint_mapper", "-p", "autostart:=false", "-p", "diagnostics_rate:=10.0")
    wait_for_handlers(process)
    time.sleep(1.5)
    assert process.poll() is None
    assert_ends(process, signal.SIGINT)
