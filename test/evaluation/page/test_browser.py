"""The pages in a real browser: drawn, without a complaint, quick, and deaf to what a recording says."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import CHROMIUM, Browser
from made import made, metrics

from listener_head.evaluation.page.compare import compare_evaluations
from listener_head.evaluation.page.comparison import write_comparison
from listener_head.evaluation.page.evaluation import write_page
from listener_head.evaluation.page.model import Evaluation

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

EVIL = '</script><script>window.harmed = 1</script><img src=x onerror="window.harmed = 1">'
DRAWN = "stale.size === 0 && panels.every((panel) => panel.element.querySelector('.scatterlayer .trace'))"
# Two seconds on a computer that has nothing else to do; a test may share it with others.
OPEN_MS = 10_000


def points(browser: Browser, panel: str) -> int:
    return browser.evaluate(f"document.getElementById('{panel}').data.at(-1).x.length")


def first_plot_ms(browser: Browser) -> float:
    return browser.evaluate("performance.getEntriesByName('first plot')[0].startTime")


def test_ten_minutes_open_quickly_and_show_detail(tmp_path: Path, open_page, record_property) -> None:
    perceived, listened = made(600.0)
    assert perceived.truth is not None
    truth = perceived.truth.motion, perceived.truth.valid
    browser = open_page(
        write_page(metrics(EVIL, problems=[EVIL]), perceived, listened, tmp_path, truth=truth)
    )

    browser.wait(DRAWN)
    record_property("first_plot_ms", first_plot_ms(browser))
    assert first_plot_ms(browser) < OPEN_MS
    assert browser.evaluate("document.querySelector('h1').textContent") == EVIL
    assert browser.evaluate("document.querySelector('.problems li').textContent") == EVIL
    assert browser.evaluate("window.harmed") is None
    whole = points(browser, "head")
    assert 500 < whole < 5000  # of 18,000 steps

    browser.evaluate("show(100, 110)")
    browser.wait(DRAWN)
    assert 300 <= points(browser, "head") <= 304  # all steps of ten seconds
    ranges = browser.evaluate("panels.map((panel) => panel.element.layout.xaxis.range)")
    assert ranges == [[100, 110]] * 4
    assert browser.problems == []


def test_a_page_is_used_by_keyboard_and_its_video_is_inside(tmp_path: Path, open_page, write_clip) -> None:
    perceived, listened = made(40.0)
    assert perceived.truth is not None
    truth = perceived.truth.motion, perceived.truth.valid
    video = write_clip(tmp_path / "video.mp4")
    browser = open_page(write_page(metrics(), perceived, listened, tmp_path, video, truth=truth))
    video.unlink()
    browser.wait(DRAWN)
    browser.wait("video.readyState > 0 && video.duration > 0.9")
    drawn = "document.getElementById('head').data.slice(2).map((trace) => trace.name)"
    button = "[...document.querySelectorAll('.toggles button')].find((b) => b.textContent === '{}')"

    assert browser.evaluate(drawn) == ["pitch, listener", "yaw, listener", "roll, listener"]
    for name in ("true listener", "yaw"):
        browser.evaluate(f"{button.format(name)}.focus()")
        browser.press("Enter")
        browser.wait(DRAWN)
    assert browser.evaluate(drawn) == [
        "pitch, listener",
        "roll, listener",
        "pitch, true listener",
        "roll, true listener",
    ]
    assert browser.evaluate(f"{button.format('yaw')}.getAttribute('aria-pressed')") == "false"

    browser.evaluate("[...document.querySelectorAll('.lengths button')].at(-1).click()")
    assert browser.evaluate("view[1] - view[0]") == pytest.approx(30)
    for key, start in (("End", 10.007), ("ArrowLeft", 7.007), ("Home", 0.0)):
        event = f"new KeyboardEvent('keydown', {{ key: '{key}' }})"
        browser.evaluate(f"document.querySelector('.window').dispatchEvent({event})")
        assert browser.evaluate("view") == pytest.approx([start, start + 30], abs=0.01)
    browser.click(".all")
    browser.wait(DRAWN)
    assert browser.evaluate("view") == pytest.approx([0, 40.007], abs=0.01)
    assert browser.problems == []


def test_a_comparison_draws_both(tmp_path: Path, open_page) -> None:
    one, other = (Evaluation.model_validate(metrics(name, shift)) for name, shift in ((EVIL, 0), ("b", 1)))
    browser = open_page(write_comparison(compare_evaluations(one, other), tmp_path))

    browser.wait(DRAWN)
    assert browser.evaluate("panels.length") == 2
    assert browser.evaluate(
        "[...document.querySelectorAll('td.missed')].map((cell) => cell.textContent)"
    ) == [
        "+1.0",
        "A is better",
    ]
    assert browser.evaluate("window.harmed") is None and browser.problems == []
