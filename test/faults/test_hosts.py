"""Two hosts with a bad network between them: two network namespaces of the kernel, joined by the test."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tunnel import Tunnel, open_tun

from listener_head.demo import shipped_clip
from listener_head.runner import SOURCE, GraphRunner, own_domain
from listener_head.soak.run import endless_nodes

NAMESPACE = "hosts"
LOSS, DELAY = 0.3, 0.2  # share of the messages, and seconds
# The robot's host has camera, microphone and motors; perception of the picture is there as well, since hardly
# one picture would arrive: it is several datagrams, and all of them have to.
ON_THE_ROBOT = (SOURCE, "face_fit", "joint_mapper", "simulated_robot")
ADDRESSES = ("10.213.57.1", "10.213.57.2")
PATIENCE = 40.0  # [s]

WATCH = Path(__file__).with_name("watch_joints.py")


@dataclass
class Hosts:
    """Names of the two namespaces, and the tunnel between them."""

    names: tuple[str, str]
    tunnel: Tunnel

    def enter(self, host: int) -> list[str]:
        subnet = "ROS_AUTOMATIC_DISCOVERY_RANGE=SUBNET"
        return ["ip", "netns", "exec", self.names[host], "env", subnet]


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    if shutil.which("ip") is None:
        pytest.skip("ip (iproute2), which makes the hosts, is not on this machine")
    number = os.getpid() % 10**6
    names = (f"robot{number}", f"computer{number}")
    devices = (f"lr{number}", f"lc{number}")
    try:
        try:
            ends = [join(*host) for host in zip(names, devices, ADDRESSES, strict=True)]
        except OSError as problem:
            pytest.skip(f"network namespaces may not be made here: {problem}")
        tunnel = Tunnel(ends)
        yield Hosts(names, tunnel)
        tunnel.close()
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


def join(name: str, device: str, address: str) -> int:
    """Makes a host with one network device; gives the file that the device's packets come from and go to."""
    ip("netns", "add", name)
    end = open_tun(device)
    ip("link", "set", device, "netns", name)
    inside = ("-n", name)
    ip(*inside, "addr", "add", f"{address}/24", "dev", device)
    # A message is one packet then, and the share of lost packets that of lost messages.
    ip(*inside, "link", "set", device, "mtu", "65000", "multicast", "on", "up")
    ip(*inside, "link", "set", "lo", "up")
    ip(*inside, "route", "add", "224.0.0.0/4", "dev", device)
    return end


def ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


@pytest.mark.alone
def test_a_robot_far_away_from_its_computer(hosts, full, tmp_path):
    for folder in ("robot", "computer"):
        (tmp_path / folder).mkdir()
    nodes = [node for node in endless_nodes(shipped_clip()) if node.executable != "renderer"]
    near = [node for node in nodes if node.executable in ON_THE_ROBOT]
    far = [node for node in nodes if node.executable not in ON_THE_ROBOT]
    domain = own_domain()
    with (
        GraphRunner(near, NAMESPACE, True, tmp_path / "robot", domain, prefix=hosts.enter(0)) as robot,
        GraphRunner(far, NAMESPACE, True, tmp_path / "computer", domain, prefix=hosts.enter(1)) as computer,
    ):
        pids = {**robot.pids, **computer.pids}
        wait_for(robot.source_started, "the speaker")
        good = watch(hosts, domain, 2.0)
        hosts.tunnel.loss, hosts.tunnel.delay = LOSS, DELAY
        bad = watch(hosts, domain, 30.0 if full else 3.0)
        hosts.tunnel.loss, hosts.tunnel.delay = 0.0, 0.0
        again = watch(hosts, domain, 2.0)
        assert not robot.poll()
        assert not computer.poll()
        assert {**robot.pids, **computer.pids} == pids
    for seen in (good, bad, again):
        assert not seen["wrong"]
        assert seen["answers"] > 0
    # As many as on a whole network, within what a busy machine makes of it.
    assert again["answers"] > 0.5 * good["answers"]
    assert bad["states"] > 0.5 * bad["seconds"] * 100  # the robot goes on


def wait_for(condition, what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE} s for {what}"
        time.sleep(0.1)


def watch(hosts: Hosts, domain: int, seconds: float) -> dict:
    """What a process on the robot's host sees for so long."""
    command = [
        *hosts.enter(0),
        f"ROS_DOMAIN_ID={domain}",
        sys.executable,
        str(WATCH),
        NAMESPACE,
        str(seconds),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + PATIENCE)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
