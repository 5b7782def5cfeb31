"""Text that others sent, made fit for a log: one line, printable, not long."""

from __future__ import annotations


def plain(text: str, most: int = 80) -> str:
    """At most ``most`` characters of a text, what is not printable escaped as Python does it.

    A line break in a name would forge a line of the log, an escape sequence command the terminal, and a
    name may be as long as a message.
    """
    if len(text) <= most and text.isprintable():
        return text
    shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[:most])
    return shown if len(text) <= most else f"{shown[:most]}..."
