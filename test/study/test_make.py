"""From a table to a page that tells nothing, and the table's faults."""

from __future__ import annotations

import re

import pytest

from listener_head.dyads.clips import ATTITUDES
from listener_head.errors import UserError
from listener_head.study.make import make_study
from listener_head.study.model import GROUND_TRUTH, read_key, read_manifest
from listener_head.study.table import read_table


def make(table, folder, key=None):
    return make_study(table, folder, key or folder.with_name("key.json"), 30, "A study", lambda *_: None)


def test_questions_are_those_of_the_paper(study):
    preference = [q for q in study.key.manifest.questions if q.test == "preference"]
    matching = [q for q in study.key.manifest.questions if q.test == "matching"]
    assert len(preference) == len(matching) == 3
    for question in preference:
        first, second = (study.key.videos[name] for name in question.videos)
        assert {first.method, second.method} == {GROUND_TRUTH, "network"}
        assert first.clip == second.clip and first.attitude == second.attitude == question.attitude
    for question in matching:
        assert question.attitude is None
        assert {study.key.videos[name].attitude for name in question.videos} == set(ATTITUDES)


def test_page_does_not_tell_which_is_which(study):
    """Neither a file's name nor the manifest says what a video is, and none is in two questions."""
    told = "".join(path.read_text() for path in study.folder.glob("manifest.js"))
    names = [path.name for path in (study.folder / "videos").iterdir()]
    for word in ("network", GROUND_TRUTH, "talk", "ood", "listener.mp4"):
        assert word not in told and not any(word in name for name in names)
    used = [name for question in study.key.manifest.questions for name in question.videos]
    assert len(used) == len(set(used)) and set(used) <= set(names)
    assert all(re.fullmatch(r"[0-9a-f]{16}\.mp4", name) for name in names)
    assert not study.key_path.is_relative_to(study.folder)


def test_order_in_the_manifest_does_not_tell(table, tmp_path):
    """The ground truth comes first and second; 18 pairs agree by chance once in 131072."""
    places = set()
    for i in range(6):
        key = make(table, tmp_path / str(i), tmp_path / f"{i}.json")
        pairs = [q for q in key.manifest.questions if q.test == "preference"]
        places |= {[key.videos[name].method for name in q.videos].index(GROUND_TRUTH) for q in pairs}
    assert places == {0, 1}


def test_files_are_read_back(study):
    assert read_key(study.key_path) == study.key
    assert read_manifest(study.folder) == study.key.manifest


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (
            ("c9", "test", "happy", "network", "listener.mp4"),
            "line 2: attitude 'happy' is unknown; choose of pos",
        ),
        (("c9", "test", "", "network", "listener.mp4"), "line 2: attitude '' is unknown"),
        (("c9", "", "neutral", "network", "listener.mp4"), "line 2: set is empty"),
        (("c9", "test", "neutral", "network", "none.mp4"), "none.mp4' cannot be read"),
        (("c9", "test", "neutral", "network", "videos.avi"), "browsers do not play 'videos.avi'; give .mp4"),
        (("c9", "test", "neutral", "network", "text.mp4"), "text.mp4' cannot be read"),
        (("c9", "test", "neutral", "network", "old.mp4"), r"browsers do not play 'old.mp4' \(mpeg4\)"),
        (("c9", "test", "neutral", "network", "listener.mp4"), "has no question in it; a clip needs"),
    ],
)
def test_wrong_row_is_named(row, complaint, table, tmp_path, write_rows):
    folder = tmp_path / "clips"
    folder.mkdir()
    (folder / "listener.mp4").write_bytes((table.parent / "listener.mp4").read_bytes())
    (folder / "text.mp4").write_text("no video")
    write_old_video(folder / "old.mp4")
    with pytest.raises(UserError, match=complaint) as caught:
        make(write_rows(folder / "t.csv", [row]), tmp_path / "study")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "study").exists() and not (tmp_path / "key.json").exists()


def write_old_video(path):
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode())


def test_row_that_is_there_twice(table, tmp_path, write_rows):
    row = ("c1", "test", "neutral", "network", str(table.parent / "listener.mp4"))
    with pytest.raises(UserError, match="line 3: the network of clip 'c1' is there twice"):
        read_table(write_rows(tmp_path / "t.csv", [row, row]))


@pytest.mark.parametrize(
    "content", [b"", b"clip,set\n", b"\xff\xfe\x00", b"clip,set,attitude,method,video\n"]
)
def test_file_that_is_no_table(content, tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"t\.csv"):
        read_table(path)


def test_nothing_is_written_over(study, table, tmp_path):
    with pytest.raises(UserError, match="is in use; a study never takes the place of another"):
        make(table, study.folder)
    with pytest.raises(UserError, match="exists; answers need it"):
        make(table, tmp_path / "other", study.key_path)
    with pytest.raises(UserError, match="would be in the folder that raters get"):
        make(table, tmp_path / "other", tmp_path / "other" / "key.json")


def test_folder_that_cannot_be_written_leaves_nothing(table, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        make(table, tmp_path / "file" / "study", tmp_path / "key.json")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_title_is_no_markup(table, tmp_path):
    make_study(table, tmp_path / "s", tmp_path / "k", 30, "<script>alert(1)</script>", lambda *_: None)
    assert "&lt;script&gt;alert(1)" in (tmp_path / "s" / "index.html").read_text()
    assert read_manifest(tmp_path / "s").title == "<script>alert(1)</script>"
