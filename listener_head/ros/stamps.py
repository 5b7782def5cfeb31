"""Stamps as integers: nanoseconds since the epoch of the clock in use."""

from builtin_interfaces.msg import Time

from listener_head.timing import NS_PER_S


def to_ns(stamp: Time) -> int:
    """Nanoseconds of a message stamp."""
    return stamp.sec * NS_PER_S + stamp.nanosec


def to_stamp(ns: int) -> Time:
    """Message stamp of nanoseconds, which must not be negative."""
    seconds, nanoseconds = divmod(ns, NS_PER_S)
    return Time(sec=seconds, nanosec=nanoseconds)
