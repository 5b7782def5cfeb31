import csv
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from listener_head.dyads.commands import app
from listener_head.dyads.sets import synthesise_set
from listener_head.dyads.statistics import measure
from listener_head.dyads.vico import load
from listener_head.errors import UserError


def call(*arguments):
    result = CliRunner().invoke(app, [str(each) for each in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The same set in both formats."""
    folder = tmp_path_factory.mktemp("sets")
    for format in ("vico", "npz"):
        options = ("--clips", 6, "--seconds", 4, "--seed", 5, "--format", format, "--processes", 2)
        call("synthesize", "--output", folder / format, *options)
    return folder


@pytest.mark.parametrize("format", ["vico", "npz"])
def test_what_is_synthesised_is_read_back(folders, format):
    found, made = load(folders / format), synthesise_set(6, 4, seed=5)
    assert not found.skipped and found.audio_layout == made.audio_layout and found.layout == made.layout
    for read, clip in zip(found, made, strict=True):
        for name, value in vars(clip).items():
            if isinstance(value, str):
                assert getattr(read, name) == value
            elif name != "voice_activity" or format == "npz":
                np.testing.assert_array_equal(getattr(read, name), value)


def test_the_published_files_are_there(folders):
    folder = folders / "vico"
    with (folder / "metadata/data.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["uuid", "video_id", "speaker_id", "listener_id", "attitude", "data_split"]
    measured = measure(load(folder).of("train"))
    audio = torch.load(folder / "features/audio_feats_mean_std.bin", weights_only=True)
    video = torch.load(folder / "features/video_feats_mean_std.bin", weights_only=True)
    for name in ("mean", "std"):
        np.testing.assert_allclose(audio[name], measured.audio[name], atol=1e-6)
        np.testing.assert_allclose(video["angle.exp.trans"][name], measured.motion[name], atol=1e-6)


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


OPTIONS = {"--clips": "6", "--seconds": "4", "--seed": "5", "--format": "vico"}


def synthesize(output, **changed):
    options = OPTIONS | {f"--{name}": value for name, value in changed.items()}
    return call("synthesize", "--output", output, *(word for pair in options.items() for word in pair))


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_a_set_goes_on_after_an_interruption(folders, tmp_path, end):
    output = tmp_path / "set"
    options = [word for pair in OPTIONS.items() for word in pair]
    code = "from listener_head.dyads.commands import app; app()"
    command = [sys.executable, "-c", code, "synthesize", "--output", str(output), *options]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while running.poll() is None and len(list(output.glob(".synthesis/clips/*.json"))) < 2:
        time.sleep(0.02)
    running.send_signal(end)
    assert running.wait(30) != 0 and not (output / "metadata").exists()
    made = sorted(output.glob("features/video_feats/*.bin"))
    made[0].write_bytes(made[0].read_bytes()[:100])
    assert "of them from before" in synthesize(output)
    assert contents(output) == contents(folders / "vico")


def test_a_whole_set_is_left_as_it_is(folders):
    before = contents(folders / "vico")
    assert "6 of them from before" in synthesize(folders / "vico")
    assert contents(folders / "vico") == before


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("clips", "7", "--clips 6, not 7"),
        ("seconds", "5", r"--seconds 4\.0, not 5"),
        ("held-out-seconds", "5", r"--held-out-seconds 4\.0, not 5"),
        ("seed", "6", "--seed 5, not 6"),
        ("format", "npz", "--format vico, not npz"),
    ],
)
def test_a_folder_begun_otherwise_is_refused_by_the_option(folders, option, value, message):
    before = contents(folders / "vico")
    with pytest.raises(UserError, match=message):
        synthesize(folders / "vico", **{option: value})
    assert contents(folders / "vico") == before


def test_a_full_disk_while_synthesising_is_named_and_the_set_goes_on(folders, tmp_path):
    # A limit on the size of files fails as a full disk does.
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, usual[1]))
    try:
        with pytest.raises(UserError, match=r"cannot be written .*free space"):
            synthesize(tmp_path / "set")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
        signal.signal(signal.SIGXFSZ, handler)
    assert not (tmp_path / "set" / "metadata").exists()
    synthesize(tmp_path / "set")
    assert contents(tmp_path / "set") == contents(folders / "vico")


def test_what_is_no_synthetic_set_is_not_touched(make_clip, put, table, tmp_path):
    put(make_clip("a"))
    table("uuid,video_id,speaker_id,listener_id", "a,v,s,l")
    for format in ("vico", "npz"):
        with pytest.raises(UserError, match="holds a set already"):
            synthesize(tmp_path, format=format)
    with pytest.raises(UserError, match="is a file"):
        synthesize(tmp_path / "metadata/data.csv")
    (tmp_path / ".synthesis").mkdir()
    (tmp_path / ".synthesis/options.json").write_text("{")
    with pytest.raises(UserError, match=r"options\.json' is damaged"):
        synthesize(tmp_path)


def test_table_1_counts_what_there_is(make_clip, put, table, tmp_path):
    for name in ("a", "b", "c"):
        put(make_clip(name, frames=90))
    table(
        "uuid,video_id,speaker_id,listener_id,attitude,data_split",
        "a,v,ann,bob,positive,train",
        "b,v,bob,ann,positive,train",
        "c,w,ann,cleo,negative,ood",
        "d,w,ann,cleo,negative,ood",
    )
    printed = call("stats", tmp_path)
    rows = {line.split("│")[1].strip(): line for line in printed.splitlines() if line.count("│") == 8}
    cells = {name: [cell.strip() for cell in row.split("│")[2:-1]] for name, row in rows.items()}
    assert cells["positive"] == ["1", "2", "2", "2", "2", "0 min 6 s"]
    assert cells["neutral"] == ["0", "0", "0", "0", "0", "0 min 0 s"]
    assert cells["total"] == ["2", "2", "3", "3", "3", "0 min 9 s"]
    assert cells["ood"] == ["1", "1", "1", "2", "1", "0 min 3 s"]
    assert "skipped d:" in printed and "missing" in printed


def test_a_set_is_parted_once(make_clip, put, table, tmp_path):
    names = [f"{group}{number}" for group in range(10) for number in range(2)]
    for name in names:
        put(make_clip(name), audio=f"sound{name}")
    header = "uuid,video_id,speaker_id,listener_id,audio"
    table(header, *(f"{name},v,speaker{name[0]},listener{name[0]},sound{name}" for name in names))
    call("split", tmp_path)
    parts = [clip.split for clip in load(tmp_path)]
    assert parts.count("test") == 2 and parts.count("ood") == 2 and parts.count("train") == 16
    with pytest.raises(UserError, match="has parts already"):
        call("split", tmp_path)
