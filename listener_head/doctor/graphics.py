"""OpenGL: the devices that EGL lists, and a picture of the head."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from listener_head.doctor.finding import Finding, failure, ok, refusal, warning
from listener_head.errors import UserError
from listener_head.timing import RATE_HZ

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIZE = 256  # of a picture [pixels], as of the node `renderer`
PICTURES = 8
LEAST_CONTRAST = 5.0  # standard deviation of the test picture's pixels; an empty one has none
NVIDIA = Path("/dev/nvidiactl")

_LIGHTER = "give the renderer -p antialiasing:=false or a smaller -p size, or use a graphics card"
_NVIDIA_EGL = "install the driver's libnvidia-gl-..., in Docker: -e NVIDIA_DRIVER_CAPABILITIES=all --gpus all"


def devices(nvidia: Path = NVIDIA) -> Finding:
    """The devices that EGL lists, and which of them `auto` takes."""
    from listener_head.render.egl import egl_devices, is_software, open_context

    try:
        listed = egl_devices()
        context = open_context()
    except UserError as problem:
        return refusal(problem)
    software, renderer = is_software(context), context.info["GL_RENDERER"]
    context.release()
    cards = sum(not device.software for device in listed)
    text = f"EGL lists {cards} graphics card(s); drawn by {renderer}"
    if software and nvidia.exists():
        return warning(f"{text}, though there is an NVIDIA card", _NVIDIA_EGL)
    return ok(f"{text} (the processor)" if software else text)


def picture() -> Finding:
    """Draws the head some times, and looks at the result."""
    from listener_head.render import HeadRenderer
    from listener_head.render.soak import moving_heads

    try:
        renderer = HeadRenderer(SIZE)
    except UserError as problem:
        return refusal(problem)
    times = []
    for head in moving_heads(PICTURES):
        began = time.perf_counter()
        drawn = renderer.render(head)
        times.append(time.perf_counter() - began)
    device = renderer.device
    renderer.close()
    return judge(drawn, 1e3 * median(times), device)


def judge(drawn: NDArray[np.uint8], duration_ms: float, device: str) -> Finding:
    """A finding about a picture uint8 [H, W, 3] of the head that took ``duration_ms`` to draw."""
    if float(drawn.std()) < LEAST_CONTRAST:
        return failure(
            f"{device} draws an empty picture", "give the renderer -p device:=cpu, or update the driver"
        )
    text = f"a picture of {SIZE} x {SIZE} takes {duration_ms:.1f} ms on {device}"
    period_ms = 1e3 / RATE_HZ
    return (
        warning(f"{text}, longer than {period_ms:.0f} ms", _LIGHTER) if duration_ms > period_ms else ok(text)
    )
