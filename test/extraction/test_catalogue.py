"""Which files belong together."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.extraction.catalogue import find_clips


def tree(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    clips, skipped = find_clips(folder)
    found = {
        clip.name: (str(clip.video.relative_to(folder)), str(clip.sound.relative_to(folder)))
        for clip in clips
    }
    owners = {clip.name for clip in clips if clip.owns_sound}
    return found, owners, {str(each.path.relative_to(folder)): each.reason for each in skipped}


def test_published_layout(tmp_path):
    found, owners, skipped = tree(tmp_path, "videos/x.speaker.mp4", "videos/x.listener.mp4", "audios/x.wav")
    assert found == {
        "x.speaker": ("videos/x.speaker.mp4", "audios/x.wav"),
        "x.listener": ("videos/x.listener.mp4", "audios/x.wav"),
    }
    assert owners == {"x.speaker"}
    assert not skipped


def test_without_sound_files_the_listener_hears_the_speaker(tmp_path):
    found, owners, _ = tree(tmp_path, "x.speaker.mp4", "x.listener.mp4", "y.listener.mkv", "plain.MOV")
    assert found["x.listener"] == ("x.listener.mp4", "x.speaker.mp4")
    assert found["y.listener"] == ("y.listener.mkv", "y.listener.mkv")
    assert found["plain.speaker"] == ("plain.MOV", "plain.MOV")
    assert owners == {"x.speaker", "y.listener", "plain.speaker"}


def test_names_that_clash_and_sounds_of_nobody_are_skipped(tmp_path):
    found, _, skipped = tree(
        tmp_path,
        "a/x.mp4",
        "b/x.avi",
        "b/x.speaker.mkv",
        "x.wav",
        "b/x.flac",
        "lone.wav",
        "x.listener.wav",
        ".x.mp4",
    )
    assert list(found) == ["x.speaker"]
    assert set(skipped) == {"b/x.avi", "b/x.speaker.mkv", "x.wav", "lone.wav", "x.listener.wav"}


names = st.text(st.sampled_from("ab."), min_size=1, max_size=4)
files = st.builds(
    lambda folder, stem, role, ending: f"{folder}{stem}{role}{ending}",
    st.sampled_from(["", "v/", "w/"]),
    names,
    st.sampled_from(["", ".speaker", ".listener"]),
    st.sampled_from([".mp4", ".wav", ".txt"]),
)


@settings(deadline=None, max_examples=50)
@given(st.sets(files, min_size=1, max_size=8))
def test_every_file_is_used_or_listed(tmp_path_factory, paths):
    folder = tmp_path_factory.mktemp("tree")
    paths = {path for path in paths if not Path(path).name.startswith(".")} | {"always.mp4"}
    found, owners, skipped = tree(folder, *paths)
    media = {path for path in paths if not path.endswith(".txt")}
    used = {path for pair in found.values() for path in pair}
    assert used | set(skipped) == media
    assert not {video for video, _ in found.values()} & set(skipped)
    assert len({video for video, _ in found.values()}) == len(found)
    assert owners <= set(found)
