"""Faces keep their numbers, and the rule chooses among those in view."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener_head.face.networks import Detection
from listener_head.face.speaker_choice import Faces

SIZE = (640, 480)


def at(x, y=240.0, size=100.0):
    return Detection(x, y, size, 0.0)


def names(faces):
    return [face.face_id for face in faces.in_view()]


detections = st.lists(
    st.builds(Detection, st.floats(-50, 700), st.floats(-50, 500), st.floats(1, 900), st.floats(-3, 3)),
    max_size=8,
)


@given(st.lists(st.tuples(detections, st.floats(0, 8)), max_size=12))
def test_each_detection_has_one_number_and_each_number_one_place(looks):
    faces, time_s = Faces(), 0.0
    for found, pause in looks:
        time_s += pause
        faces.look(found, time_s)
        seen = faces.in_view()
        assert sorted((face.x, face.y, face.size) for face in seen) == sorted(
            (d.x, d.y, d.size) for d in found
        )
        assert len(set(names(faces))) == len(found)
        for rule in ("largest", "nearest_to_centre"):
            assert sorted(face.face_id for face in faces.choose(rule, SIZE)) == sorted(names(faces))


@given(st.integers(1, 6), st.randoms(use_true_random=False), st.integers(1, 30))
def test_numbers_stay_while_people_sway_and_go_out_of_view_for_a_moment(count, random, looks):
    places = [at(130.0 * number, size=100.0 + 10 * number) for number in range(count)]
    faces = Faces()
    faces.look(places, 0.0)
    for step in range(1, looks):
        found = [at(p.x + random.uniform(-20, 20), 240 + random.uniform(-20, 20), p.size) for p in places]
        found = [face for face in found if random.random() < 0.7]
        random.shuffle(found)
        faces.look(found, 0.2 * step)
        for face in faces.in_view():
            assert abs(face.x - 130.0 * int(face.face_id)) <= 40


def test_new_face_gets_the_lowest_number_that_nobody_has():
    faces = Faces()
    faces.look([at(100), at(300), at(500)], 0.0)
    faces.look([at(100), at(500)], 1.0)
    assert names(faces) == ["0", "2"]
    faces.look([at(100), at(500), at(700)], 2.0)
    assert names(faces) == ["0", "2", "3"], "1 may come back"
    faces.look([at(100), at(500)], 10.9)
    faces.look([at(100), at(500), at(800)], 11.0)
    assert names(faces) == ["0", "1", "2"], "1 has been away too long"


def test_face_elsewhere_or_of_another_size_is_another_face():
    faces = Faces()
    faces.look([at(100)], 0.0)
    for number, other in enumerate((at(200), at(100, size=300), at(100, 350)), start=1):
        faces.look([other], 0.1 * number)
        assert names(faces) == [str(number)]


def test_rules():
    faces = Faces()
    faces.look([at(100, size=200), at(300, size=50), at(600, size=300)], 0.0)
    sizes = {
        rule: [face.size for face in faces.choose(rule, SIZE)]
        for rule in ("largest", "nearest_to_centre", "1")
    }
    assert sizes == {"largest": [300, 200, 50], "nearest_to_centre": [50, 200, 300], "1": [50]}
    assert faces.choose("7", SIZE) == []


@pytest.mark.parametrize("time_s", [0.0, 0.5])
def test_face_that_is_followed_stays_in_view_between_looks(time_s):
    faces = Faces()
    faces.look([at(100), at(300)], 0.0)
    faces.see("1", at(310), time_s)
    assert [face.x for face in faces.in_view()] == [100, 310]
    assert np.isfinite([face.seen_s for face in faces.in_view()]).all()
