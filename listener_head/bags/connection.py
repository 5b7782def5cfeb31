"""A topic as the storage files know it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Protocol

ROS2MSG = "ros2msg"  # the format of definitions in .msg files


@dataclass(frozen=True)
class Connection:
    """A topic of one type and how many messages it has.

    ``definition`` is the text of its type in ``definition_format`` (ROS2MSG, another, or "" for none),
    ``digest`` the type's hash (RIHS01) or "", ``encoding`` how its messages are serialised ("cdr").
    """

    topic: str
    msgtype: str
    msgcount: int
    definition: str = ""
    definition_format: str = ""
    digest: str = ""
    encoding: str = "cdr"

    @property
    def key(self) -> tuple[str, str]:
        """What makes connections of several files one."""
        return self.topic, self.msgtype


class StorageFile(Protocol):
    """One storage file of a recording; ``span_ns`` is when its first and last message were received."""

    connections: list[Connection]
    span_ns: tuple[int, int] | None

    def messages(
        self, wanted: Collection[tuple[str, str]]
    ) -> Iterator[tuple[tuple[str, str], int, bytes | memoryview]]:
        """Key, time of recording [ns] and content of the messages of these connections."""

    def close(self) -> None:
        """Free the file."""


def printable(name: str) -> str:
    """A name of a damaged file as it can stand in a line for people."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)
