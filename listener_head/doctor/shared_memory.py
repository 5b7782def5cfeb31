"""/dev/shm, in which Fast DDS keeps the messages between the processes of a computer."""

from __future__ import annotations

import fcntl
import shutil
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from listener_head.doctor.finding import Finding, failure, ok, warning
from listener_head.graph import DemoOptions, demo_nodes
from listener_head.paths import config_dir

FOLDER = Path("/dev/shm")
MB = 1e6
# A process locks the file of this ending beside its segment for as long as it lives (Fast DDS 2.14).
_SEGMENTS, _LOCK = "fastrtps_*", "_el"
MANY_MB = 100.0  # of what dead processes have left

_CLEAN = "fastdds shm clean"  # it leaves what living processes hold
_ENLARGE = "docker run --shm-size=1g ..., or: sudo mount -o remount,size=1G /dev/shm"


@dataclass(frozen=True)
class Space:
    """Bytes of a shared memory file system; ``left`` lie in segments whose process is gone."""

    total: int
    free: int
    left: int


def shared_memory(folder: Path = FOLDER) -> Finding:
    """Whether there is room for the segments of the demo's nodes, and what dead processes have left there."""
    if not folder.is_dir():
        return failure(f"{folder} is not there", f"sudo mount -t tmpfs -o size=1G tmpfs {folder}")
    usage = shutil.disk_usage(folder)
    return judge(Space(usage.total, usage.free, left_behind(folder)), needed_bytes())


def judge(space: Space, needed: int) -> Finding:
    """A finding about a file system that the segments of a graph, ``needed`` bytes, are to fit in."""
    text = f"{space.free / MB:.0f} of {space.total / MB:.0f} MB are free in {FOLDER}"
    left = f", {space.left / MB:.0f} MB are left over from processes that are gone" if space.left else ""
    if space.free < needed:
        remedy = _CLEAN if space.free + space.left >= needed else _ENLARGE
        why = f"the demo's nodes may take {needed / MB:.0f} MB, and lose images or die by 'Bus error' without"
        return failure(f"{text}{left}; {why}", remedy)
    return warning(text + left, _CLEAN) if space.left >= MANY_MB * MB else ok(text + left)


def needed_bytes() -> int:
    """What the segments of config/fastdds.xml take at most, one for each node of the demo."""
    profile = ElementTree.parse(config_dir() / "fastdds.xml")
    sizes = profile.findall(".//{*}segment_size")
    return sum(int(size.text or 0) for size in sizes) * len(demo_nodes(DemoOptions(record="recording")))


def left_behind(folder: Path) -> int:
    """Bytes of Fast DDS's segments that no living process holds."""
    left = 0
    for lock in folder.glob(_SEGMENTS + _LOCK):
        segment = lock.with_name(lock.name.removesuffix(_LOCK))
        try:
            if not _is_held(lock):
                left += segment.stat().st_blocks * 512
        except OSError:
            continue  # it went away meanwhile, or is another user's
    return left


def _is_held(lock: Path) -> bool:
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
