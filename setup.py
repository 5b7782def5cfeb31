"""The way in for pip: CMake, which generates the messages, lays out everything that the wheel holds.

The name is in pyproject.toml, the version in listener_head/__init__.py, every pin in requirements/.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from setuptools import Distribution, setup  # isort: skip (before distutils, which it provides)
from distutils.command.install_data import install_data  # isort: skip

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT))

from listener_head import __version__  # noqa: E402
from listener_head.environment import choose_ros, without_ros  # noqa: E402

ROS_IS_SOURCED = choose_ros(os.environ, sys.version_info[:2]).prefix is not None


def pins(group: str) -> list[str]:
    """Return the `name==version` lines of a lock, without the ROS wheels where a ROS is sourced."""
    lines = (ROOT / "requirements" / f"{group}.txt").read_text().splitlines()
    return [line for line in lines if "==" in line and not (ROS_IS_SOURCED and line.startswith("ros-"))]


def build_requirements() -> list[str]:
    """Return the pins that CMake needs to generate the messages; pip adds what these depend on."""
    return [pin for pin in pins("run") if pin.startswith(("ros-", "numpy==", "empy=="))] + pins("build")


def run_requirements() -> list[str]:
    """Return the pins to run with. mediapipe brings OpenCV by another name, and two of them would overlap."""
    return [re.sub("^opencv-python-headless==", "opencv-contrib-python==", pin) for pin in pins("run")]


class PlatformDistribution(Distribution):
    """The messages are compiled, though not as setuptools' extension modules."""

    def has_ext_modules(self) -> bool:  # noqa: D102
        return True


class CMakeInstall(install_data):
    """Configure, build and install with CMake into the tree that becomes the wheel."""

    def run(self) -> None:  # noqa: D102
        environ = dict(os.environ) if ROS_IS_SOURCED else without_ros(os.environ)
        prefix = Path(self.install_dir)
        settings = {
            "BUILD_TESTING": "OFF",
            "CMAKE_BUILD_TYPE": "Release",
            "Python3_EXECUTABLE": sys.executable,
        }
        defines = [f"-D{name}={value}" for name, value in settings.items()]
        # In a temporary folder: a build left in the tree would break the next, isolated one.
        with tempfile.TemporaryDirectory() as build:
            for command in (
                ["cmake", "-S", ROOT, "-B", build, "-G", "Ninja", *defines],
                ["cmake", "--build", build],
                ["cmake", "--install", build, "--prefix", prefix],
            ):
                subprocess.run(command, env=environ, check=True)
        for metadata in prefix.glob("lib/python*/site-packages/*.egg-info"):
            shutil.rmtree(metadata)  # the wheel has its own
        (prefix / "bin" / "listener_head").unlink()  # pip makes the entry point


setup(
    version=__version__,
    packages=[],
    data_files=[("", [])],  # or setuptools skips install_data
    distclass=PlatformDistribution,
    cmdclass={"install_data": CMakeInstall},
    setup_requires=build_requirements(),
    install_requires=run_requirements(),
    extras_require={group: pins(group) for group in ("train", "evaluation", "test")},
)
