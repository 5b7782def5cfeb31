"""Packets of Epic Games' Live Link Face app (protocol version 6), which Unreal, Blender and others receive.

A UDP packet, big-endian:

    uint8 6 | int32 length, device id | int32 length, subject name
    | int32 frame number, float32 sub-frame, int32 frames per second, int32 its denominator   (time of day)
    | uint8 61 | 61 float32: the 52 ARKit shapes in the app's order, head yaw, pitch, roll,
                             left eye yaw, pitch, roll, right eye yaw, pitch, roll

Layout and order: Unreal Engine's AppleARKitLiveLinkSource and EARFaceBlendShape, and PyLiveLinkFace, which
reads the length of the 36-byte device id as part of the version and of the id. Rotations are in radians, in
the axes of Unreal's AppleARKitConversion with left and right the person's own: positive yaw looks to the own
right, positive pitch down, positive roll tips the crown to the own left. Recordings of the app agree.
"""

from __future__ import annotations

import errno
import socket
import struct
import uuid

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import ARKIT_NAMES
from listener_head.errors import UserError
from listener_head.robot.frames import head_angles
from listener_head.timing import NS_PER_S, RATE_HZ, grid_time_ns, index_at_or_before

VERSION = 6
DEFAULT_PORT = 11111
LONGEST_NAME = 256  # bytes that Unreal takes
NS_PER_DAY = 24 * 3600 * NS_PER_S
# Eye rotation at a look shape's full weight [rad], from recordings of the app (gain of the eyes' angles over
# eyeLookOut - eyeLookIn and eyeLookDown - eyeLookUp; correlation above 0.99).
EYE_YAW = 0.60
EYE_PITCH = 0.55

_TIME_AND_VALUES = struct.Struct("!ifiiB61f")


def _shape(name: str) -> int:
    return ARKIT_NAMES.index(name)


# Rows: left eye yaw and pitch, right eye yaw and pitch, from the shapes that raise and lower each.
_EYES = np.zeros((4, len(ARKIT_NAMES)))
for _row, _more, _less, _gain in (
    (0, "eyeLookInLeft", "eyeLookOutLeft", EYE_YAW),
    (1, "eyeLookDownLeft", "eyeLookUpLeft", EYE_PITCH),
    (2, "eyeLookOutRight", "eyeLookInRight", EYE_YAW),
    (3, "eyeLookDownRight", "eyeLookUpRight", EYE_PITCH),
):
    _EYES[_row, _shape(_more)], _EYES[_row, _shape(_less)] = _gain, -_gain


class LiveLinkEncoder:
    """Makes the packets of one device; UserError for a ``subject`` that cannot be sent."""

    def __init__(self, subject: str) -> None:
        name = subject.encode()
        if not 0 < len(name) <= LONGEST_NAME:
            raise UserError(f"subject '{subject}' has {len(name)} bytes; give it 1 to {LONGEST_NAME}")
        # The same subject is the same device, also after a restart.
        device = str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{subject}.listener_head")).upper().encode()
        self._head = struct.pack("!B", VERSION) + b"".join(
            struct.pack("!i", len(text)) + text for text in (device, name)
        )

    def encode(self, weights: NDArray[np.float32], rotation: NDArray[np.float32], stamp_ns: int) -> bytes:
        """A packet of ARKit weights [52] (0 to 1) and the head's rotation [3] rad of `Coefficients`.

        ``stamp_ns`` is the time of the face; its time of day in UTC becomes frame number and sub-frame at
        30 frames a second.
        """
        pitch, yaw, roll = head_angles(*(float(angle) for angle in rotation))
        left_yaw, left_pitch, right_yaw, right_pitch = (_EYES @ weights).tolist()
        of_day = stamp_ns % NS_PER_DAY
        frame = index_at_or_before(of_day)
        sub_frame = (of_day - grid_time_ns(frame)) * RATE_HZ / NS_PER_S
        # Unreal's yaw and roll turn the other way round than those of REP 103.
        angles = (-yaw, pitch, -roll, left_yaw, left_pitch, 0.0, right_yaw, right_pitch, 0.0)
        values = (*weights.tolist(), *angles)
        return self._head + _TIME_AND_VALUES.pack(frame, sub_frame, RATE_HZ, 1, len(values), *values)


class LiveLinkSender:
    """Sends packets to one address without ever waiting.

    UserError when the address cannot be found.
    """

    def __init__(self, host: str, port: int = DEFAULT_PORT) -> None:
        if not 1 <= port <= 65535:
            raise UserError(f"port {port} is none; give one from 1 to 65535, such as {DEFAULT_PORT}")
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise UserError(
                f"host '{host}' cannot be found: {reason}; give a name or an IP address"
            ) from None
        self._address = address
        self._socket = socket.socket(family, kind, protocol)
        self._socket.setblocking(False)

    def send(self, packet: bytes) -> str:
        """Send a packet; empty, or one line that says why it was dropped.

        Whether anybody receives it is not known: UDP has no answer.
        """
        try:
            self._socket.sendto(packet, self._address)
        except OSError as error:
            name = ":".join(map(str, self._address[:2]))
            if error.errno in (errno.EAGAIN, errno.ENOBUFS):
                return f"the network takes no packet for {name} at the moment; it is dropped"
            return f"no packet can be sent to {name}: {error.strerror}; check host and network"
        return ""

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
