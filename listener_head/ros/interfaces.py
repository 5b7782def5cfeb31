"""Message types of packages that not every installation has."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from listener_head.errors import UserError


def interface(package: str, kind: str, name: str) -> Any:
    """The class of a message (``kind`` msg) or action; UserError names the package where it is missing."""
    try:
        return getattr(import_module(f"{package}.{kind}"), name)
    except ImportError:
        raise UserError(
            f"{package}/{name} needs the package {package}, which is not installed; "
            f"install ros-$ROS_DISTRO-{package.replace('_', '-')} or build it in your workspace"
        ) from None


def is_installed(package: str) -> bool:
    """Whether a message package is there."""
    return find_spec(package) is not None
