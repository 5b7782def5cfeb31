"""The plot and the report show what the recording holds."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from listener_head.errors import UserError
from listener_head.evaluation.latency import measure
from listener_head.evaluation.page import html
from listener_head.evaluation.page.html import number
from listener_head.evaluation.plot import plot_motion
from listener_head.evaluation.recording import read_recording
from listener_head.evaluation.report import write_report
from listener_head.evaluation.series import expression_curves, recorded_speech


def plots_of(page: str) -> dict:
    data = re.search(r'<script id="plots" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert data
    return json.loads(data[1])


def curves_of(plots: dict, panel: str) -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]:
    """Times and values by name and kind."""
    (found,) = (each for each in plots["panels"] if each["id"] == panel)

    def unpack(number: int) -> np.ndarray:
        return np.frombuffer(base64.b64decode(plots["arrays"][number]), "<f4")

    return {(c["name"], c["kind"]): (unpack(c["x"]), unpack(c["y"])) for c in found["curves"]}


def text_of(page: str) -> str:
    body = re.sub(r"<script.*?</script>|<style.*?</style>", "", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())


def test_the_report_tells_the_numbers(write_run, tmp_path: Path) -> None:
    recording = read_recording(write_run(seconds=3.0, lose={"listener/image": {40}}))
    metrics = measure(recording, {"listener": 1600.0, "renderer": 210.0}, {"listener": 31.0})

    path = write_report(recording, metrics, tmp_path, title="Nods & <smiles>", facts={"Input": "speaker.mp4"})

    page = path.read_text()
    text = text_of(page)
    assert "Nods &amp; &lt;smiles&gt;" in text and "speaker.mp4" in text
    assert "Camera to joint command, processing, median 11.5 ms target ≤ 20 ms · ✓ kept" in text
    assert "Camera to rendered image, processing, p99 23.5 ms target ≤ 60 ms · ✓ kept" in text
    assert "Memory of all nodes 1,810 MB target ≤ 1500 MB · ✗ missed" in text
    assert "Steps without an image 87 1 1.15" in text
    assert "test network (0123456789ab)" in text and "positive" in text and "pan, tilt, roll" in text
    assert "renderer 210 –" in text
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["report.html"]


def test_the_page_needs_nothing_else(write_run, tmp_path: Path) -> None:
    recording = read_recording(write_run())
    page = write_report(recording, measure(recording), tmp_path).read_text()

    outside = re.sub(r"<script>/\*.*?</script>", "", page, flags=re.DOTALL)  # plotly.js itself
    assert len(outside) < len(page) - 1_000_000
    assert not re.search(r'(src|href)="https?:', outside)
    assert "Plotly.react" in outside


def test_curves_of_the_report_are_those_of_the_recording(write_run, tmp_path: Path) -> None:
    recording = read_recording(write_run())
    plots = plots_of(write_report(recording, measure(recording), tmp_path).read_text())

    assert [panel["id"] for panel in plots["panels"]] == ["voice", "head", "face", "joints", "latency"]
    times, pitch = curves_of(plots, "head")["pitch", "listener"]
    np.testing.assert_allclose(pitch, np.degrees(recording.listener.rotation[:, 0]), rtol=1e-5)
    # The first prediction is for a grid step after the first camera frame.
    assert times[0] == pytest.approx(1.5 / 30, abs=0.5 / 30 + 1e-6)
    _, latency = curves_of(plots, "latency")["to rendered image", "without waiting"]
    assert latency == pytest.approx(23.5, abs=1e-3)
    assert [start for start, _ in plots["speech"]] == pytest.approx([0.0, 0.8, 1.6], abs=0.04)


def test_a_small_video_is_inside_and_a_large_one_beside(write_run, tmp_path: Path, monkeypatch) -> None:
    recording = read_recording(write_run())
    metrics = measure(recording)
    video = tmp_path / "videos" / "side_by_side.mp4"
    video.parent.mkdir()
    video.write_bytes(b"picture and sound")

    page = write_report(recording, metrics, tmp_path / "out", video).read_text()
    assert base64.b64encode(b"picture and sound").decode() in page

    monkeypatch.setattr(html, "EMBEDDED_VIDEO_BYTES", 5)
    page = write_report(recording, metrics, tmp_path / "out", video).read_text()
    assert 'src="../videos/side_by_side.mp4"' in page


def test_numbers_are_for_people() -> None:
    values = [None, 0.0, 0.123, 1.0, 11.49, 99.96, 1234.5]
    assert [number(value) for value in values] == ["–", "0", "0.12", "1.0", "11.5", "100.0", "1,234"]


def test_the_plot_is_a_picture_with_curves(write_run, tmp_path: Path) -> None:
    path = plot_motion(read_recording(write_run()), tmp_path / "out" / "motion.png", "Listener")

    with Image.open(path) as picture:
        assert picture.width > 1200 and picture.height > 900
        assert len(set(np.asarray(picture.convert("RGB")).reshape(-1, 3)[::7].sum(axis=1))) > 100


def test_a_run_of_coefficients_alone_can_be_plotted(write_run, tmp_path: Path) -> None:
    others = ("speaker/audio", "speaker/audio_features", "joint_commands", "joint_states", "listener/image")
    recording = read_recording(write_run(leave_out=(*others, "listener/state", "speaker/coefficients")))

    assert plot_motion(recording, tmp_path / "motion.png").stat().st_size > 10_000
    empty = read_recording(write_run("other", leave_out=("listener/coefficients",)))
    with pytest.raises(UserError, match="listener/coefficients"):
        plot_motion(empty, tmp_path / "other.png")
    assert not (tmp_path / "other.png").exists()


def test_speech_and_face_curves(write_run) -> None:
    recording = read_recording(write_run(seconds=2.0))

    spans = recorded_speech(recording)
    assert [start for start, _ in spans] == pytest.approx([0.0, 0.8, 1.6], abs=0.04)
    assert [end for _, end in spans] == pytest.approx([0.4, 1.2, 2.0], abs=0.05)
    listener = recording.listener
    curves = expression_curves(listener.layout, listener.expression, listener.valid)
    assert list(curves) == ["smile", "brows raised", "brows lowered", "blink", "jaw open"]
    jaw = listener.layout.expression_names.index("jawOpen")
    np.testing.assert_array_equal(curves["jaw open"], listener.expression[:, jaw])


def test_reading_a_recording_starts_no_plotting_library() -> None:
    code = (
        "import sys, listener_head.evaluation.plot, listener_head.evaluation.report;"
        "print([m for m in ('matplotlib', 'plotly', 'jinja2', 'rclpy', 'rosbags') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
