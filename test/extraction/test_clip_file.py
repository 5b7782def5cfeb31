"""The open format: what is written comes back, and nothing else is taken for it."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listener_head.coefficients import LAYOUTS
from listener_head.errors import UserError
from listener_head.extraction.clip_file import ClipFeatures, read_clip, write_clip
from listener_head.timing import grid_time_ns

same_folder = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def made_up(count=7, model="bfm2009"):
    rng = np.random.default_rng(count)

    def table(columns):
        return rng.standard_normal((count, columns)).astype(np.float32)

    stamps = np.array([grid_time_ns(step) for step in range(count)])
    return ClipFeatures(
        uuid="grüße",
        role="listener",
        audio_layout="vico45",
        face_model=model,
        image_size=(384, 288),
        source={"video": "videos/grüße.listener.mp4", "pictures_not_valid": {"no face": 1}},
        stamps_ns=stamps,
        source_stamps_ns=stamps - 5,
        audio_features=table(45),
        voice_activity=rng.random(count, np.float32),
        motion=table(LAYOUTS[model].size),
        valid=rng.random(count) < 0.8,
        confidence=rng.random(count, np.float32),
        identity=table(80),
        texture=table(0),
        lighting=table(27),
    )


@pytest.fixture
def content():
    file = io.BytesIO()
    write_clip(file, made_up())
    return file.getvalue()


@pytest.fixture
def entries(content):
    with np.load(io.BytesIO(content)) as archive:
        return {name: archive[name] for name in archive.files}


def read(path, entries):
    np.savez(path, **entries)
    return read_clip(path)


@pytest.mark.parametrize("model", LAYOUTS)
def test_what_is_written_comes_back(tmp_path, model):
    clip = made_up(model=model)
    with (tmp_path / "a.npz").open("wb") as file:
        write_clip(file, clip)
    found = read_clip(tmp_path / "a.npz")
    for name, value in vars(clip).items():
        np.testing.assert_equal(getattr(found, name), value, err_msg=name)


def test_the_file_names_its_columns(entries):
    metadata = json.loads(str(entries["metadata"]))
    columns = metadata["motion_columns"]
    assert len(columns) == entries["motion"].shape[1]
    assert columns[:3] == ["pitch", "yaw", "roll"]
    assert columns[-3:] == ["crop_scale", "crop_x", "crop_y"]
    assert metadata["rate_hz"] == 30


def test_every_entry_is_needed(tmp_path, entries):
    for name in entries:
        rest = {key: value for key, value in entries.items() if key != name}
        with pytest.raises(UserError, match=rf"a\.npz.*'{name}'"):
            read(tmp_path / "a.npz", rest)


@pytest.mark.parametrize(
    ("name", "change", "line"),
    [
        ("motion", lambda values: values[:, :58], "58 columns, not 73"),
        ("motion", lambda values: values[:-1], "with 7 rows"),
        ("motion", lambda values: values.astype(np.float64), "is float64"),
        ("motion", lambda values: values * np.float32(np.nan), "no numbers"),
        ("audio_features", lambda values: values[:, :44], "44 columns, not 45"),
        ("metadata", lambda values: np.array("{}"), "missing or incomplete"),
        ("metadata", lambda values: np.array(str(values).replace("bfm2009", "gnome")), "face_model 'gnome'"),
        ("metadata", lambda values: np.array(str(values).replace("listener_head clip", "x")), "says 'x'"),
    ],
)
def test_wrong_entries_are_named(tmp_path, entries, name, change, line):
    with pytest.raises(UserError, match=line):
        read(tmp_path / "a.npz", entries | {name: change(entries[name])})


@same_folder
@given(place=st.integers(0, 10**6), value=st.integers(0, 255), cut=st.integers(0, 10**6) | st.none())
def test_damaged_files_are_refused_or_hold_numbers(tmp_path, content, place, value, cut):
    changed = bytearray(content)
    changed[place % len(changed)] = value
    path = tmp_path / "damaged.npz"
    path.write_bytes(changed[: None if cut is None else cut % len(changed)])
    try:
        clip = read_clip(path)
    except UserError as problem:
        assert "damaged.npz" in str(problem)
    else:
        assert np.isfinite(clip.motion).all()


def test_missing_file_is_named():
    with pytest.raises(UserError, match=r"nowhere\.npz.*No such file"):
        read_clip("nowhere.npz")
