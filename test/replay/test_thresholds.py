import math

import pytest

from listener_head.errors import UserError
from listener_head.evaluation.latency import TARGETS
from listener_head.replay.thresholds import THRESHOLDS, as_json, checked_limits, verdicts


def metrics(**live):
    usual = {
        "frames_lost_percent": 0.0,
        "processing_ms": {"joint": {"p50": 12.0, "p99": 25.0}, "image": {"p50": 20.0, "p99": 40.0}},
        "joint_latency_ms": {"p50": 30.0, "p99": 60.0},
        "image_latency_ms": {"p50": 40.0, "p99": 70.0},
        "jitter_ms": {"joint": {"spread": 5.0, "deviation": 2.0}},
        "memory_mb": {"total": 900.0},
        "cpu_percent": {"total": 90.0},
    }
    return {"live": {**usual, **live}, "agreement": {"largest": 1e-6}}


def exceeded(found):
    return [verdict.name for verdict in found if verdict.exceeded]


def test_the_usual_limits_are_those_of_a_run_on_two_cores():
    found = verdicts(metrics(), {})
    assert exceeded(found) == []
    limits = {verdict.label: verdict.limit for verdict in found}
    assert {target.label: target.limit for target in TARGETS}.items() <= limits.items()


def test_a_limit_that_is_given_takes_the_place_of_the_usual_one():
    found = verdicts(metrics(), {"joint_p99_ms": 20.0, "cpu_percent": 80.0, "memory_mb": math.inf})
    assert exceeded(found) == ["joint_p99_ms", "cpu_percent"]
    assert "25 ms, limit 20 ms" in str(next(v for v in found if v.name == "joint_p99_ms"))
    assert "memory_mb" not in [verdict.name for verdict in found]


def test_what_was_not_measured_is_within_no_limit():
    nothing = {"p50": None, "p99": None}
    found = verdicts(metrics(joint_latency_ms=nothing), {})
    assert exceeded(found) == ["joint_grid_p99_ms"]
    assert next(row for row in as_json(found) if row["exceeded"])["measured"] is None


def test_pictures_are_not_missed_where_none_were_asked_for():
    nothing = {"p50": None, "p99": None}
    found = verdicts(metrics(image_latency_ms=nothing), {}, drawn=False)
    assert exceeded(found) == []
    assert not [verdict for verdict in found if verdict.name.startswith("image")]


@pytest.mark.parametrize("limit", [-1.0, math.nan])
@pytest.mark.parametrize("name", THRESHOLDS)
def test_a_limit_that_cannot_be_is_refused_by_name(name, limit):
    with pytest.raises(UserError, match=f"max_{name}"):
        checked_limits({name: limit})
