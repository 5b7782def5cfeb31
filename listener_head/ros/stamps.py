"""Stamps as integers: nanoseconds since the epoch of the clock in use."""

from builtin_interfaces.msg import Time
from std_msgs.msg import Header

from listener_head.errors import UserError
from listener_head.timing import NS_PER_S

# The last instant that a stamp can say: its seconds have 32 bits with sign.
_LAST_NS = 2**31 * NS_PER_S - 1
_LONGEST_NAME = 255  # of a frame; who answers a message repeats it


def to_ns(stamp: Time) -> int:
    """Nanoseconds of a message stamp."""
    return stamp.sec * NS_PER_S + stamp.nanosec


def to_stamp(ns: int) -> Time:
    """Message stamp of nanoseconds; before 1970 and after 2038 the first or last instant that it can say."""
    seconds, nanoseconds = divmod(min(max(ns, 0), _LAST_NS), NS_PER_S)
    return Time(sec=seconds, nanosec=nanoseconds)


def stamp_of(header: Header) -> int:
    """The stamp [ns] of a header from outside.

    UserError when it is no instant (seconds below zero, a billion nanoseconds or more), and when the name
    of the frame is longer than 255 characters.
    """
    stamp = header.stamp
    if stamp.sec < 0 or stamp.nanosec >= NS_PER_S:
        raise UserError(f"a stamp of {stamp.sec} s and {stamp.nanosec} ns is none; correct its sender")
    if len(header.frame_id) > _LONGEST_NAME:
        raise UserError(f"a frame_id of {len(header.frame_id)} characters; {_LONGEST_NAME} are taken")
    return to_ns(stamp)
