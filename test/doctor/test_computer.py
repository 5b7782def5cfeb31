"""What the checks say of a computer: real conditions where they can be made."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from listener_head.doctor import (
    devices,
    graphics,
    inference,
    machine,
    models,
    network,
    packages,
    shared_memory,
)
from listener_head.doctor.finding import Status
from listener_head.doctor.machine import ClockState
from listener_head.doctor.shared_memory import MB, Space

NEEDED = int(150 * MB)


@pytest.mark.parametrize(
    ("space", "status", "remedy"),
    [
        (Space(int(1000 * MB), int(900 * MB), 0), Status.OK, ""),
        (Space(int(1000 * MB), int(900 * MB), int(20 * MB)), Status.OK, ""),
        (Space(int(1000 * MB), int(700 * MB), int(200 * MB)), Status.WARNING, "shm clean"),
        (Space(int(64 * MB), int(64 * MB), 0), Status.FAILURE, "--shm-size"),
        (Space(int(200 * MB), int(50 * MB), int(120 * MB)), Status.FAILURE, "shm clean"),
    ],
)
def test_room_in_shared_memory(space, status, remedy):
    found = shared_memory.judge(space, NEEDED)
    assert found.status is status
    assert remedy in found.fix


def test_what_the_nodes_need_is_that_of_the_profile():
    assert 100 * MB < shared_memory.needed_bytes() < 200 * MB


def test_segments_without_a_living_owner_are_counted(tmp_path):
    for name in ("fastrtps_0123456789abcdef", "fastrtps_fedcba9876543210"):
        (tmp_path / name).write_bytes(b"x" * 500_000)
        (tmp_path / f"{name}_el").touch()
    (tmp_path / "somebody_else").write_bytes(b"x" * 500_000)
    hold = """
import fcntl, sys
with open(sys.argv[1], "rb") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    print("held", flush=True)
    input()
"""
    owner = subprocess.Popen(
        [sys.executable, "-c", hold, tmp_path / "fastrtps_0123456789abcdef_el"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout.readline()
    assert 500_000 <= shared_memory.left_behind(tmp_path) < 600_000
    owner.communicate("\n")
    assert 1_000_000 <= shared_memory.left_behind(tmp_path) < 1_200_000


def test_shared_memory_that_is_not_there(tmp_path):
    assert shared_memory.shared_memory(tmp_path / "shm").status is Status.FAILURE


def test_a_shared_memory_as_small_as_dockers():
    mount = "mount -t tmpfs -o size=64m tmpfs /dev/shm"
    unshared = ["unshare", "--mount", "--map-root-user", "sh", "-c"]
    if subprocess.run([*unshared, mount], capture_output=True).returncode:
        pytest.skip("this user may not mount a file system of his own")
    child = f"{sys.executable} -m listener_head.doctor.child 'shared memory'"
    done = subprocess.run([*unshared, f"{mount} && exec {child}"], capture_output=True, text=True)
    found = json.loads(done.stdout)
    assert found["status"] == "failure", done.stderr
    assert "of 67 MB are free" in found["text"]


def test_multicast_on_the_interfaces_there_are():
    assert network.multicast().status in (Status.OK, Status.WARNING)
    assert network.multicast({}).text.startswith("no network interface")


def test_multicast_on_an_interface_that_is_not_there():
    found = network.multicast({"eth7": "192.0.2.7"})  # RFC 5737: nobody's address
    assert found.status is Status.WARNING
    assert "eth7" in found.text
    assert "ROS_STATIC_PEERS" in found.fix


def test_loopback_is_no_way_to_other_computers():
    assert not any(address.startswith("127.") for address in network.interfaces().values())
    assert all(socket.inet_aton(address) for address in network.interfaces().values())


def test_firewalls(tmp_path):
    ufw = tmp_path / "ufw.conf"
    assert network.firewall(ufw, ["/no/firewall-cmd"]).status is Status.OK
    ufw.write_text("# comment\nENABLED=no\n")
    assert network.firewall(ufw, ["false"]).status is Status.OK
    ufw.write_text("ENABLED=yes\nLOGLEVEL=low\n")
    found = network.firewall(ufw, ["false"], domain="1")
    assert found.status is Status.WARNING
    assert "UDP 7650 to 7899" in found.text
    assert "7650:7899" in found.fix
    ufw.unlink()
    assert "firewalld" in network.firewall(ufw, ["true"], domain="0").text


def test_graphics_of_this_computer():
    assert graphics.devices(nvidia=Path("/no/nvidia")).status is Status.OK


def test_graphics_without_a_driver(tmp_path):
    code = "from listener_head.doctor.graphics import devices; print(devices())"
    variables = {"__EGL_VENDOR_LIBRARY_FILENAMES": str(tmp_path / "none.json")}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **variables}, capture_output=True, text=True
    )
    assert "Status.FAILURE" in done.stdout and "libegl1" in done.stdout, done.stderr


def test_pictures_are_judged():
    noise = np.random.default_rng(0).integers(0, 255, (8, 8, 3), np.uint8)
    assert graphics.judge(noise, 10.0, "llvmpipe").status is Status.OK
    assert graphics.judge(noise, 40.0, "llvmpipe").status is Status.WARNING
    assert graphics.judge(np.full((8, 8, 3), 200, np.uint8), 10.0, "card").status is Status.FAILURE


def test_providers_that_do_not_load_are_told(tmp_path):
    assert inference.providers(["cpu"]).status is Status.OK
    found = inference.providers(["tensorrt", "cpu"])
    if found.status is Status.OK:
        pytest.skip("TensorRT loads on this computer")
    assert found.status is Status.WARNING and "tensorrt does not load" in found.text
    broken = tmp_path / "network.onnx"
    broken.write_bytes(b"nothing")
    assert inference.providers(["cpu"], broken).status is Status.FAILURE


def test_cameras(tmp_path):
    found = devices.cameras(tmp_path)
    assert found.status is Status.WARNING and "no camera" in found.text
    (tmp_path / "video0").write_bytes(b"")
    (tmp_path / "video-of-my-cat").write_bytes(b"")
    found = devices.cameras(tmp_path)
    assert found.status is Status.FAILURE
    assert f"{tmp_path}/video0 does not answer" in found.text


def test_what_a_microphone_gives_is_judged():
    silence, speech = np.zeros((480, 1), np.int16), np.full((480, 1), -32768, np.int16)
    assert "no sound" in devices.judge_sound([], 48000).text
    assert devices.judge_sound([silence], 48000).status is Status.WARNING
    found = devices.judge_sound([silence, speech], 48000)
    assert found.status is Status.OK and "up to 0 dB" in found.text


def test_models_that_ship():
    assert models.listener_network().status in (Status.OK, Status.WARNING)
    assert models.face_tracker().status is Status.OK
    assert models.head().status is Status.OK


def test_a_broken_network_and_a_clip_without_a_face(tmp_path, write_clip):
    broken = tmp_path / "network.onnx"
    broken.write_bytes(b"nothing")
    found = models.listener_network(broken)
    assert found.status is Status.FAILURE
    assert "network.onnx" in found.text and found.fix
    assert models.face_tracker(write_clip(tmp_path / "wall.mkv")).status is Status.FAILURE
    assert models.face_tracker(tmp_path / "no.mp4").status is Status.FAILURE


def test_optional_packages_say_what_they_are_for():
    found = packages.optional_packages({"json": "everything", "no_such_msgs": "robots of tomorrow"})
    assert found.status is Status.OK
    assert found.text == "there: json; not there: no_such_msgs (for robots of tomorrow)"


@pytest.mark.parametrize(
    ("cores", "load", "status"),
    [(4, 0.5, Status.OK), (4, 3.5, Status.WARNING), (1, 0.0, Status.WARNING)],
)
def test_processor(cores, load, status):
    assert machine.processor(cores, load).status is status


def test_memory_and_disk(tmp_path):
    assert machine.memory(4000.0).status is Status.OK
    assert "--no-processes" in machine.memory(800.0).fix
    assert machine.disk(tmp_path, free=10**10).status is Status.OK
    assert machine.disk(tmp_path, free=10**9).status is Status.WARNING
    assert machine.disk(tmp_path, free=10**7).status is Status.FAILURE
    assert str(tmp_path) in machine.disk(tmp_path).text


@pytest.mark.parametrize(
    ("state", "status", "text"),
    [
        (ClockState(True, 0.01), Status.OK, "synchronised"),
        (ClockState(None, 0.01), Status.OK, "does not tell"),
        (ClockState(False, 0.01), Status.WARNING, "not synchronised"),
        (ClockState(True, -40.0), Status.WARNING, "stepped by -40 ms"),
    ],
)
def test_clocks_are_judged(state, status, text):
    found = machine.judge_clock(state)
    assert found.status is status
    assert text in found.text


def test_the_clock_of_this_computer():
    assert machine.clock().status in (Status.OK, Status.WARNING)
