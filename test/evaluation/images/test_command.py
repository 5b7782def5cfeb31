"""`listener_head image-metrics` on real files."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

pytest.importorskip("skimage")

from listener_head.cli import app
from listener_head.errors import UserError
from listener_head.evaluation.images.clips import find_pairs, read_pictures
from listener_head.evaluation.images.labels import read_labels


def pictures(count: int, level: int = 60) -> list[np.ndarray]:
    """Flat pictures with an edge, each a little brighter."""
    made = []
    for number in range(count):
        picture = np.full((64, 96, 3), level + number, np.uint8)
        picture[:, 40:] += 90
        made.append(picture)
    return made


@pytest.fixture
def write_folder(tmp_path: Path) -> Callable[..., Path]:
    """Write pictures as PNG into a folder."""

    def write(name: str, content: list[np.ndarray]) -> Path:
        (tmp_path / name).mkdir(parents=True)
        for number, picture in enumerate(content):
            Image.fromarray(picture).save(tmp_path / name / f"{number}.png")
        return tmp_path / name

    return write


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["image-metrics", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_table_three_by_attitude(write_folder, tmp_path: Path) -> None:
    for number, attitude in enumerate(("positive", "neutral", "negative", "neutral")):
        off = {"positive": 0, "neutral": 5, "negative": 10}[attitude]
        write_folder(f"ours/clip{number}", pictures(3, 60 + off))
        write_folder(f"true/clip{number}.listener", pictures(3))
    table = tmp_path / "data.csv"
    table.write_text("uuid,attitude\nclip0,Positive\nclip1,neutral\nclip2,negative\nclip3,neutral\n")

    output = run(tmp_path / "ours", tmp_path / "true", "--attitudes", table, "--output", tmp_path / "out")

    saved = json.loads((tmp_path / "out" / "image_metrics.json").read_text())["scores"]
    psnr = {row["attitude"]: row["psnr_db"] for row in saved}
    five, ten = (20 * np.log10(255 / off) for off in (5, 10))
    assert psnr == pytest.approx(
        {"positive": 100, "neutral": five, "negative": ten, "average": (100 + 2 * five + ten) / 4}
    )
    assert [row["attitude"] for row in saved] == ["positive", "neutral", "negative", "average"]
    assert [row["clips"] for row in saved] == [1, 2, 1, 4] and saved[0]["ssim"] == pytest.approx(1)
    assert all(row["cpbd"] == 1 and row["fid"] is None for row in saved)
    with (tmp_path / "out" / "image_metrics.csv").open() as file:
        assert [float(row["psnr_db"]) for row in csv.DictReader(file)] == pytest.approx(list(psnr.values()))
    assert "Average" in output and f"{five:.3f}" in output
    assert "--inception pt_inception" in output


def test_the_parts_of_a_set_stay_apart(write_folder, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_folder(f"ours/{name}", pictures(2))
        write_folder(f"true/{name}", pictures(2, 70))
    table = tmp_path / "data.csv"
    table.write_text("listener,attitude,data_split\na.listener,neutral,ood\nb,neutral,test\n")

    output = run(tmp_path / "ours", tmp_path / "true", "--attitudes", table, "--output", tmp_path / "out")

    assert output.index("D_test: 1 clip") < output.index("D_ood: 1 clip")


def test_a_video_against_pictures(write_clip, write_folder, tmp_path: Path) -> None:
    video = write_clip(tmp_path / "clip.mkv", seconds=0.4, size=(96, 64), sound=False)
    with av.open(str(video)) as container:
        content = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]

    run(video, write_folder("png", content), "--output", tmp_path / "out")

    (row,) = json.loads((tmp_path / "out" / "image_metrics.json").read_text())["scores"]
    assert (row["attitude"], row["pictures"], row["psnr_db"]) == ("average", 10, 100)


def test_pictures_come_in_the_order_of_their_numbers(write_folder) -> None:
    folder = write_folder("png", pictures(12))
    assert [picture[0, 0, 0] for picture in read_pictures(folder)] == list(range(60, 72))


def test_with_weights_fid_is_there(write_folder, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("torchmetrics")
    from listener_head.evaluation.images.inception import Inception

    torch.save(Inception().state_dict(), tmp_path / "weights.pth")
    folder = write_folder("png", pictures(3))

    output = run(folder, folder, "--inception", tmp_path / "weights.pth", "--output", tmp_path / "out")

    (row,) = json.loads((tmp_path / "out" / "image_metrics.json").read_text())["scores"]
    assert row["fid"] == pytest.approx(0, abs=1e-3) and "--inception" not in output


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        (pictures(3), pictures(4), "3 pictures and .* has 4; give clips of equal length"),
        (pictures(3), [p[:, ::-1][:, :80] for p in pictures(3)], "generated and true are 96x64 and 80x64"),
        ([*pictures(1), pictures(1)[0][:, :80]], [*pictures(1), pictures(1)[0][:, :80]], "picture 1.*96x64"),
        ([p[:32] for p in pictures(2)], [p[:32] for p in pictures(2)], "pictures of 96x32; at least 64"),
    ],
)
def test_pairs_that_do_not_fit_are_refused(write_folder, tmp_path: Path, ours, theirs, said) -> None:
    with pytest.raises(UserError, match=said):
        run(write_folder("ours", ours), write_folder("true", theirs), "--output", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_video_that_ends_early_is_refused(write_clip, write_folder, tmp_path: Path) -> None:
    video = write_clip(tmp_path / "clip.mkv", seconds=0.4, sound=False)  # Matroska does not say how many
    longer = [np.zeros((64, 96, 3), np.uint8)] * 11
    with pytest.raises(UserError, match="ends after 10 pictures"):
        run(video, write_folder("png", longer), "--output", tmp_path / "out")


def test_wrong_paths_are_named(write_folder, tmp_path: Path) -> None:
    clip = write_folder("one", pictures(1))
    many = write_folder("many/a", pictures(1)).parent
    other = write_folder("other/b", pictures(1)).parent
    (tmp_path / "empty").mkdir()
    for ours, theirs, said in (
        (tmp_path / "absent", clip, "absent' does not exist"),
        (clip, tmp_path / "empty", "empty' has no video and no pictures"),
        (clip, many, "is one clip and .* is a folder of clips"),
        (many, other, r"has no clip 'a' \(1 of 1"),
    ):
        with pytest.raises(UserError, match=said):
            find_pairs(ours, theirs)


def test_damaged_files_are_named(write_folder, tmp_path: Path) -> None:
    folder = write_folder("png", pictures(2))
    (folder / "1.png").write_bytes(b"rubbish")
    (tmp_path / "clip.mp4").write_bytes(b"rubbish")
    with pytest.raises(UserError, match=r"1\.png' cannot be read"):
        list(read_pictures(folder))
    with pytest.raises(UserError, match=r"clip\.mp4' cannot be read"):
        list(read_pictures(tmp_path / "clip.mp4"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has the columns none"),
        ("uuid,mood\na,neutral\n", "columns uuid, mood; give uuid, attitude"),
        ("uuid,attitude\na,neutral\nb,bored\n", "line 3: attitude 'bored' is unknown"),
        ("uuid,attitude,data_split\na,neutral,dev\n", "data_split 'dev' is unknown"),
    ],
)
def test_a_wrong_table_of_attitudes_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "data.csv").write_text(text)
    with pytest.raises(UserError, match=said):
        read_labels(tmp_path / "data.csv")


def test_a_table_of_other_clips_is_refused(write_folder, tmp_path: Path) -> None:
    folder, table = write_folder("png", pictures(2)), tmp_path / "data.csv"
    table.write_text("uuid,attitude\nother,neutral\n")
    with pytest.raises(UserError, match="no attitude for clip 'png'"):
        run(folder, folder, "--attitudes", table, "--output", tmp_path / "out")
