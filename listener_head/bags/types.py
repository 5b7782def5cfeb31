"""The types of a recording's messages, and the messages themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from listener_head.bags.connection import Connection
from listener_head.bags.typestore import AUDIO_PACKAGE, MGONZS13, ROS_DRIVERS, audio_package, load_typestore
from listener_head.errors import UserError
from listener_head.paths import PACKAGE

if TYPE_CHECKING:
    from rosbags.typesys.store import Typestore

_CDR = "cdr"
# Types whose definitions vary between packages and versions of one name.
_CHECKED = (PACKAGE, AUDIO_PACKAGE)


class Types:
    """Deserialises the messages of one recording.

    Two packages are called audio_common_msgs; which one it is say the definitions that the recording holds,
    or the types that only one of them has.
    """

    def __init__(self, connections: Sequence[Connection]) -> None:
        self._audio = _audio_package(connections)
        self._store: Typestore = load_typestore(self._audio)

    def unreadable(self, connection: Connection) -> str:
        """Why the messages of a connection cannot be read, "" if they can."""
        msgtype = connection.msgtype
        if connection.encoding != _CDR:
            return f"is encoded as {connection.encoding or 'nothing'}; ROS 2 encodes as {_CDR}"
        if msgtype not in self._store.types:
            return f"has type {msgtype}, which is unknown here"
        if msgtype.split("/")[0] in _CHECKED and not self._same_version(connection):
            whose = f"{msgtype} of another version"
            return f"has type {whose}; read it with the version of the package that recorded it"
        return ""

    def read(self, connection: Connection, data: bytes | memoryview) -> Any:
        """A message; UserError when it is broken."""
        from rosbags.serde import SerdeError

        try:
            return self._store.deserialize_cdr(data, connection.msgtype)
        except (SerdeError, ValueError, IndexError, AssertionError, OverflowError, MemoryError) as problem:
            raise UserError(" ".join(str(problem).split()) or type(problem).__name__) from problem

    def has_header(self, connection: Connection) -> bool:
        """Whether messages start with a std_msgs/Header."""
        _, fields = self._store.fielddefs[connection.msgtype]
        return bool(fields) and fields[0][0] == "header"

    def _same_version(self, connection: Connection) -> bool:
        if connection.digest:
            return connection.digest == self._store.hash_rihs01(connection.msgtype)
        if connection.definition_format != "ros2msg":
            return True
        return _fields(connection) in (None, self._store.fielddefs[connection.msgtype][1])


def _fields(connection: Connection) -> Any:
    """The fields in the definition that a recording holds of a type; None when it cannot be read."""
    from rosbags.typesys import TypesysError, get_types_from_msg

    try:
        types = get_types_from_msg(connection.definition, connection.msgtype)
    except (TypesysError, ValueError, KeyError, IndexError):
        return None
    return types[connection.msgtype][1]


def _audio_package(connections: Sequence[Connection]) -> str:
    """Which package of the name audio_common_msgs, if any, the types of a recording are of."""
    ours = [c for c in connections if c.msgtype.startswith(f"{AUDIO_PACKAGE}/")]
    for package in (ROS_DRIVERS, MGONZS13):
        store = load_typestore(package)
        for connection in ours:
            name = connection.msgtype
            if name not in store.fielddefs:
                break
            if connection.digest and connection.digest != store.hash_rihs01(name):
                break
            if not connection.digest and _fields(connection) not in (None, store.fielddefs[name][1]):
                break
        else:
            return package if ours else ""
    return audio_package(connection.msgtype for connection in ours)
