"""Which ROS serves this interpreter, and the environment variables that belong to it.

A shell may have a ROS sourced that this Python cannot use, such as Humble's for Python 3.10. Its paths would
shadow the ROS wheels of the virtual environment, so they are taken out before anything of ROS is imported.
Used by `scripts/setup.sh`, by `setup.py` and at the start of every command: standard library only.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import NamedTuple

OLDEST_DISTRO = "jazzy"  # ROS 2 distributions are named in alphabetical order
PATHS = (
    "PYTHONPATH", "LD_LIBRARY_PATH", "PATH", "AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH", "COLCON_PREFIX_PATH",
)  # fmt: skip
ROS_FACTS = ("ROS_DISTRO", "ROS_VERSION", "ROS_PYTHON_VERSION", "ROS_PACKAGE_PATH", "ROS_ROOT", "ROS_ETC_DIR")
ROS_MODULES = "rclpy, ament_package, rosidl_parser"  # to run nodes, to build, to generate messages
WHEELS_RMW = "rmw_fastrtps_cpp"  # the only middleware among the wheels
BOOTSTRAPPED = (
    "_ROS_WHEELS_BOOTSTRAP_COMPLETE"  # set by the wheels once LD_LIBRARY_PATH names their libraries
)
# Names the ROS that was sourced and is not used, for `listener_head doctor`.
LEFT_OUT = "LISTENER_HEAD_ROS_LEFT_OUT"
# Tells a node that its standard input is a pipe of whoever started it. The end of that pipe means what a
# signal means: it comes with the end of that process, whatever ended it.
OWNED = "LISTENER_HEAD_OWNED"
# A frame is little work: threads of numerical libraries would only wait for each other. Read by NumPy and
# others when they are imported.
THREAD_COUNTS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class RosChoice(NamedTuple):
    """`prefix` of the sourced ROS that serves, or None where the wheels do; `text` says it to a person."""

    prefix: str | None
    text: str


def choose_ros(environ: Mapping[str, str], python: tuple[int, int]) -> RosChoice:
    """Decide between the ROS that the shell has sourced and the wheels, for a Python (major, minor)."""
    distro = environ.get("ROS_DISTRO", "")
    if not distro:
        return RosChoice(None, "ROS wheels (no ROS is sourced)")
    if environ.get("ROS_VERSION", "2") != "2" or distro < OLDEST_DISTRO:
        return RosChoice(None, f"ROS wheels (the sourced ROS '{distro}' is older than {OLDEST_DISTRO})")
    package = Path("lib", f"python{python[0]}.{python[1]}", "site-packages", "rclpy")
    for prefix in _entries(environ, "AMENT_PREFIX_PATH"):
        if Path(prefix, package).is_dir():
            return RosChoice(prefix, f"ROS 2 {distro} at {prefix}")
    version = f"{python[0]}.{python[1]}"
    return RosChoice(None, f"ROS wheels (the sourced ROS '{distro}' has no rclpy for Python {version})")


def without_ros(environ: Mapping[str, str], keep: tuple[str, ...] = ()) -> dict[str, str]:
    """Return `environ` without what a sourced ROS has put there, so that the wheels are found.

    Path entries inside a directory of `keep` stay, and so does all that has nothing to do with ROS.
    """
    foreign = ["/opt/ros"]
    if "ROS_DISTRO" in environ:
        foreign += [*_entries(environ, "AMENT_PREFIX_PATH"), *_entries(environ, "COLCON_PREFIX_PATH")]
    result = {name: value for name, value in environ.items() if name not in ROS_FACTS}
    for name in PATHS:
        entries = _entries(environ, name)
        kept = [entry for entry in entries if _inside(entry, keep) or not _inside(entry, foreign)]
        if kept != entries:
            _set_path(result, name, kept)
    if result.get("RMW_IMPLEMENTATION", WHEELS_RMW) != WHEELS_RMW:
        del result["RMW_IMPLEMENTATION"]
    return result


def corrected(
    environ: Mapping[str, str], prefix: str, wheels: bool, keep: tuple[str, ...] = ()
) -> dict[str, str]:
    """Return the environment in which a command installed at `prefix` finds ROS and its own messages.

    `wheels` says that the ROS wheels are installed there. Correcting twice changes nothing more.
    """
    result = without_ros(environ, (prefix, *keep)) if wheels else dict(environ)
    for name in THREAD_COUNTS:
        result.setdefault(name, "1")
    if not (wheels or _installed(prefix)):
        return result  # built by colcon: its setup file has said everything
    if prefix not in _entries(result, "AMENT_PREFIX_PATH"):
        _set_path(result, "AMENT_PREFIX_PATH", [*_entries(result, "AMENT_PREFIX_PATH"), prefix])
    libraries = str(Path(prefix, "lib"))
    if libraries not in _entries(result, "LD_LIBRARY_PATH"):
        _set_path(result, "LD_LIBRARY_PATH", [libraries, *_entries(result, "LD_LIBRARY_PATH")])
        result.pop(BOOTSTRAPPED, None)  # inherited from another environment's Python
    return result


def prepare() -> None:
    """Start this process anew with a corrected environment where the present one would mislead it.

    To be called before NumPy is imported: one thread each for numerical libraries is only set.
    """
    for name in THREAD_COUNTS:
        os.environ.setdefault(name, "1")
    wheels = Path(sysconfig.get_path("purelib"), "ros_wheels_bootstrapper").is_dir()
    script = _prefix_of(sys.argv[0])
    environ = corrected(os.environ, sys.prefix, wheels, keep=(script,) if _installed(script) else ())
    if environ != dict(os.environ):
        if "ROS_DISTRO" in os.environ and "ROS_DISTRO" not in environ:
            environ[LEFT_OUT] = os.environ["ROS_DISTRO"]
        sys.stdout.flush()
        os.execve(sys.executable, sys.orig_argv, environ)  # type: ignore[attr-defined,unused-ignore]


def _entries(environ: Mapping[str, str], name: str) -> list[str]:
    return [entry for entry in environ.get(name, "").split(os.pathsep) if entry]


def _set_path(environ: MutableMapping[str, str], name: str, entries: list[str]) -> None:
    if entries:
        environ[name] = os.pathsep.join(entries)
    else:
        environ.pop(name, None)


def _inside(entry: str, directories: tuple[str, ...] | list[str]) -> bool:
    path = Path(entry)
    return any(path == Path(directory) or Path(directory) in path.parents for directory in directories)


def _installed(prefix: str) -> bool:
    return Path(prefix, "share", "ament_index", "resource_index", "packages", "listener_head").exists()


def _prefix_of(script: str) -> str:
    """Return the installation prefix of `<prefix>/lib/listener_head/<node>` or `<prefix>/bin/<command>`."""
    folder = Path(script).absolute().parent
    return str(folder.parent.parent if folder.name == "listener_head" else folder.parent)


def _imports(modules: str) -> bool:
    return subprocess.run([sys.executable, "-c", f"import {modules}"], capture_output=True).returncode == 0


def _shell(prefix: str | None) -> None:
    """Print, for `eval` in a shell, the choice of ROS and the changes of variables that it asks for.

    With `prefix` they are those for commands of the installation there.
    """
    choice = choose_ros(os.environ, sys.version_info[:2])
    if choice.prefix and not _imports(ROS_MODULES):
        choice = RosChoice(None, f"ROS wheels (the ROS at {choice.prefix} cannot import {ROS_MODULES})")
    wheels = choice.prefix is None
    environ = without_ros(os.environ) if wheels else dict(os.environ)
    if prefix is not None:
        environ = corrected(environ, prefix, wheels)
    for name in sorted({*os.environ, *environ}):
        if name not in environ:
            print(f"unset {name}")
        elif environ[name] != os.environ.get(name):
            print(f"export {name}={shlex.quote(environ[name])}")
    print(f"ros_prefix={shlex.quote(choice.prefix or '')}")
    print(f"ros_text={shlex.quote(choice.text)}")


if __name__ == "__main__":
    _shell(sys.argv[1] if len(sys.argv) > 1 else None)
