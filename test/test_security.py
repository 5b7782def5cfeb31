"""Files and messages that somebody else made run no code, open no other file and take no endless memory."""

from __future__ import annotations

import ast
import pickle
import struct
import sys
import zlib
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from inspect import signature
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import onnx
import pytest
from typer.testing import CliRunner

import listener_head
from listener_head.bags import open_bag
from listener_head.bags.writer import RecordingWriter
from listener_head.cli import app
from listener_head.errors import UserError
from listener_head.images import MOST_SCANS, bgr_pixels, compressed_bgr_pixels
from listener_head.listener import load_listener
from listener_head.paths import assets_dir
from listener_head.plain import plain
from listener_head.robot.urdf_reader import parse_urdf
from listener_head.sounds import LONGEST_S, SoundDecoder
from listener_head.study.commands import serve
from listener_head.viewing.feed import Feed
from listener_head.viewing.server import PageServer

PACKAGE = Path(listener_head.__file__).parent
LAUNCH = PACKAGE.parent / "launch"
SOURCES = sorted([*PACKAGE.rglob("*.py"), *LAUNCH.glob("*.py")])


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


# What the program itself contains


def name_of(node: ast.AST) -> str:
    """`np.load` of the expression np.load; an empty string for anything else than dotted names."""
    if isinstance(node, ast.Attribute):
        return f"{name_of(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def calls(tree: ast.AST) -> Iterator[tuple[str, dict[str, ast.expr], ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield name_of(node.func), {k.arg: k.value for k in node.keywords if k.arg}, node


def is_constant(node: ast.expr | None, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


RUNS_CODE = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "torch.jit.load", "torch.hub.load",
    "yaml.unsafe_load", "yaml.full_load", "yaml.load_all", "yaml.unsafe_load_all", "yaml.full_load_all",
    "onnx.load", "onnx.load_model", "pd.read_pickle", "pandas.read_pickle",
}  # fmt: skip
UNSAFE_MODULES = {
    "pickle",
    "_pickle",
    "dill",
    "cloudpickle",
    "joblib",
    "marshal",
    "shelve",
    "lxml",
    "xml.sax",
}
UNSAFE_LOADERS = {"yaml.Loader", "yaml.FullLoader", "yaml.UnsafeLoader", "yaml.CLoader", "yaml.CFullLoader"}


def faults_of(tree: ast.Module, path: Path) -> list[str]:
    """What a source file may not do, a line each."""
    faults = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        else:
            modules = []
        faults += [f"imports {name}" for name in modules if name in UNSAFE_MODULES]
        if isinstance(node, ast.Attribute) and name_of(node) in UNSAFE_LOADERS:
            faults.append(f"uses {name_of(node)}")
        if isinstance(node, ast.Constant) and node.value in ("0.0.0.0", "::"):
            faults.append("names the address of all networks")
    for name, keywords, call in calls(tree):
        if name in RUNS_CODE:
            faults.append(f"calls {name}")
        if name == "torch.load" and not is_constant(keywords.get("weights_only"), True):
            faults.append("calls torch.load without weights_only=True")
        if "allow_pickle" in keywords and not is_constant(keywords["allow_pickle"], False):
            faults.append(f"calls {name} with allow_pickle")
        if "shell" in keywords and not is_constant(keywords["shell"], False):
            faults.append(f"calls {name} with shell")
        if name == "yaml.load" and "SafeLoader" not in ast.dump(call):
            faults.append("calls yaml.load without a SafeLoader")
        if name.endswith("InferenceSession") and path.name != "providers.py":
            faults.append("makes an InferenceSession; listener_head.providers.open_session does")
    return faults


def test_no_source_file_can_run_what_a_file_or_message_says() -> None:
    faults = {str(path): faults_of(tree_of(path), path) for path in SOURCES}
    assert {path: found for path, found in faults.items() if found} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle", "from marshal import loads", "import torch\ntorch.load('x')",
        "torch.load('x', weights_only=False)", "np.load('x', allow_pickle=True)",
        "yaml.load(text, yaml.Loader)", "yaml.load(text)", "yaml.unsafe_load(text)", "eval(text)",
        "subprocess.run(text, shell=True)",
        "ort.InferenceSession(path)", "server.bind(('0.0.0.0', 80))", "onnx.load(path)",
    ],
)  # fmt: skip
def test_the_check_above_finds_what_it_looks_for(source: str) -> None:
    assert len(faults_of(ast.parse(source), Path("x.py"))) >= 1


def test_modules_are_imported_by_name_only_for_types_of_messages() -> None:
    for path in SOURCES:
        for name, _, call in calls(tree_of(path)):
            if name.endswith("import_module") and not isinstance(call.args[0], ast.Constant):
                text = ast.unparse(call.args[0])
                assert "listener_head." in text or ".msg" in text or "{kind}" in text, f"{path}: {text}"


OPENING = {"open", "Path", "read_text", "read_bytes", "write_text", "write_bytes", "imread", "load"}


@pytest.mark.parametrize("path", sorted((PACKAGE / "nodes").glob("*.py")), ids=lambda path: path.name)
def test_nodes_name_files_only_while_they_are_configured(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef) and node.name not in ("__init__", "configure"):
            opened = [name for name, _, _ in calls(node) if name.rpartition(".")[2] in OPENING]
            assert not opened, f"{node.name} calls {opened}"


# Files with something evil in them, in the commands that read such files


class Evil:
    """Whoever unpickles it makes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple:
        return Path.touch, (self.marker,)


@pytest.fixture
def marker(tmp_path: Path) -> Iterator[Path]:
    """The file that evil code would make; it must not be there in the end."""
    marker = tmp_path / "executed"
    yield marker
    assert not marker.exists()


def refusal(*arguments: object) -> str:
    """The one line with which a command refuses its input."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert isinstance(result.exception, UserError), result.exception or result.output
    text = str(result.exception)
    assert "\n" not in text
    return text


def test_the_evil_object_is_evil(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Evil(tmp_path / "executed")))
    assert (tmp_path / "executed").exists()


def evil_torch(path: Path, marker: Path) -> Path:
    torch = pytest.importorskip("torch")
    torch.save({"net_recon": Evil(marker), "state": Evil(marker)}, path)
    return path


def test_a_checkpoint_that_holds_an_object_is_not_imported(tmp_path: Path, marker: Path) -> None:
    file = evil_torch(tmp_path / "evil.pth", marker)
    assert "can run code" in refusal("import-checkpoint", file, "--output", tmp_path / "out.onnx")


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_plain_pickle_is_no_checkpoint(tmp_path: Path, marker: Path) -> None:
    pytest.importorskip("torch")
    file = tmp_path / "evil.bin"
    file.write_bytes(pickle.dumps(Evil(marker)))
    assert str(file) in refusal("import-checkpoint", file, "--output", tmp_path / "out.onnx")
    assert str(file) in refusal("render", file, "--output", tmp_path / "out.mp4")


def test_weights_of_inception_that_hold_an_object_are_refused(tmp_path: Path, marker: Path) -> None:
    file = evil_torch(tmp_path / "evil.pth", marker)
    for folder in ("made", "true"):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / "0.png"), np.zeros((64, 64, 3), np.uint8))
    arguments = (tmp_path / "made", tmp_path / "true", "--inception", file, "--output", tmp_path / "out")
    assert str(file) in refusal("image-metrics", *arguments)


def test_a_run_to_resume_that_holds_an_object_is_refused(tmp_path: Path, marker: Path) -> None:
    pytest.importorskip("torch")
    from listener_head.listener.configuration import load_config
    from listener_head.listener.saved_run import load_run
    from listener_head.paths import config_dir

    file = evil_torch(tmp_path / "net.run.pt", marker)
    with pytest.raises(UserError, match="damaged or no training run"):
        load_run(file, load_config(config_dir() / "training.yaml"), "")


@pytest.mark.parametrize("ending", [".npz", ".npy"])
def test_arrays_of_objects_are_not_rendered(tmp_path: Path, marker: Path, ending: str) -> None:
    file = tmp_path / f"evil{ending}"
    evil = np.array([Evil(marker)], object)
    if ending == ".npy":
        np.save(file, evil, allow_pickle=True)
    else:
        np.savez(file, metadata=evil, motion=evil)
    assert str(file) in refusal("render", file, "--output", tmp_path / "out.mp4")


def test_policy_data_and_saved_states_of_objects_are_refused(tmp_path: Path, marker: Path) -> None:
    from listener_head.policies.data import PolicyData

    file = tmp_path / "evil.npz"
    np.savez(file, format=np.array([Evil(marker)], object), facts=np.array([Evil(marker)], object))
    with pytest.raises(UserError, match=r"evil\.npz"):
        PolicyData.load(file)
    listener = load_listener()
    with pytest.raises(UserError, match="saved state"):
        listener.restore(file.read_bytes())


EVIL_YAML = [
    "name: !!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path ['{marker}']]",
    "!!python/object/apply:os.system ['touch {marker}']",
]


@pytest.mark.parametrize("text", EVIL_YAML)
@pytest.mark.parametrize("command", ["robot", "theme", "training", "recording"])
def test_yaml_makes_no_python_objects(tmp_path: Path, marker: Path, command: str, text: str) -> None:
    file = tmp_path / "evil.yaml"
    file.write_text(text.format(marker=marker))
    if command == "robot":
        assert str(file) in refusal("robots", "check", file)
    elif command == "theme":
        motion = tmp_path / "motion.npy"
        np.save(motion, np.zeros((2, 58), np.float32))
        arguments = ("--theme", file, "--output", tmp_path / "out.mp4")
        assert str(file) in refusal("render", motion, *arguments)
    elif command == "training":
        assert str(file) in refusal("train", "--config", file, "--output", tmp_path / "net.onnx")
    else:
        bag = tmp_path / "bag"
        bag.mkdir()
        file.rename(bag / "metadata.yaml")
        assert str(bag) in refusal("evaluate", bag, "--output", tmp_path / "out")


def test_aliases_of_aliases_do_not_fill_the_memory(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    file = tmp_path / "bomb.yaml"
    file.write_text("\n".join(lines))
    assert "more than 20000 values" in refusal("robots", "check", file)
    file.write_text("name: " + "x" * 2**21)
    assert "larger than" in refusal("robots", "check", file)


@pytest.mark.parametrize("place", ["beside", "above", "absolute"])
def test_a_network_reads_no_other_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    model = onnx.load(assets_dir() / "listener_arkit52.onnx")
    folder = tmp_path / "networks"
    folder.mkdir()
    onnx.save(model, folder / "whole.onnx")
    onnx.save(model, folder / "split.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    split = onnx.load(folder / "split.onnx", load_external_data=False)
    location = {"beside": "w.bin", "above": "../w.bin", "absolute": str(folder / "w.bin")}[place]
    (tmp_path / "w.bin").write_bytes((folder / "w.bin").read_bytes())
    tensors = [tensor for tensor in split.graph.initializer if tensor.external_data]
    assert tensors
    for tensor in tensors:
        next(entry for entry in tensor.external_data if entry.key == "location").value = location
    (folder / "split.onnx").write_bytes(split.SerializeToString())
    monkeypatch.chdir(folder)  # where names of files begin for a network that is read from memory
    load_listener(folder / "whole.onnx")
    with pytest.raises(UserError, match="broken or no ONNX file"):
        load_listener(folder / "split.onnx")


def test_a_recording_opens_no_file_outside_its_folder(tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "bag", {"/clock": "rosgraph_msgs/msg/Clock"})
    writer.close()
    metadata = tmp_path / "bag" / "metadata.yaml"
    (inside,) = (tmp_path / "bag").glob("*.mcap")
    outside = inside.rename(tmp_path / inside.name)
    for named in (f"../{outside.name}", str(outside)):
        metadata.write_text(metadata.read_text().replace(inside.name, named))
        opened = opened_files(tmp_path / "bag")
        assert str(outside) not in opened
        metadata.write_text(metadata.read_text().replace(named, inside.name))


OPENED: list[str] = []
sys.addaudithook(lambda event, arguments: OPENED.append(str(arguments[0])) if event == "open" else None)


def opened_files(bag: Path) -> list[str]:
    """The files that are opened on the way to a recording."""
    OPENED.clear()
    with suppress(UserError), open_bag(bag):
        pass
    assert str(bag / "metadata.yaml") in OPENED
    return [str(Path(name).resolve()) for name in OPENED]


def test_a_robots_description_has_no_entities() -> None:
    declared = '<!DOCTYPE robot [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    text = declared + '<robot name="&x;"><link name="a"/></robot>'
    with pytest.raises(UserError, match="document type"):
        parse_urdf(text, "topic robot_description")


# Servers


def test_servers_listen_to_this_computer_alone() -> None:
    page = PageServer(Feed(), 0, {})
    page.close()
    assert page.address.startswith("http://127.0.0.1:")
    assert signature(serve).parameters["host"].default == "127.0.0.1"


# Messages that would take endless memory or time


def png(width: int, height: int) -> bytes:
    """A PNG of one colour, some kilobytes whatever its size."""

    def chunk(name: bytes, data: bytes) -> bytes:
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(10_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def jpeg(*flags: int) -> bytes:
    return cv2.imencode(".jpg", np.full((64, 48, 3), 90, np.uint8), list(flags))[1].tobytes()


def resized(picture: bytes, width: int, height: int) -> bytes:
    """A JPEG whose frame header says another size."""
    start = picture.index(b"\xff\xc0") + 5
    return picture[:start] + struct.pack(">HH", height, width) + picture[start + 4 :]


@pytest.mark.parametrize("size", [(30_000, 30_000), (8193, 1), (8192, 8192), (2**31 - 1, 2**31 - 1)])
def test_a_picture_is_measured_before_it_is_decoded(size: tuple[int, int]) -> None:
    pictures = [png(*size)]
    if max(size) < 2**16:
        pictures.append(resized(jpeg(), *size))
    for data in pictures:
        with pytest.raises(UserError, match="is too large"):
            compressed_bgr_pixels(SimpleNamespace(format="jpeg", data=data))


def test_a_jpeg_cannot_hide_its_size_behind_markers_without_a_length() -> None:
    honest = jpeg()
    small = honest[honest.index(b"\xff\xc0") :][:19]
    # A decoder steps over the marker D0; a reader that takes what follows for its length finds another size.
    hidden = b"\xff\xd8\xff\xd0" + struct.pack(">H", 4) + small + resized(honest, 60_000, 60_000)[2:]
    with pytest.raises(UserError):
        compressed_bgr_pixels(SimpleNamespace(format="jpeg", data=hidden))


def test_a_progressive_jpeg_of_many_scans_is_refused() -> None:
    progressive = jpeg(cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    assert compressed_bgr_pixels(SimpleNamespace(format="jpeg", data=progressive)).shape == (64, 48, 3)
    scan = progressive[progressive.rindex(b"\xff\xda") : -2]
    with pytest.raises(UserError, match="scans"):
        many = progressive[:-2] + scan * MOST_SCANS + progressive[-2:]
        compressed_bgr_pixels(SimpleNamespace(format="jpeg", data=many))


@pytest.mark.parametrize("data", [b"II*\x00" + bytes(100), b"GIF89a" + bytes(100), b"BM" + bytes(100), b""])
def test_only_jpeg_and_png_reach_the_decoder(data: bytes) -> None:
    with pytest.raises(UserError, match="send JPEG or PNG"):
        compressed_bgr_pixels(SimpleNamespace(format="tiff", data=data))


def test_a_raw_image_is_measured_before_it_is_converted() -> None:
    data = memoryview(np.broadcast_to(np.uint8(0), 1).data)
    for width, height in ((8193, 1), (8192, 8192), (2**32 - 1, 2**32 - 1)):
        image = SimpleNamespace(width=width, height=height, step=width, encoding="mono8", data=data)
        with pytest.raises(UserError, match="is too large"):
            bgr_pixels(image)


@pytest.mark.parametrize("rate", [1, 8000, 96_000])
def test_sound_of_many_seconds_in_one_message_is_refused(rate: int) -> None:
    samples = np.zeros(LONGEST_S * rate + 1, np.int16)
    with pytest.raises(UserError, match="too long for one message"):
        SoundDecoder().decode(SimpleNamespace(samples=samples, channels=1, sample_rate=rate))


def test_text_of_others_is_one_printable_line() -> None:
    assert plain("camera_optical_frame é") == "camera_optical_frame é"
    assert plain("a\n[ERROR] forged \x1b[2J") == "a\\n[ERROR] forged \\x1b[2J"
    assert plain("x" * 10**6) == "x" * 80 + "..."
    assert plain("\ud800") == "\\ud800"
