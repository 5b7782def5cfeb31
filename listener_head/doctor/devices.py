"""Camera and microphone of this computer."""

from __future__ import annotations

import fcntl
import math
import os
import struct
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from listener_head.doctor.finding import Finding, failure, ok, refusal, warning, worst
from listener_head.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DEV = Path("/dev")
# linux/videodev2.h: _IOR('V', 0, struct v4l2_capability) of 104 bytes, and what cameras are able to.
_QUERYCAP, _CAPABILITY_SIZE, _DEVICE_CAPS = 0x80685600, 104, 88
_CAPTURE = 0x1 | 0x1000
LISTENING = 0.5  # [s]
FULL_SCALE = 32768

_NO_CAMERA = "plug one in (in Docker: --device /dev/video0), or use a robot's image:=TOPIC or a video file"
_NO_SOUND = (
    "list the devices with: python -m sounddevice; then give microphone:=NAME, and unmute it in the mixer"
)


def cameras(folder: Path = DEV) -> Finding:
    """Each camera's permissions, and whether it gives a picture."""
    numbers = sorted(int(path.name[5:]) for path in folder.glob("video*") if path.name[5:].isdecimal())
    findings = [found for number in numbers if (found := _camera(folder / f"video{number}", number))]
    if not findings:
        return warning(f"there is no camera in {folder}", _NO_CAMERA)
    return worst(findings)


def _camera(path: Path, number: int) -> Finding | None:
    """A finding about a video device; None when it is not a camera (one of its other streams, an encoder)."""
    if not os.access(path, os.R_OK | os.W_OK):
        return failure(f"{path} may not be opened by you", "sudo usermod -aG video $USER, then log in again")
    try:
        with path.open("rb", buffering=0) as device:
            answer = fcntl.ioctl(device, _QUERYCAP, bytes(_CAPABILITY_SIZE))
    except OSError as problem:
        return failure(f"{path} does not answer ({problem.strerror})", "plug the camera in again")
    name = answer[16:48].rstrip(b"\0").decode(errors="replace")
    (abilities,) = struct.unpack_from("I", answer, _DEVICE_CAPS)
    return _picture(number, f"{path} ({name})") if abilities & _CAPTURE else None


def _picture(number: int, name: str) -> Finding:
    from listener_head.sources.live import Camera

    try:
        camera = Camera(number)
    except UserError as problem:
        return refusal(problem)
    pixels = camera.read()
    camera.close()
    if pixels is None:
        return failure(f"{name} gives no picture", "end other programs that use it: fuser -v /dev/video*")
    return ok(f"{name} gives {pixels.shape[1]} x {pixels.shape[0]} pixels")


def microphone() -> Finding:
    """Whether PortAudio is there, and what the default microphone hears."""
    from listener_head.sources.live import Microphone

    heard: list[NDArray[np.int16]] = []
    try:
        source = Microphone("", lambda samples, age: heard.append(samples))
    except UserError as problem:
        # The clip that ships, a video and a robot's microphone need none of it.
        refused = refusal(problem)
        return warning(refused.text, refused.fix)
    threading.Event().wait(LISTENING)
    source.close()
    return judge_sound(heard, source.sample_rate)


def judge_sound(heard: Sequence[NDArray[np.int16]], sample_rate: int) -> Finding:
    """A finding about what a microphone gave, int16 chunks [N, channels]."""
    if not heard:
        return warning("the default microphone gives no sound", _NO_SOUND)
    loudest = max(max(int(chunk.max()), -int(chunk.min())) for chunk in heard)
    if loudest == 0:
        return warning("the default microphone gives silence: it is muted, or the wrong one", _NO_SOUND)
    level = 20 * math.log10(loudest / FULL_SCALE)
    return ok(f"the default microphone, {sample_rate} Hz, hears up to {level:.0f} dB of full scale")
