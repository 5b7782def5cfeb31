"""The page in a real browser: by keyboard, by mouse, killed and resumed, with a server and without."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from browser import CHROMIUM, Browser

from listener_head.study.answers import read_answers
from listener_head.study.make import make_study
from listener_head.study.model import Sheet
from listener_head.study.server import make_server
from listener_head.study.store import AnswerStore

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

COUNT = 6  # questions of the study: three of each test
ON_PAGE = "!document.getElementById('{}').hidden"


@contextmanager
def serving(folder: Path, database: Path) -> Iterator[str]:
    server = make_server(folder, database, "127.0.0.1", 0, lambda line: None)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def open_page(tmp_path: Path) -> Iterator[Callable[..., Browser]]:
    """Opens browsers, one after another; those of one profile share what a browser keeps."""
    browsers: list[Browser] = []

    def open_browser(url: str, profile: str = "profile") -> Browser:
        browsers.append(Browser(tmp_path / profile, url, tmp_path))
        return browsers[-1]

    yield open_browser
    for browser in browsers:
        browser.kill()


def enter(browser: Browser, name: str) -> None:
    browser.write(name)
    browser.press("Enter")
    browser.wait(ON_PAGE.format("question"))


def place(browser: Browser) -> str:
    return browser.evaluate("document.getElementById('count').textContent")


def listeners(browser: Browser) -> list[str]:
    """Names of the videos, as they stand on the screen."""
    return browser.evaluate("[...document.querySelectorAll('[data-listener]')].map(e => e.dataset.listener)")


def is_matching(browser: Browser) -> bool:
    return browser.evaluate("document.querySelectorAll('#question fieldset').length") == 3


def answer_by_keys(browser: Browser, keys: str) -> None:
    for key in keys:
        browser.press(key)
    browser.press("Enter")


def answer_by_mouse(browser: Browser) -> None:
    """The last option of every group: negative, or B."""
    for i in range(1, 4) if is_matching(browser) else [0]:
        group = f"#videos figure:nth-of-type({i + 1}) fieldset" if i else "#question > fieldset"
        browser.click(f"{group} label:last-of-type")
    browser.click("#next")


def answer_all(browser: Browser) -> None:
    while not browser.evaluate(ON_PAGE.format("done")):
        answer_by_keys(browser, "159" if is_matching(browser) else "2")


def test_keyboard_answers_arrive_in_the_database(study, tmp_path, open_page):
    with serving(study.folder, tmp_path / "answers.db") as url:
        browser = open_page(url)
        enter(browser, "  Anna  B ")
        assert place(browser) == f"Question 1 of {COUNT}"
        browser.wait("[...document.querySelectorAll('video')].every(video => video.ended)")
        assert browser.evaluate("[...document.querySelectorAll('video')].map(video => video.muted)") == [
            False,  # the speaker's
            *[True] * 3,
        ]
        answer_by_keys(browser, "1")  # two listeners are without an answer
        assert place(browser) == f"Question 1 of {COUNT}"
        answer_all(browser)
        browser.wait("document.getElementById('result').textContent.includes('are stored')")
        assert browser.problems == []
    found = read_answers([tmp_path / "answers.db"], study.key.manifest)
    assert found.raters == ["anna b"] and len(found.answers) == COUNT and not found.skipped
    for answer in found.answers.values():
        if isinstance(answer.choice, dict):
            assert [answer.choice[name] for name in answer.shown] == ["positive", "neutral", "negative"]
        else:
            assert answer.choice == "equal"


@pytest.mark.parametrize("profile", ["profile", "another computer"])
def test_mouse_killed_and_resumed_from_the_server(study, tmp_path, open_page, profile):
    with serving(study.folder, tmp_path / "answers.db") as url:
        browser = open_page(url)
        enter(browser, "anna")
        for _ in range(4):
            answer_by_mouse(browser)
        order = listeners(browser)
        browser.wait("fetch('answers?rater=anna').then(r => r.json()).then(s => s.answers.length === 4)")
        assert browser.problems == []
        browser.kill()
        browser = open_page(url, profile)
        browser.evaluate("document.getElementById('rater').value = ''")
        enter(browser, "Anna")
        assert place(browser) == f"Question 5 of {COUNT}"
        assert listeners(browser) == order
        while not browser.evaluate(ON_PAGE.format("done")):
            answer_by_mouse(browser)
        browser.wait("document.getElementById('result').textContent.includes('are stored')")
        assert browser.problems == []
    found = read_answers([tmp_path / "answers.db"], study.key.manifest)
    assert len(found.answers) == COUNT
    for answer in found.answers.values():
        if isinstance(answer.choice, dict):
            assert set(answer.choice.values()) == {"negative"}
        else:
            assert answer.choice == answer.shown[1]


def test_page_from_the_disk_goes_on_after_a_break_and_gives_a_file(study, tmp_path, open_page):
    url = (study.folder / "index.html").as_uri()
    browser = open_page(url)
    enter(browser, "bo")
    answer_by_keys(browser, "159")
    answer_by_keys(browser, "159")
    order = listeners(browser)
    problems = browser.problems
    browser.close()
    browser = open_page(url)
    assert "2 answered" in browser.evaluate("document.getElementById('known').textContent")
    browser.press("Enter")  # the name stands there
    browser.wait(ON_PAGE.format("question"))
    assert place(browser) == f"Question 3 of {COUNT}"
    assert listeners(browser) == order
    answer_all(browser)
    browser.click("#download")
    file = tmp_path / f"answers_{study.key.manifest.study}_bo.json"
    wait_for(file, browser)
    assert problems + browser.problems == []
    sheet = Sheet.model_validate_json(file.read_bytes())
    assert sheet.rater == "bo" and len(sheet.answers) == COUNT
    assert not any(answer.problem(study.key.manifest) for answer in sheet.answers)


def wait_for(file: Path, browser: Browser) -> None:
    """Until the download is there; each look is a turn of the page."""
    for _ in range(200):
        if file.is_file():
            return
        browser.evaluate("new Promise(done => setTimeout(() => done(true), 50))")
    raise AssertionError(f"{file} never came")


def test_answer_is_changed_by_going_back(study, tmp_path, open_page):
    with serving(study.folder, tmp_path / "answers.db") as url:
        browser = open_page(url)
        enter(browser, "anna")
        answer_by_keys(browser, "159")
        browser.click("#back")
        assert browser.evaluate("[...document.querySelectorAll(':checked')].map(e => e.value)") == [
            "positive",
            "neutral",
            "negative",
        ]
        answer_by_keys(browser, "7")
        answer_all(browser)
        browser.wait("document.getElementById('result').textContent.includes('are stored')")
    answers = read_answers([tmp_path / "answers.db"], study.key.manifest).answers.values()
    changed = [
        each for each in answers if isinstance(each.choice, dict) and each.choice[each.shown[2]] == "positive"
    ]
    assert len(changed) == 1


def test_answers_wait_while_the_server_is_away(study, tmp_path, open_page):
    with serving(study.folder, tmp_path / "answers.db") as url:
        browser = open_page(url)
        enter(browser, "anna")
        browser.evaluate(
            "window.realFetch = fetch; window.fetch = () => Promise.reject(new TypeError('away'))"
        )
        answer_all(browser)
        assert f"{COUNT} of {COUNT}" in browser.evaluate("document.getElementById('result').textContent")
        browser.evaluate("window.fetch = window.realFetch; true")
        browser.click("#again")
        browser.wait("document.getElementById('result').textContent.includes('are stored')")
    assert len(AnswerStore(tmp_path / "answers.db").get(study.key.manifest.study, "anna").answers) == COUNT


def test_a_rater_gets_so_many_questions_of_all_sets(table, tmp_path, open_page):
    key = make_study(table, tmp_path / "small", tmp_path / "small.json", 2, "A study", lambda *_: None)
    with serving(tmp_path / "small", tmp_path / "answers.db") as url:
        browser = open_page(url)
        enter(browser, "anna")
        assert place(browser) == "Question 1 of 4"
        answer_all(browser)
        browser.wait("document.getElementById('result').textContent.includes('are stored')")
    answers = read_answers([tmp_path / "answers.db"], key.manifest).answers
    asked = [key.manifest.by_id[question] for _, question in answers]
    for test in ("matching", "preference"):
        assert {key.videos[each.videos[0]].set for each in asked if each.test == test} == {"test", "ood"}


def test_every_rater_has_an_order_of_their_own(study, open_page):
    browser = open_page((study.folder / "index.html").as_uri())
    orders = []
    for name in ("anna", "bo", "anna"):
        browser.evaluate("document.getElementById('rater').value = ''")
        enter(browser, name)
        seen = []
        while not browser.evaluate(ON_PAGE.format("done")):
            seen.append(listeners(browser))
            answer_by_keys(browser, "159" if is_matching(browser) else "2")
        orders.append(seen)
        browser.evaluate("localStorage.clear()")
        browser.reload()
    videos = [sorted(name for question in order for name in question) for order in orders]
    assert videos[0] == videos[1]
    assert orders[0] != orders[1] and orders[0] == orders[2]
