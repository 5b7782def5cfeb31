"""What a browser gets of a feed, however fast it reads."""

import json
import math
import struct
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.viewing.feed import HISTORY_S, MOST_CURVES, MOST_WATCHERS, SHORTEST_STEP_S, Feed
from listener_head.viewing.panels import (
    LISTENER,
    PANELS,
    QUIET_DB,
    SPEAKER,
    FaceCurves,
    head_angles,
    level_db,
)

ANY_NUMBERS = st.lists(st.floats(), max_size=2 * MOST_CURVES)


def parts(message):
    """(kind, content) of each part of a message of the stream."""
    found = []
    while message:
        kind, length = struct.unpack_from("<cI", message)
        found.append((kind, message[5 : 5 + length]))
        message = message[5 + length :]
    return found


def news(message):
    return json.loads(next(content for kind, content in parts(message) if kind == b"j"))


def test_a_reader_gets_all_that_is_there_and_then_what_is_new():
    feed = Feed()
    feed.sample("head", [1.0, 2.0, 3.0])
    feed.tell(attitude="neutral")
    feed.picture(SPEAKER, b"first")
    feed.picture(SPEAKER, b"second")
    with feed.watch() as stream:
        message = next(stream)
        assert [point[1:] for point in news(message)["curves"]["head"]] == [[1.0, 2.0, 3.0]]
        assert news(message)["state"] == {"attitude": "neutral"}
        assert [content for kind, content in parts(message) if kind == b"s"] == [b"second"]
        feed.picture(LISTENER, b"face")
        message = next(stream)
        assert news(message)["curves"] == {}
        assert "state" not in news(message)
        assert parts(message)[1:] == [(b"l", b"face")]


def test_a_reader_that_sleeps_holds_nobody_up_and_gets_the_newest():
    feed = Feed()
    with feed.watch() as slow:
        next(slow)
        for number in range(1000):
            feed.picture(LISTENER, b"%d" % number)
        assert parts(next(slow))[1:] == [(b"l", b"999")]


def test_a_silent_graph_still_sends_signs_of_life():
    with Feed().watch() as stream:
        first, second = news(next(stream))["now"], news(next(stream))["now"]
    assert second > first


def test_curves_are_thinned_out_and_do_not_grow(monkeypatch):
    feed = Feed()
    clock = iter(np.arange(0.0, 3 * HISTORY_S, 0.001))
    monkeypatch.setattr(Feed, "now", property(lambda _: float(next(clock))))
    for _ in range(round(2.5 * HISTORY_S / 0.001)):
        feed.sample("joints", [0.0])
    with feed.watch() as stream:
        times = [time for time, _ in news(next(stream))["curves"]["joints"]]
    assert np.diff(times).min() > SHORTEST_STEP_S - 0.001
    assert HISTORY_S / 2 < times[-1] - times[0] <= HISTORY_S


def test_there_is_an_end_to_the_number_of_readers():
    feed = Feed()
    streams = [feed.watch() for _ in range(MOST_WATCHERS)]
    assert all(stream.__enter__() is not None for stream in streams)
    with feed.watch() as refused:
        assert refused is None
    assert feed.watchers == MOST_WATCHERS
    streams[0].__exit__(None, None, None)
    with feed.watch() as welcome:
        assert welcome is not None


def test_closing_ends_a_reader_that_waits():
    feed = Feed()
    ended = threading.Event()

    def read():
        with feed.watch() as stream:
            for _ in stream:
                pass
        ended.set()

    threading.Thread(target=read, daemon=True).start()
    feed.close()
    assert ended.wait(5.0)


@settings(deadline=None)
@given(values=ANY_NUMBERS, text=st.text())
def test_whatever_comes_the_stream_is_json_without_nan(values, text):
    feed = Feed()
    feed.sample("joints", values)
    feed.tell(unseen=text)
    with feed.watch() as stream:
        found = json.loads(parts(next(stream))[0][1], parse_constant=pytest.fail)
    (_, *point), *_ = found["curves"]["joints"]
    assert point == [round(v, 4) if math.isfinite(v) else None for v in values[:MOST_CURVES]]


@settings(deadline=None)
@given(
    layout=st.sampled_from(["paper45", "vico45", "", "other"]),
    values=st.lists(st.floats(width=32), min_size=45, max_size=45) | ANY_NUMBERS,
)
def test_a_level_is_a_level_or_not_known(layout, values):
    level = level_db(layout, np.array(values, np.float64))
    assert QUIET_DB <= level <= 0.0 or math.isnan(level)


def test_the_level_of_a_sound_is_its_energy():
    vector = np.zeros(45)
    vector[42] = math.log(0.01)  # energy of paper45
    assert level_db("paper45", vector) == pytest.approx(-20.0)


def test_a_face_has_the_curves_that_people_look_for():
    layout = LAYOUTS["arkit52"]
    curves, motion = FaceCurves(layout), layout.neutral()
    motion[[layout.index("mouthSmileLeft"), layout.index("mouthSmileRight")]] = 0.2, 0.6
    values = dict(zip(curves.names, curves.values(Coefficients.from_motion("arkit52", motion)), strict=True))
    assert values["smile"] == pytest.approx(0.4)
    assert values["blink"] == 0.0


@pytest.mark.parametrize("face_model", LAYOUTS)
def test_no_face_leaves_gaps(face_model):
    curves, nobody = FaceCurves(LAYOUTS[face_model]), Coefficients.invalid(face_model, "nobody there")
    assert np.isnan(curves.values(nobody)).all() and len(curves.values(nobody)) == len(curves.names)
    assert np.isnan(head_angles(nobody)).all()


def test_panels_stand_in_pairs():
    sides = [panel.side for panel in PANELS]
    assert sides.count(SPEAKER) == sides.count(LISTENER) == 3
    assert len({panel.key for panel in PANELS}) == len(PANELS)
