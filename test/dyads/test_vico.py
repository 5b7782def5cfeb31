import logging
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listener_head.dyads.vico import load
from listener_head.errors import UserError

CHALLENGE = "uuid,video_id,speaker_id,listener_id"
FULL = "audio,speaker,listener,speaker_id,listener_id,attitude,data_split"


def only_reason(folder):
    """Why the only clip of a set that cannot be used was skipped."""
    with pytest.raises(UserError, match="no clip that can be used") as caught:
        load(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_challenges_set(make_clip, put, table, tmp_path):
    clips = [make_clip(name, model="bfm2009") for name in ("abc", "def")]
    for clip in clips:
        put(clip, "bfm2009")
    table(CHALLENGE, "abc,v1,3,7", "def,v2,7,3")
    found = load(tmp_path)
    assert found.layout.face_model == "bfm2009" and found.audio_layout == "paper45" and not found.skipped
    for clip, made in zip(found, clips, strict=True):
        for part in ("audio", "speaker", "listener"):
            np.testing.assert_array_equal(getattr(clip, part), getattr(made, part))
        assert clip.split == "" and clip.attitude == "" and clip.video_id in ("v1", "v2")
        np.testing.assert_array_equal(clip.listener_identity, np.arange(80))
    assert (found.clips[0].speaker_id, found.clips[0].listener_id) == ("3", "7")


@pytest.mark.parametrize("place", ["", "metadata/"])
def test_the_tables_of_the_parts(make_clip, put, table, tmp_path, place, caplog):
    for name in ("a", "b", "c"):
        put(make_clip(name))
    table("video_id,uuid,speaker_id,listener_id", "v,a,1,2", name=f"{place}train.csv")
    table("video_id,uuid,speaker_id,listener_id", "v,b,1,2", name=f"{place}test.csv")
    table("video_id,uuid,speaker_id,listener_id", "v,c,8,9", name=f"{place}ood.csv")
    # The baseline's instructions copy the first of them.
    table("video_id,uuid,speaker_id,listener_id", "v,a,1,2", name=f"{place}data.csv")
    found = load(tmp_path)
    assert {clip.name: clip.split for clip in found} == {"a": "train", "b": "test", "c": "ood"}
    assert not found.skipped and not caplog.records


def test_the_full_release(make_clip, put, table, tmp_path):
    put(make_clip("x"), audio="talk_3_1", speaker="talk_3_1_left", listener="talk_3_1_right")
    # As `listener_head extract` names the files of videos without a role in their names.
    put(make_clip("y"), audio="show_8_2_left", speaker="show_8_2_left.speaker", listener="other.speaker")
    table(
        FULL,
        "talk_3_1,talk_3_1_left,talk_3_1_right,5,6,positive,train",
        "show_8_2,show_8_2_left,other,6,5,Negative,test",
    )
    first, second = load(tmp_path)
    assert (first.name, first.video_id, first.attitude, first.split) == (
        "talk_3_1",
        "talk",
        "positive",
        "train",
    )
    assert (second.name, second.video_id, second.attitude, second.split) == (
        "show_8_2",
        "show",
        "negative",
        "test",
    )


def test_sound_of_the_baselines_own_layout_is_known(make_clip, put, table, tmp_path):
    clip = make_clip("a")
    clip.audio[:, 13:39] = 0
    put(clip)
    put(make_clip("b"))
    table(CHALLENGE, "a,v,1,2")
    assert load(tmp_path).audio_layout == "vico45"


def test_those_of_another_kind_than_most_are_left_out(make_clip, put, table, tmp_path):
    for name, model in (("a", "arkit52"), ("b", "bfm2009"), ("c", "arkit52")):
        put(make_clip(name, model=model), model)
    table(CHALLENGE, "a,v,1,2", "b,v,1,2", "c,v,1,2")
    found = load(tmp_path)
    assert [clip.name for clip in found] == ["a", "c"] and found.layout.face_model == "arkit52"
    (reason,) = found.skipped
    assert reason.startswith("b:") and "bfm2009" in reason


@pytest.mark.parametrize(("lost", "kept"), [(0, True), (2, True), (3, False)])
def test_lengths_may_differ_by_two_frames(make_clip, put, table, tmp_path, lost, kept):
    clip = make_clip("a", frames=9)
    put(replace(clip, audio=clip.audio[lost:]))
    table(CHALLENGE, "a,v,1,2")
    if kept:
        (found,) = load(tmp_path)
        assert len(found) == len(found.audio) == len(found.speaker) == 9 - lost
        np.testing.assert_array_equal(found.speaker, clip.speaker[: 9 - lost])
    else:
        assert "have 6, 9 and 9 frames" in only_reason(tmp_path)


def test_bad_clips_are_skipped_each_with_its_reason(make_clip, put, table, tmp_path):
    for name in ("good", "bad-sound", "cut", "gone", "mood", "twice", "number"):
        put(make_clip(name))
    put(make_clip("still", frames=1))
    faces, sounds = tmp_path / "features/video_feats", tmp_path / "features/audio_feats"
    (sounds / "bad-sound.npy").write_bytes(b"")
    whole = (faces / "cut.listener.bin").read_bytes()
    (faces / "cut.listener.bin").write_bytes(whole[: len(whole) // 2])
    (faces / "gone.speaker.bin").unlink()
    values = np.load(sounds / "number.npy")
    values[3, 7] = np.nan
    np.save(sounds / "number.npy", values)
    names = ("good", "bad-sound", "cut", "gone", "twice", "twice", "number", "still", "../good")
    lines = [f"{name},v,1,2,neutral,train" for name in names]
    table(f"{CHALLENGE},attitude,data_split", *lines, "mood,v,1,2,bored,train", "people,v,,2,neutral,train")
    found = load(tmp_path)
    assert [clip.name for clip in found] == ["good"]
    reasons = dict(line.split(": ", 1) for line in found.skipped)
    assert "missing" in reasons["gone"] and "gone.speaker.bin" in reasons["gone"]
    assert "cannot be read" in reasons["bad-sound"] and "cannot be read" in reasons["cut"]
    assert "bored" in reasons["mood"] and "1 frame" in reasons["still"] and "2 times" in reasons["twice"]
    assert "not finite" in reasons["number"] and "not that of a file" in reasons["../good"]
    assert "speaker_id" in reasons["people"]
    assert len(found.skipped) == len(names) + 1


def test_who_is_in_the_wrong_part_is_named(make_clip, put, table, tmp_path, caplog):
    for name in ("a", "b"):
        put(make_clip(name))
    table(f"{CHALLENGE},attitude,data_split", "a,v,ann,bob,,train", "b,v,ann,bob,,ood")
    with caplog.at_level(logging.WARNING):
        load(tmp_path)
    assert "ann, bob" in caplog.text


def test_what_is_no_set_is_one_clear_line(make_clip, put, table, tmp_path):
    for folder, problem in ((tmp_path / "none", "not a folder"), (tmp_path, "no metadata/data.csv")):
        with pytest.raises(UserError, match=problem):
            load(folder)
    table(CHALLENGE)
    with pytest.raises(UserError, match="neither the folder features nor clips"):
        load(tmp_path)
    put(make_clip("a"))
    with pytest.raises(UserError, match="holds no clip"):
        load(tmp_path)
    table("uuid,video_id,speaker,listener_id", "a,v,1,2")
    with pytest.raises(UserError, match="no column 'speaker_id'"):
        load(tmp_path)
    table("name,speaker_id,listener_id", "a,1,2")
    with pytest.raises(UserError, match="no column 'uuid'"):
        load(tmp_path)
    table(CHALLENGE, "a,v,1,2").write_bytes(b"uuid,\xff\xfe\n")
    with pytest.raises(UserError, match="cannot be read"):
        load(tmp_path)


any_bytes = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@given(st.binary(max_size=200) | st.text("uid,adsplken_\n\"'\x00;é", max_size=80).map(str.encode))
@any_bytes
def test_any_table_is_read_or_refused(make_clip, put, table, tmp_path, content):
    put(make_clip("a"))
    table().write_bytes(content)
    try:
        found = load(tmp_path)
    except UserError as problem:
        assert "\n" not in str(problem)
    else:
        assert len(found)


@given(st.sampled_from(["audio_feats/a.npy", "video_feats/a.speaker.bin"]), st.integers(0, 3000), st.binary())
@any_bytes
def test_any_damage_to_a_file_costs_that_clip_at_most(make_clip, put, table, tmp_path, name, place, damage):
    for clip in ("a", "b"):
        put(make_clip(clip))
    table(CHALLENGE, "a,v,1,2", "b,v,1,2")
    path = tmp_path / "features" / name
    content = bytearray(path.read_bytes())
    content[place : place + len(damage)] = damage
    path.write_bytes(content)
    found = load(tmp_path)
    assert "b" in [clip.name for clip in found] and len(found) + len(found.skipped) == 2
    for clip in found:
        assert all(np.isfinite(part).all() for part in (clip.audio, clip.speaker, clip.listener))
