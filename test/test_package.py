"""What the package promises when it is installed: its messages, executables, files and pins."""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import listener_head
from listener_head import msg

ROOT = Path(__file__).parents[1]
MESSAGES = sorted(path.stem for path in (ROOT / "msg").glob("*.msg"))
NODES = sorted(path.stem for path in (ROOT / "listener_head" / "nodes").glob("[!_]*.py"))
COMPOSE = "compose"  # which holds several of them
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


@pytest.fixture
def prefix() -> Path:
    """The installation under test: the workspace that is sourced, or else this Python's environment."""
    prefixes = [
        Path(entry) for entry in (*os.environ.get("AMENT_PREFIX_PATH", "").split(":"), sys.prefix) if entry
    ]
    index = Path("share", "ament_index", "resource_index", "packages", "listener_head")
    return next(prefix for prefix in prefixes if (prefix / index).exists())


def test_one_version() -> None:
    assert ElementTree.parse(ROOT / "package.xml").findtext("version") == listener_head.__version__


@pytest.mark.parametrize("name", MESSAGES)
def test_message_is_built_from_its_file(name: str) -> None:
    lines = [line.split("#")[0].split() for line in (ROOT / "msg" / f"{name}.msg").read_text().splitlines()]
    fields = [words[1] for words in lines if len(words) >= 2 and "=" not in "".join(words)]
    assert list(getattr(msg, name).get_fields_and_field_types()) == fields


@pytest.mark.parametrize("node", NODES)
def test_node_has_an_executable_that_names_its_interpreter(prefix: Path, node: str) -> None:
    executable = prefix / "lib" / "listener_head" / node
    assert os.access(executable, os.X_OK)
    interpreter = executable.read_text().splitlines()[0].removeprefix("#!")
    assert Path(interpreter).is_absolute() and os.access(interpreter, os.X_OK)


def test_no_executable_without_its_node(prefix: Path) -> None:
    there = sorted(path.name for path in (prefix / "lib" / "listener_head").iterdir())
    assert there == sorted([*NODES, COMPOSE])


@pytest.mark.parametrize("folder", ["config", "launch"])
def test_share_holds_every_file(prefix: Path, folder: str) -> None:
    files = [
        path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts
    ]
    assert files
    for path in files:
        assert (prefix / "share" / "listener_head" / path.relative_to(ROOT)).read_bytes() == path.read_bytes()


def test_every_module_and_asset_is_installed(prefix: Path) -> None:
    (installed,) = prefix.glob("lib/python*/site-packages/listener_head")
    sources = (
        path for path in (ROOT / "listener_head").rglob("*") if path.is_file() and path.suffix != ".pyc"
    )
    assert [
        str(path) for path in sources if not (installed / path.relative_to(ROOT / "listener_head")).exists()
    ] == []


def test_messages_alone_are_light() -> None:
    heavy = "{'mediapipe', 'cv2', 'torch', 'onnxruntime', 'scipy', 'matplotlib', 'pydantic'}"
    code = f"import listener_head.msg, sys; print(sorted({heavy} & set(sys.modules)))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"


def test_locks_pin_each_package_once() -> None:
    lines = [line for lock in LOCKS for line in lock.read_text().splitlines() if not line.startswith("#")]
    pins = [re.fullmatch(r"([a-z0-9-]+)==([\w.+!]+)", line) for line in lines]
    assert all(pins), [line for line, pin in zip(lines, pins, strict=True) if not pin]
    names = [pin[1] for pin in pins if pin]
    assert len(names) == len(set(names))
    assert {"ros-rclpy", "numpy", "mediapipe", "pytest", "ruff", "colcon-core"} <= set(names)


def test_running_needs_no_torch() -> None:
    run = (ROOT / "requirements" / "run.txt").read_text()
    assert not re.search("^(torch|onnx|librosa|numba|jax|opencv-contrib-python)==", run, re.MULTILINE)


@pytest.mark.parametrize("node", NODES)
def test_node_has_a_main(node: str) -> None:
    assert callable(importlib.import_module(f"listener_head.nodes.{node}").main)
