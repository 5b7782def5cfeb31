"""Opens recordings for those who know their messages, and looks into a message that is not unpacked."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from listener_head.bags.faults import Faults
from listener_head.bags.storage import Storage
from listener_head.errors import UserError
from listener_head.timing import NS_PER_S


@contextmanager
def open_recording(path: Path) -> Iterator[Storage]:
    """A rosbag2 folder (SQLite or MCAP), an .mcap or a .db3 file, open for reading.

    Raises UserError when it is not there or cannot be read, and for whatever goes wrong while it is used.
    """
    storage = Storage(path, Faults())
    try:
        yield storage
    except UserError:
        raise
    except Exception as error:
        # Broken messages fail in every way when they are unpacked: each is the file's fault, not ours.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"recording {path} cannot be read ({reason}); record it again") from error
    finally:
        storage.close()


def header_stamp_ns(cdr: bytes | memoryview) -> int:
    """The stamp of a serialised message that starts with a header, without unpacking the rest.

    CDR (OMG, XTypes 7.4): byte 1 of the four encapsulation bytes is odd for little endian.
    """
    order = "<" if cdr[1] & 1 else ">"
    seconds, nanoseconds = struct.unpack_from(f"{order}iI", cdr, 4)
    return seconds * NS_PER_S + nanoseconds
