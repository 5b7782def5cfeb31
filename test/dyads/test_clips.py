import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.coefficients import LAYOUTS
from listener_head.dyads.clips import DyadClip, DyadClips, windows
from listener_head.dyads.statistics import measure
from listener_head.errors import UserError

LAYOUT = LAYOUTS["arkit52"]


def clip(frames, name="a", **others):
    rows = np.arange(frames, dtype=np.float32)[:, None]
    motion = np.repeat(rows, LAYOUT.size, axis=1)
    given = {"attitude": "neutral", "split": "train", "speaker_id": "s", "listener_id": "l"}
    return DyadClip(name, rows.repeat(45, axis=1), motion, 2 * motion, **(given | others))


def a_set(*clips):
    return DyadClips(LAYOUT, "paper45", clips, ("b: damaged",))


@given(st.integers(1, 40), st.integers(2, 50), st.integers(1, 60))
@settings(deadline=None)
def test_windows_cover_every_frame_and_no_more(frames, length, hop):
    found = list(windows(a_set(clip(frames)), length, hop))
    starts = [int(window.audio[0, 0]) for window in found]
    assert starts == sorted(set(starts))
    for window, start in zip(found, starts, strict=True):
        assert len(window) == min(length, frames)
        np.testing.assert_array_equal(window.listener[:, 0], 2 * np.arange(start, start + len(window)))
    if hop <= length:
        covered = {start + i for window, start in zip(found, starts, strict=True) for i in range(len(window))}
        assert covered == set(range(frames))


def test_impossible_windows_are_refused():
    for length, hop in ((1, 1), (5, 0)):
        with pytest.raises(UserError, match="impossible"):
            list(windows(a_set(clip(9)), length, hop))


def test_clips_are_chosen_by_split_and_attitude():
    clips = a_set(clip(3, "a"), clip(3, "b", split="ood"), clip(3, "c", split="ood", attitude="positive"))
    assert [each.name for each in clips.of("ood")] == ["b", "c"]
    assert [each.name for each in clips.of("ood", "positive")] == ["c"]
    assert len(clips.of()) == 3
    for unknown in ({"split": "dev"}, {"attitude": "bored"}):
        with pytest.raises(UserError, match="is unknown"):
            clips.of(**unknown)


def test_statistics_are_those_of_all_rows():
    clips = a_set(clip(7), clip(4))
    measured = measure(clips)
    speaker = np.concatenate([each.speaker for each in clips])
    both = np.concatenate([speaker, 2 * speaker])
    np.testing.assert_allclose(measured.speaker["mean"], speaker.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(measured.motion["mean"], both.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(measured.motion["std"], both.std(axis=0, ddof=1), rtol=1e-6)
    with pytest.raises(UserError, match="no clip"):
        measure(a_set())
