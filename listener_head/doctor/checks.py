"""All checks, in the order in which they are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from listener_head.doctor import (
    dds,
    devices,
    graphics,
    inference,
    interpreter,
    machine,
    models,
    network,
    packages,
    ros_installation,
    shared_memory,
)
from listener_head.doctor.finding import Finding


@dataclass(frozen=True)
class Check:
    """``look`` runs in a process of its own, for ``limit`` [s] at most; ``remedy`` is what to do when that
    dies or hangs. What is ``timed`` has the processor to itself.
    """

    subject: str
    look: Callable[[], Finding]
    limit: float
    remedy: str = "see above what else is wrong, mend that and look again"
    timed: bool = False


_REINSTALL = "install listener_head again: make clean setup, or pip install --force-reinstall ."
_GL_DRIVER = "update the graphics driver, or draw on the processor: LIBGL_ALWAYS_SOFTWARE=1"

# A check that hangs is ended after this [s]: many times what it takes, for computers that are busy.
LIGHT, MIDDLING, HEAVY = 10.0, 20.0, 30.0

CHECKS: tuple[Check, ...] = (
    Check("processor", machine.processor, LIGHT),
    Check("Python", interpreter.interpreter, LIGHT),
    Check("ROS", ros_installation.distribution, LIGHT),
    Check(
        "middleware",
        ros_installation.middleware,
        MIDDLING,
        "unset RMW_IMPLEMENTATION, or install what it names",
    ),
    Check("messages", ros_installation.messages, MIDDLING, _REINSTALL),
    Check("discovery", dds.settings, LIGHT),
    Check("multicast", network.multicast, MIDDLING),
    Check("firewall", network.firewall, LIGHT),
    Check("shared memory", shared_memory.shared_memory, LIGHT),
    Check("graphics", graphics.devices, MIDDLING, _GL_DRIVER),
    Check(
        "ONNX Runtime", inference.providers, MIDDLING, "pip install --force-reinstall --no-deps onnxruntime"
    ),
    Check("camera", devices.cameras, MIDDLING, "plug the camera in again: its driver hangs"),
    Check(
        "microphone",
        devices.microphone,
        MIDDLING,
        "restart the sound server: systemctl --user restart pipewire",
    ),
    Check("head", models.head, MIDDLING, _REINSTALL),
    Check("packages", packages.optional_packages, LIGHT),
    Check("memory", machine.memory, LIGHT),
    Check("disk", machine.disk, LIGHT, "unmount the network drive that hangs"),
    Check("clock", machine.clock, LIGHT),
    Check("listener", models.listener_network, MIDDLING, _REINSTALL),
    Check("face tracker", models.face_tracker, MIDDLING, _REINSTALL),
    Check("picture", graphics.picture, HEAVY, _GL_DRIVER, timed=True),
    Check("transport", dds.transport, HEAVY, "see 'middleware' and 'shared memory'", timed=True),
)


def check_of(subject: str) -> Check:
    """The check of a subject; KeyError for another."""
    return {check.subject: check for check in CHECKS}[subject]
