"""The metrics of a run whose delays and losses are known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_run import Run

from listener_head.errors import UserError
from listener_head.evaluation.latency import TARGETS, measure, step_latencies, write_metrics
from listener_head.evaluation.recording import read_recording


@pytest.mark.parametrize("camera_fps", [15.0, 25.0, 29.97, 30.0])
def test_delays_are_found_exactly(write_run, camera_fps: float) -> None:
    run = {"perception_ms": 8.0, "step_ms": 0.5, "mapper_ms": 3.0, "renderer_ms": 15.0}
    metrics = measure(read_recording(write_run(seconds=3.0, camera_fps=camera_fps, **run)))

    assert metrics["processing_ms"]["joint"] == {"p50": 11.5, "p99": 11.5, "max": 11.5}
    assert metrics["processing_ms"]["image"] == {"p50": 23.5, "p99": 23.5, "max": 23.5}
    for stage, delay in {"perception": 8, "step": 0.5, "mapper": 3, "renderer": 15, "audio": 4}.items():
        assert metrics["stages_ms"][stage] == {"p50": delay, "p99": delay, "max": delay}
    # The step runs 12 ms after t_k.
    assert metrics["sound_latency_ms"]["joint"]["p50"] == pytest.approx(12 + 0.5 + 3, abs=1e-3)
    assert metrics["frames_lost_percent"] == 0.0
    assert metrics["frames_in"] == int(3 * camera_fps)
    assert metrics["frames_out"] == 90


def test_total_is_processing_and_waiting_for_every_step(write_run) -> None:
    steps = step_latencies(read_recording(write_run(seconds=3.0, camera_fps=25.0)))

    np.testing.assert_allclose(steps.joint_ms, steps.waiting_ms + 11.5, atol=1e-4)
    np.testing.assert_allclose(steps.image_ms, steps.waiting_ms + 23.5, atol=1e-4)
    # Frames come every 40 ms, steps every 33: now and then a frame serves twice and counts with its age.
    held = np.diff(steps.source_ns) == 0
    assert held.any()
    np.testing.assert_allclose(np.diff(steps.waiting_ms)[held], 1000 / 30, atol=1e-4)
    assert steps.waiting_ms.max() < 40 + 12


@settings(deadline=None, max_examples=15)
@given(
    perception=st.floats(0.5, 11.0),
    mapper=st.floats(0.1, 15.0),
    renderer=st.floats(0.1, 30.0),
    phase=st.floats(0.0, 33.0),
)
def test_any_delay_is_found(
    tmp_path_factory: pytest.TempPathFactory, perception: float, mapper: float, renderer: float, phase: float
) -> None:
    run = Run(
        seconds=0.7,
        perception_ms=perception,
        mapper_ms=mapper,
        renderer_ms=renderer,
        camera_phase_ms=phase,
        image_size=2,
    )
    metrics = measure(read_recording(run.write(tmp_path_factory.mktemp("run") / "run")))

    processing = metrics["processing_ms"]
    assert processing["joint"]["p50"] == pytest.approx(perception + 0.5 + mapper, abs=2e-3)
    assert processing["image"]["p50"] == pytest.approx(perception + 0.5 + renderer, abs=2e-3)
    assert metrics["frames_lost_percent"] == 0.0


def test_each_loss_is_counted_where_it_happened(write_run) -> None:
    path = write_run(
        seconds=4.0,
        lose={"joint_commands": {50}, "listener/image": {20, 21, 22}, "listener/coefficients": {70, 71}},
        lose_camera={30},
    )
    metrics = measure(read_recording(path))

    lost = {name: part["lost"] for name, part in metrics["lost"].items()}
    assert lost == {"camera": 1, "steps": 2, "joint_commands": 1, "images": 3}
    expected = metrics["lost"]["images"]["expected"]
    assert 115 <= expected <= 118  # 120 less what came in the last 0.1 s
    assert metrics["frames_lost_percent"] == pytest.approx(100 * 3 / expected, abs=1e-3)


def test_camera_frames_are_counted_without_their_pictures(write_run) -> None:
    metrics = measure(
        read_recording(
            write_run(seconds=3.0, camera_fps=25.0, lose_camera={10, 40, 41}, speaker_images=False)
        )
    )

    assert metrics["lost"]["camera"]["lost"] == 3


def test_a_run_without_a_face_has_no_latency_but_a_report(write_run, tmp_path: Path) -> None:
    path = write_run(seconds=1.0, lose_camera=set(range(1, 30)), speaker_images=False, camera_fps=2.0)
    recording = read_recording(path)
    recording.states.source_ns[:] = 0
    metrics = measure(recording)

    assert metrics["joint_latency_ms"] == {"p50": None, "p99": None, "max": None}
    write_metrics(metrics, tmp_path / "metrics.json")
    assert json.loads((tmp_path / "metrics.json").read_text())["joint_latency_ms"]["p50"] is None


def test_every_target_is_a_number_of_the_metrics(write_run) -> None:
    metrics = measure(read_recording(write_run()), {"listener": 100.0, "renderer": 50.5}, {"listener": 12.0})

    for target in TARGETS:
        assert isinstance(target.value(metrics), float), target.label
    assert metrics["memory_mb"] == {"total": 150.5, "listener": 100.0, "renderer": 50.5}
    assert metrics["cpu_percent"]["total"] == 12.0
    assert metrics["versions"]["numpy"] == np.__version__
    assert TARGETS[-1].value({}) is None


def test_a_missing_topic_is_named(write_run) -> None:
    recording = read_recording(write_run(leave_out=("joint_commands",)))

    with pytest.raises(UserError, match="no messages of joint_commands"):
        measure(recording)


def test_metrics_that_cannot_be_written_leave_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        write_metrics({}, tmp_path / "file" / "metrics.json")
    with pytest.raises(ValueError):
        write_metrics({"bad": float("nan")}, tmp_path / "metrics.json")

    assert [path.name for path in tmp_path.iterdir()] == ["file"]
