"""Message types of packages that not every installation has."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from listener_head.errors import UserError
from listener_head.sounds import AUDIO_INFO

# Two packages are called audio_common_msgs; a field that only the messages of ros-drivers' have.
_OF_ROS_DRIVERS = {"audio_common_msgs/msg/AudioData": "data", AUDIO_INFO: "sample_format"}


def interface(package: str, kind: str, name: str) -> Any:
    """The class of a message (``kind`` msg) or action; UserError names the package where it is missing.

    So it does where a package of that name is installed that has no such type.
    """
    try:
        return getattr(import_module(f"{package}.{kind}"), name)
    except ImportError:
        raise UserError(
            f"{package}/{name} needs the package {package}, which is not installed; "
            f"install ros-$ROS_DISTRO-{package.replace('_', '-')} or build it in your workspace"
        ) from None
    except AttributeError:
        raise UserError(
            f"the package {package} that is installed has no {name}: it is another of that name, or another "
            "version; install the one that the other side uses"
        ) from None


def message_type(msgtype: str) -> Any:
    """The class of a type such as `sensor_msgs/msg/Image`; UserError as `interface`.

    So it is refused where the package audio_common_msgs that is installed means something else by it.
    """
    package, kind, name = msgtype.split("/")
    found = interface(package, kind, name)
    field = _OF_ROS_DRIVERS.get(msgtype)
    if field is not None and field not in found.get_fields_and_field_types():
        raise UserError(
            f"{package}/{name} on that topic is of ros-drivers' package, but mgonzs13's of the same name is "
            "installed; install ros-drivers' here, or publish AudioStamped there"
        )
    return found


def is_installed(package: str) -> bool:
    """Whether a message package is there."""
    return find_spec(package) is not None
