"""Stamps as integers: nanoseconds since the epoch of the clock in use."""

from builtin_interfaces.msg import Time

SECOND_NS = 1_000_000_000


def to_ns(stamp: Time) -> int:
    """Nanoseconds of a message stamp."""
    return stamp.sec * SECOND_NS + stamp.nanosec


def to_stamp(ns: int) -> Time:
    """Message stamp of nanoseconds, which must not be negative."""
    seconds, nanoseconds = divmod(ns, SECOND_NS)
    return Time(sec=seconds, nanosec=nanoseconds)
