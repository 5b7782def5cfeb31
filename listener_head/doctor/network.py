"""What lies between this computer and others: multicast, by which nodes find each other, and a firewall."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from shutil import which

import psutil

from listener_head.doctor.finding import Finding, ok, warning

GROUP = "239.255.0.1"  # where DDS participants announce themselves (RTPS 9.6.1.4.1)
PATIENCE = 0.5  # [s]
UFW = Path("/etc/ufw/ufw.conf")

_PEERS = "name the other computer: export ROS_STATIC_PEERS=ADDRESS"


def interfaces() -> dict[str, str]:
    """IPv4 address of each network interface that is up, the loopback left out."""
    up = {name for name, facts in psutil.net_if_stats().items() if facts.isup}
    return {
        name: address.address
        for name, addresses in psutil.net_if_addrs().items()
        for address in addresses
        if address.family == socket.AF_INET and name in up and not address.address.startswith("127.")
    }


def multicast(found: Mapping[str, str] | None = None) -> Finding:
    """Whether a socket that joins DDS's group on each interface hears what it sends there."""
    found = interfaces() if found is None else found
    if not found:
        return ok("no network interface is up: nodes of this computer alone can be found")
    problems = {name: problem for name, address in found.items() if (problem := deaf(address))}
    if not problems:
        return ok(f"heard on {', '.join(found)}")
    text = ", ".join(f"{name} ({problem})" for name, problem in problems.items())
    return warning(f"not heard on {text}: nodes of other computers are not found by themselves", _PEERS)


def deaf(address: str) -> str:
    """Why multicast does not work on the interface of an IPv4 address; empty if it does."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        try:
            receiver.bind(("", 0))
            membership = socket.inet_aton(GROUP) + socket.inet_aton(address)
            receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
            receiver.settimeout(PATIENCE)
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
            sender.sendto(b"listener_head", (GROUP, receiver.getsockname()[1]))
            receiver.recv(64)
        except TimeoutError:
            return "nothing arrives"
        except OSError as problem:
            return problem.strerror or str(problem)
    return ""


def firewall(
    ufw: Path = UFW, ask_firewalld: Sequence[str] = ("firewall-cmd", "--state"), domain: str | None = None
) -> Finding:
    """Whether one of the usual firewalls is on; its rules are root's to read."""
    active = [name for name, on in (("ufw", _ufw_is_on(ufw)), ("firewalld", _answers(ask_firewalld))) if on]
    if not active:
        return ok("neither ufw nor firewalld is on")
    # RTPS 9.6.1.1: port base 7400, domain gain 250.
    number = domain if domain is not None else os.environ.get("ROS_DOMAIN_ID", "0")
    first = 7400 + 250 * int(number if number.isdecimal() else 0)
    ports = f"UDP {first} to {first + 249}"
    if active[0] == "ufw":
        remedy = f"sudo ufw allow proto udp from 192.168.0.0/16 to any port {first}:{first + 249}"
    else:
        remedy = f"sudo firewall-cmd --add-port={first}-{first + 249}/udp"
    return warning(f"{active[0]} is on: for nodes of other computers it must let {ports} through", remedy)


def _ufw_is_on(configuration: Path) -> bool:
    with suppress(OSError):
        lines = configuration.read_text(errors="replace").splitlines()
        return any(line.strip().lower() == "enabled=yes" for line in lines)
    return False


def _answers(command: Sequence[str]) -> bool:
    return which(command[0]) is not None and subprocess.run(command, capture_output=True).returncode == 0
