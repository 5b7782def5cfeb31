"""The page of an evaluation tells its numbers, and says nothing of what was not measured."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made import LAYOUT, POLICIES, START_NS, made, metrics, pitch_deg

from listener_head.evaluation.latency import measure, write_metrics
from listener_head.evaluation.page import html
from listener_head.evaluation.page.curves import evaluation_plots
from listener_head.evaluation.page.evaluation import write_page
from listener_head.evaluation.page.overview import write_overview
from listener_head.evaluation.recording import read_recording


def text_of(page: Path) -> str:
    body = re.sub(r"<script.*?</script>|<style.*?</style>", "", page.read_text(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())


def curve(plots: html.Plots, panel: str, name: str, kind: str = "") -> tuple[np.ndarray, np.ndarray]:
    """Times and values of a line."""
    (found,) = (
        each
        for drawn in plots.data["panels"]
        if drawn["id"] == panel
        for each in drawn["curves"]
        if (each["name"], each["kind"]) == (name, kind)
    )
    x, y = (np.frombuffer(base64.b64decode(plots.data["arrays"][found[axis]]), "<f4") for axis in "xy")
    return x, y


def test_the_page_tells_the_numbers(tmp_path: Path) -> None:
    perceived, listened = made()

    path = write_page(metrics(), perceived, listened, tmp_path)

    assert path == tmp_path / "report.html" and list(tmp_path.iterdir()) == [path]
    text = text_of(path)
    assert "2023-11-14 22:13 UTC · 12.0 s · network (listener_arkit52), neutral attitude" in text
    assert "Found in the recording /speaker/image: 3 of 360 pictures cannot be decoded" in text
    assert "Frequency of nods, median 1 5.5 Hz 0.5 to 4 ✗ outside" in text
    assert "Blinks 2 15.0 1/min 8 to 32.5 ✓ within" in text
    assert "Nodders, 2020 Blinkers, 1997" in text and "Delay of nods" not in text
    assert "Mirroring beyond chance, pitch −0.12" in text
    assert "expression 10.00 20.00 30.00 40.00 50.00 60.00" in text
    assert "Simulation* 0.50 0.60 0.070 4.2 0.0080 0.090" in text
    assert "Network 3.10 2.00 97.5" in text
    assert "Rendered listener – 0.521 16.558 0.142" in text
    assert "positive 80 10 10" in text and "75 % of 6 windows of 2 s" in text
    assert "Age of the picture at the instant of the step 7.0 40.2 41.5" in text
    assert "listener_arkit52 (0123456789ab)" in text and "a1b2c3d4e5f6" in text and "1.26.4" in text
    assert "truth image" not in text


def test_the_best_of_table_2_is_bold(tmp_path: Path) -> None:
    page = write_page(metrics(), *made(), tmp_path).read_text()

    assert re.findall(r'<td class="num best">([\d.]+)</td>', page)[:3] == ["1.00", "10.00", "0.10"]
    columns = re.search(r"lower is better</caption>\s*<thead><tr>(.*?)</tr>", page, re.DOTALL)
    assert columns
    assert re.findall(r">([^<]+)</th>", columns[1]) == [
        {"simulation_attitude": "Simulation*"}.get(policy, policy.capitalize())
        for policy in reversed(POLICIES)
    ]


def test_what_was_not_measured_has_no_section(tmp_path: Path) -> None:
    nothing = dict.fromkeys(("separability", "responsiveness", "truth", "images"))
    latency = {"age_ms": dict.fromkeys(("p50", "p99", "max")), "waiting_ms": None}
    perceived, listened = made(2.0)

    page = write_page(
        metrics(**nothing, problems=[], statistics={}, latency=latency), perceived, listened, tmp_path
    )

    text = text_of(page)
    for word in (
        "Found in",
        "true listener",
        "moved by",
        "rendered pictures",
        "Attitudes",
        "How the listener",
    ):
        assert word not in text
    assert "<video" not in page.read_text() and "What was evaluated" in text


def test_a_recording_without_sound_or_face_has_a_page(tmp_path: Path) -> None:
    perceived, listened = made(2.0)
    none = perceived.envelope.stamp_ns[:0]
    blind = replace(perceived, envelope=replace(perceived.envelope, stamp_ns=none, low=none, high=none))
    away = np.zeros(len(listened.seen), bool)
    alone = replace(listened, seen=away, heard=away, source_ns=np.zeros_like(listened.source_ns))

    plots = evaluation_plots(blind, alone, None, None)

    assert [panel.name for panel in plots.panels] == ["head", "face"]
    assert plots.data["speech"] == [] and plots.absent
    assert write_page(metrics(), blind, alone, tmp_path).exists()


def test_the_curves_are_those_of_the_evaluation() -> None:
    perceived, listened = made()
    assert perceived.truth is not None

    plots = evaluation_plots(perceived, listened, (perceived.truth.motion, perceived.truth.valid), None)

    assert [panel.name for panel in plots.panels] == ["voice", "head", "face", "age"]
    times, pitch = curve(plots, "head", "pitch", "listener")
    np.testing.assert_allclose(pitch, pitch_deg(len(pitch)), atol=1e-5)
    # Time zero is the first picture's stamp; the motion is for the step after the instant.
    assert times[0] == pytest.approx(0.007 + 1 / 30, abs=1e-4)
    _, smile = curve(plots, "face", "smile", "true listener")
    np.testing.assert_allclose(smile, perceived.truth.motion[:, LAYOUT.index("mouthSmileLeft")], atol=0.35)
    _, seen = curve(plots, "head", "yaw", "speaker")
    assert np.flatnonzero(np.isnan(seen)).tolist() == list(range(180, 210))
    _, age = curve(plots, "age", "age")
    assert np.nanmax(abs(age - 7.0)) < 1e-3
    assert plots.data["absent"] == [[pytest.approx(6.007, abs=2e-3), pytest.approx(7.007, abs=2e-3)]]
    assert [start for start, _ in plots.data["speech"]] == pytest.approx([0.007, 4.007, 8.007], abs=2e-3)
    assert not any(each["shown"] for each in plots.data["panels"][1]["curves"] if each["kind"] != "listener")


def test_of_a_recording_that_loops_the_first_pass_is_drawn() -> None:
    perceived, listened = made(4.0)
    twice = {
        name: np.concatenate([values, values])
        for name, values in vars(listened).items()
        if isinstance(values, np.ndarray)
    }
    once, looped = (
        evaluation_plots(perceived, each, None, None) for each in (listened, replace(listened, **twice))
    )

    assert looped.data == once.data


def test_a_live_run_has_its_stages_thresholds_and_agreement(write_run, tmp_path: Path) -> None:
    recording = read_recording(write_run(seconds=2.0))
    live = {"passes": 1, **measure(recording, {"listener": 110.0}, {"listener": 6.0})}
    limit = {"name": "joint_p50_ms", "label": "Camera to joint command", "measured": 11.5, "limit": 10.0}
    agreement = {"largest": 2e-6, "mean": 1e-7, "compared": 59, "missing": 1, "extra": 0}
    told = metrics(live=live, agreement=agreement, thresholds=[{**limit, "unit": "ms", "exceeded": True}])

    page = write_page(told, *made(2.0), tmp_path, recording=recording)

    text = text_of(page)
    assert "Camera to joint command 11.5 ms 10.0 ms ✗ exceeded" in text
    assert "Thresholds of the live run kept 0 of 1 ✗ exceeded" in text
    assert "Largest difference (rad, weights, m) 2.0e−06" in text
    assert "Renderer, with transport" in text and 'id="latency"' in page.read_text()


def test_a_small_video_is_inside_and_a_large_one_beside(tmp_path: Path, monkeypatch) -> None:
    video = tmp_path / "out" / "listener.mp4"
    video.parent.mkdir()
    video.write_bytes(b"picture and sound")
    perceived, listened = made(1.0)

    page = write_page(metrics(), perceived, listened, tmp_path / "out", video).read_text()
    assert base64.b64encode(b"picture and sound").decode() in page

    monkeypatch.setattr(html, "EMBEDDED_VIDEO_BYTES", 5)
    page = write_page(metrics(), perceived, listened, tmp_path / "out", video).read_text()
    assert 'src="listener.mp4"' in page


def test_the_overview_has_a_row_and_a_link_for_each(tmp_path: Path) -> None:
    first, second = metrics(), metrics(problems=[], truth=None)
    together = {"truth": first["truth"], "failures": {"broken": "it is empty"}}

    path = write_overview([("one", first), ("a talk <2>", second)], together, tmp_path)

    text = text_of(path)
    assert "one network, neutral 12.0 91.7 23.4 15.0 16.5 1.00 10.00 0.10 1" in text
    assert "a talk &lt;2&gt; network, neutral 12.0 91.7 23.4 15.0 16.5 – – – 0" in text
    assert 'href="a%20talk%20%3C2%3E/report.html"' in path.read_text()
    assert "Could not be evaluated broken: it is empty" in text
    assert "329 frames of one recording" in text


def test_metrics_are_written_with_six_digits(tmp_path: Path) -> None:
    numbers = {"a": 1 / 3, "b": (np.float32(0.1), np.float64(1234567.89)), "stamp": START_NS, "no": None}

    write_metrics(numbers, tmp_path / "metrics.json")

    found = json.loads((tmp_path / "metrics.json").read_text())
    assert found == {"a": 0.333333, "b": [0.1, 1234570.0], "stamp": START_NS, "no": None}
