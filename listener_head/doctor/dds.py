"""DDS: what its variables mean, and whether images really get from one process to another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median, quantiles

from listener_head.doctor.finding import Finding, failure, ok, warning
from listener_head.doctor.image_link import IMAGES, PATIENCE, READ, WRITE
from listener_head.doctor.ros_installation import PROFILE_VARIABLES
from listener_head.runner import environment, own_domain
from listener_head.timing import RATE_HZ

# Ports of larger domains lie among those that Linux gives to any program (32768 to 60999).
LARGEST_SAFE_DOMAIN, LARGEST_DOMAIN = 101, 232
RANGES = {
    "SUBNET": "nodes of this network are found",
    "LOCALHOST": "nodes of this computer alone are found",
    "OFF": "no node is found, not even on this computer",
    "SYSTEM_DEFAULT": "the middleware's own configuration says who is found",
}
SLOW_DISCOVERY = 3.0  # [s]
LATE_MS = 1e3 / RATE_HZ
MOST_LOST = 0.2  # of all images; more is not the other programs' fault alone


def settings(environ: Mapping[str, str] = os.environ) -> Finding:
    """What ROS_DOMAIN_ID, ROS_AUTOMATIC_DISCOVERY_RANGE, ROS_STATIC_PEERS and ROS_LOCALHOST_ONLY say."""
    text = environ.get("ROS_DOMAIN_ID") or "0"
    if not text.isascii() or not text.isdecimal() or int(text) > LARGEST_DOMAIN:
        return failure(f"ROS_DOMAIN_ID is '{text}', which is no domain", "export ROS_DOMAIN_ID=0 (to 101)")
    domain = f"domain {int(text)}"
    if int(text) > LARGEST_SAFE_DOMAIN:
        return warning(
            f"{domain}: its ports may be taken by other programs", "export ROS_DOMAIN_ID=0 (to 101)"
        )
    if environ.get("ROS_LOCALHOST_ONLY") == "1":
        return warning(
            f"{domain}; ROS_LOCALHOST_ONLY=1: {RANGES['LOCALHOST']}, whatever the newer variables say",
            "unset ROS_LOCALHOST_ONLY; export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST",
        )
    reach = environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE") or "SUBNET"
    if reach not in RANGES:
        return failure(
            f"ROS_AUTOMATIC_DISCOVERY_RANGE is '{reach}', which ROS takes for LOCALHOST",
            f"set it to one of {', '.join(RANGES)}",
        )
    said = f"{domain}, discovery {reach}: {RANGES[reach]}"
    if reach == "OFF":
        return warning(said, "unset ROS_AUTOMATIC_DISCOVERY_RANGE")
    peers = environ.get("ROS_STATIC_PEERS", "")
    return ok(f"{said}; and those on {peers}" if peers else said)


@dataclass(frozen=True)
class Link:
    """What a process that sends images and one that receives them have seen.

    ``discovery`` [s] from when both were there to when both knew of each other, None if they never did;
    ``latencies_ms`` of the images that arrived, of ``sent``.
    """

    discovery: float | None
    sent: int
    latencies_ms: tuple[float, ...]


def transport() -> Finding:
    """Images of 640 x 480 pixels, 30 a second, between two processes as nodes have them on this computer."""
    return judge(measure(), own_profile=any(name in os.environ for name in PROFILE_VARIABLES))


def measure(domain: int | None = None, patience: float = PATIENCE) -> Link:
    """Starts both processes in a domain of their own and asks what they have seen.

    Raises:
        RuntimeError: one of them ended early; the text is the last line that it said.
    """
    variables = environment(own_domain() if domain is None else domain)
    command = [sys.executable, "-m", "listener_head.doctor.image_link", "--patience", str(patience)]
    ends = [
        subprocess.Popen(
            [*command, end], env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for end in (READ, WRITE)
    ]
    reader, writer = (_said(end) for end in ends)
    if reader["matched"] is None or writer["matched"] is None:
        return Link(None, 0, ())
    both_there = max(reader["made"], writer["made"])
    discovery = max(reader["matched"], writer["matched"]) - both_there
    return Link(discovery, IMAGES, tuple(reader["latencies_ms"]))


def _said(end: subprocess.Popen[str]) -> dict:
    out, problems = end.communicate()
    if end.returncode:
        raise RuntimeError((problems.strip() or "it said nothing").splitlines()[-1])
    return json.loads(out.splitlines()[-1])


def judge(link: Link, own_profile: bool) -> Finding:
    """A finding about a link; ``own_profile`` says that Fast DDS follows a profile of the user's."""
    if link.discovery is None:
        return failure(
            "two processes of this computer do not find each other",
            "see 'discovery' and 'firewall'; unset ROS_DISCOVERY_SERVER and your Fast DDS profile",
        )
    arrived, found = len(link.latencies_ms), f"found each other in {link.discovery:.2f} s"
    count = f"{arrived} of {link.sent} images of 640 x 480 arrived"
    if arrived < link.sent * (1 - MOST_LOST):
        remedy = (
            "unset FASTRTPS_DEFAULT_PROFILES_FILE, or give your profile the sizes of config/fastdds.xml"
            if own_profile
            else "see 'shared memory'; end what else takes the processor"
        )
        return failure(f"{found}; {count}", remedy)
    p50, p99 = median(link.latencies_ms), quantiles(link.latencies_ms, n=100)[-1]
    text = f"{found}; {count}, after {p50:.1f} ms (99 %: {p99:.1f} ms)"
    if arrived < link.sent or p50 > LATE_MS:
        return warning(text, "end what else takes the processor, and look again")
    if link.discovery > SLOW_DISCOVERY:
        return warning(text, "see 'multicast'; nodes will be slow to find each other")
    return ok(text)
