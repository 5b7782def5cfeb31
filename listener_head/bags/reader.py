"""Opens rosbag2 folders and files (SQLite or MCAP) without a ROS."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from listener_head.errors import UserError
from listener_head.timing import NS_PER_S

if TYPE_CHECKING:
    from rosbags.rosbag2 import Reader


@contextmanager
def open_recording(path: Path) -> Iterator[Reader]:
    """A rosbag2 folder (SQLite or MCAP), an .mcap or a .db3 file, open for reading.

    Raises UserError when it is not there, and for whatever goes wrong while it is read.
    """
    from rosbags.rosbag2 import Reader

    if not path.exists():
        raise UserError(f"recording {path} does not exist; give a rosbag2 folder, an .mcap or a .db3 file")
    try:
        with Reader(path) as reader:
            yield reader
    except UserError:
        raise
    except Exception as error:
        # Broken files fail in every way inside the parser: each is the file's fault, not ours.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"recording {path} cannot be read ({reason}); record it again") from error


def header_stamp_ns(cdr: bytes) -> int:
    """The stamp of a serialised message that starts with a header, without unpacking the rest.

    CDR (OMG, XTypes 7.4): byte 1 of the four encapsulation bytes is odd for little endian.
    """
    order = "<" if cdr[1] & 1 else ">"
    seconds, nanoseconds = struct.unpack_from(f"{order}iI", cdr, 4)
    return seconds * NS_PER_S + nanoseconds
