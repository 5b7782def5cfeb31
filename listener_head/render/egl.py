"""Which device OpenGL draws with, without a window: EGL's list of devices, and contexts on them."""

from __future__ import annotations

import ctypes
from ctypes.util import find_library
from dataclasses import dataclass
from typing import Any

import moderngl

from listener_head.errors import UserError

AUTO, CPU = "auto", "cpu"

_EGL_EXTENSIONS = 0x3055
_MOST_DEVICES = 64
_SOFTWARE_EXTENSION = "EGL_MESA_device_software"
_SOFTWARE_RENDERERS = ("llvmpipe", "softpipe", "swrast", "software rasterizer")
_INSTALL = "install libegl1 and libgl1 (apt-get install libegl1 libgl1)"


@dataclass(frozen=True)
class EglDevice:
    """A device by its place in EGL's list, which may call it the processor's."""

    index: int
    software: bool


def egl_devices() -> list[EglDevice]:
    """The devices that EGL lists; UserError where there is no EGL or no driver."""
    library = find_library("EGL")
    if library is None:
        raise UserError(f"cannot open a headless OpenGL context: there is no libEGL; {_INSTALL}")
    try:
        egl = ctypes.CDLL(library)
        query_devices = _function(egl, "eglQueryDevicesEXT", ctypes.c_uint)
        query_string = _function(egl, "eglQueryDeviceStringEXT", ctypes.c_char_p)
    except (OSError, AttributeError) as error:
        raise UserError(f"cannot open a headless OpenGL context: {error}; {_INSTALL}") from error
    handles, count = (ctypes.c_void_p * _MOST_DEVICES)(), ctypes.c_int(0)
    if not query_devices(_MOST_DEVICES, handles, ctypes.byref(count)) or not count.value:
        raise UserError(f"cannot open a headless OpenGL context: EGL finds no driver; {_INSTALL}")
    devices = []
    for index in range(count.value):
        extensions = query_string(ctypes.c_void_p(handles[index]), _EGL_EXTENSIONS) or b""
        devices.append(EglDevice(index, _SOFTWARE_EXTENSION in extensions.decode().split()))
    return devices


def _function(egl: ctypes.CDLL, name: str, result: Any) -> Any:
    egl.eglGetProcAddress.restype = ctypes.c_void_p
    address = egl.eglGetProcAddress(name.encode())
    if not address:
        raise AttributeError(f"this EGL has no {name}")
    return ctypes.CFUNCTYPE(result, *_ARGUMENTS[name])(address)


_ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "eglQueryDevicesEXT": (ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p),
    "eglQueryDeviceStringEXT": (ctypes.c_void_p, ctypes.c_int),
}


def open_context(device: str = AUTO) -> moderngl.Context:
    """An OpenGL 3.3 context of its own, current on the calling thread.

    ``device`` is ``cpu`` (a software renderer such as Mesa's), the number of a graphics card, counted from 0
    in EGL's order, or ``auto``: the first card that opens, else the processor. UserError when none opens.
    """
    if device not in (AUTO, CPU) and not device.isdecimal():
        raise UserError(f"device '{device}' is unknown; choose auto, cpu or the number of a graphics card")
    devices = egl_devices()
    # The list may take a software device for a card (Mesa's does, once a display has been opened in the
    # same process), so what has been opened decides.
    problems, cards = [], 0
    for candidate in sorted(devices, key=lambda one: one.software, reverse=device == CPU):
        try:
            context = moderngl.create_context(standalone=True, **_headless(candidate.index))
        except Exception as error:  # the loader raises whatever its platform does
            problems.append(str(error))
            cards += not candidate.software
            continue
        software = is_software(context)
        if device == AUTO or (device == CPU and software) or (not software and device == str(cards)):
            return context
        context.release()
        cards += not software
    raise UserError(_none_opens(device, cards, problems))


def _headless(index: int) -> dict[str, Any]:
    return {"backend": "egl", "device_index": index}


def _none_opens(device: str, cards: int, problems: list[str]) -> str:
    why = f": {'; '.join(problems)}" if problems else ""
    if device == AUTO:
        return f"cannot open a headless OpenGL context{why}; {_INSTALL}"
    if device == CPU:
        return (
            f"device 'cpu' has no software OpenGL here{why}; install Mesa's (apt-get install libgl1-mesa-dri)"
        )
    if int(device) < cards:
        return f"graphics card {device} does not open{why}; choose auto or cpu"
    there = f"numbers 0 to {cards - 1}" if cards else "none"
    return f"graphics card {device} is not there; EGL lists {there}: choose auto or cpu"


def is_software(context: moderngl.Context) -> bool:
    """Whether the processor draws."""
    renderer = str(context.info["GL_RENDERER"]).lower()
    return any(name in renderer for name in _SOFTWARE_RENDERERS)
