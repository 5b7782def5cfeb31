import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.coefficients import LAYOUTS
from listener_head.dyads.clips import ATTITUDES, DyadClip, DyadClips
from listener_head.dyads.plan import plan
from listener_head.dyads.splits import check_splits, split

LAYOUT = LAYOUTS["arkit52"]
NOTHING = np.zeros((0, LAYOUT.size), np.float32)


def met(*meetings):
    """A set of clips without frames: (speaker, listener) or (speaker, listener, split)."""
    clips = [
        DyadClip(str(number), NOTHING, NOTHING, NOTHING, "", str(speaker), str(listener), *(part or [""]))
        for number, (speaker, listener, *part) in enumerate(meetings)
    ]
    return DyadClips(LAYOUT, "paper45", tuple(clips))


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=60), st.integers(0, 9))
@settings(deadline=None)
def test_parts_are_made_after_the_papers_rule(meetings, seed):
    clips = met(*meetings)
    parted = split(clips, seed)
    assert check_splits(parted) == ()
    assert [clip.name for clip in parted] == [clip.name for clip in clips]
    assert all(clip.split for clip in parted)
    assert len(parted.of("test")) + len(parted.of("ood")) <= round(0.2 * len(clips)) + 1
    assert [clip.split for clip in split(clips, seed)] == [clip.split for clip in parted]


def test_parts_have_clips_where_people_allow_it():
    pairs = [(2 * group, 2 * group + 1) for group in range(20)] * 3
    parted = split(met(*pairs))
    assert len(parted.of("test")) == 6 and len(parted.of("ood")) == 6
    # Where everybody has met everybody, nobody is a stranger.
    together = split(met(*((a, b) for a in range(8) for b in range(8) if a != b)))
    assert not len(together.of("ood")) and len(together.of("test"))


def test_offenders_are_named():
    clips = met(("ann", "bob", "train"), ("ann", "cleo", "test"), ("bob", "dora", "ood"))
    first, second = check_splits(clips)
    assert "test" in first and "cleo" in first and "ann" not in first
    assert "ood" in second and "bob" in second and "dora" not in second
    assert check_splits(met(("ann", "bob"), ("bob", "cleo"))) == ()


@given(st.integers(1, 300), st.integers(0, 99))
@settings(deadline=None, max_examples=30)
def test_synthetic_people_meet_after_the_rule(count, seed):
    meetings = plan(count, seed)
    assert [meeting.number for meeting in meetings] == list(range(count))
    assert all(meeting.speaker != meeting.listener for meeting in meetings)
    assert check_splits(met(*((m.speaker, m.listener, m.split) for m in meetings))) == ()
    parts = {part: [m for m in meetings if m.split == part] for part in ("train", "test", "ood")}
    assert parts["train"]
    if count >= 12:
        for members in parts.values():
            assert {member.attitude for member in members} == set(ATTITUDES)
    assert plan(count, seed) == meetings
