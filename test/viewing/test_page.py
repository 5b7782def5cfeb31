"""The page in a real browser: fed by hand, and by a real graph over DDS."""

import dataclasses
import time

import numpy as np
import pytest
from browser import CHROMIUM, Browser

from listener_head.compat import CvBridge
from listener_head.graph import NodeSpec
from listener_head.runner import GraphRunner, own_domain
from listener_head.viewing import Feed, PageServer, find_address
from listener_head.viewing.panels import LISTENER, PANELS, SPEAKER
from listener_head.viewing.pictures import jpeg_of

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium or chrome")

PATIENCE = 30.0
MIDDLE = "(c => Array.from(c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data))"
INK = """(c => {
  const data = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
  return data.filter((value, i) => i % 4 === 3 && value === 255).length;
})"""
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def browse(tmp_path):
    opened = []

    def browse(address, size=(1280, 900)):
        opened.append(Browser(tmp_path / "profile", address, tmp_path, size))
        return opened[-1]

    yield browse
    for browser in opened:
        browser.kill()


def text(selector):
    return f"document.querySelector({selector!r}).innerText"


def jpeg(bgr):
    pixels = np.broadcast_to(np.array(bgr, np.uint8), (64, 64, 3))
    return jpeg_of(CvBridge().cv2_to_imgmsg(pixels, "bgr8"))


def speak(feed):
    """What a graph tells of itself, with a name that would like to be a part of the page."""
    feed.tell(
        panels=[dataclasses.asdict(panel) for panel in PANELS],
        namespace="/test",
        network=HOSTILE,
        mode=0,
        attitude="neutral",
        names={"joints": ["head_pan_joint", HOSTILE], "face": ["smile"]},
        nodes={
            "listener": {"level": "ok", "message": "running", "at": feed.now},
            "face_fit": {"level": "warning", "message": "no image", "at": feed.now},
        },
    )
    feed.picture(SPEAKER, jpeg((200, 30, 30)))
    feed.picture(LISTENER, jpeg((30, 30, 200)))
    feed.sample("voice", [-20.0, 1.0])
    feed.sample("face", [0.25])
    feed.sample("joints", [12.5, float("nan")])
    for panel in ("head", "speaker_head", "latency"):
        feed.sample(panel, [1.0, -2.0, 3.0])


def test_the_page_shows_what_it_is_fed_with_and_asks_for_what_is_pressed(browse):
    feed, pressed = Feed(), []
    server = PageServer(feed, 0, {"attitude": pressed.append, "enabled": pressed.append})
    page = browse(server.address)

    def until(condition):
        deadline = time.monotonic() + PATIENCE
        while not page.evaluate(condition):
            assert time.monotonic() < deadline, (condition, page.evaluate("document.body.innerText"))
            speak(feed)
            time.sleep(0.05)

    until(f"{text('#mode')} === 'listening'")
    assert page.evaluate("document.querySelectorAll('.panel').length") == len(PANELS)
    until(f"{text('#panel-joints')}.includes('12.5°')")
    until(f"{text('#panel-face')}.includes('0.25')")
    until(f"{text('#nodes')}.includes('face_fit: no image')")
    until(f"{INK}(document.querySelector('#panel-head canvas')) > 50")
    speaker, listener = (
        page.evaluate(f"{MIDDLE}(document.querySelector('#{side} canvas'))") for side in (SPEAKER, LISTENER)
    )
    assert speaker[2] > 150 > speaker[0] and listener[0] > 150 > listener[2]
    assert page.evaluate(text("#about")) == f"/test · {HOSTILE}"
    assert page.evaluate("document.querySelectorAll('img').length") == 0

    until("!document.querySelector('#enabled').disabled")
    page.click("[data-attitude=positive]")
    page.click("#enabled")
    until("true")
    deadline = time.monotonic() + PATIENCE
    while len(pressed) < 2 and time.monotonic() < deadline:
        until("true")
    assert pressed == ["positive", False]

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page._call("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=2, mobile=True)
    until("innerWidth === 360")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    assert not page.problems
    server.close()
    page.wait(f"{text('#problem')} === 'The viewer has ended.'")
    page.wait(f"{text('#mode')} === 'no listener'")


@pytest.mark.alone
def test_the_page_of_a_real_graph_sees_the_listener_and_moves_it(browse, tmp_path):
    nodes = [
        NodeSpec("listener"),
        NodeSpec("renderer", {"size": 64}),
        NodeSpec("viewer", {"port": 0, "open_browser": False}),
    ]
    with GraphRunner(nodes, "test_view", True, tmp_path, own_domain()) as runner:
        deadline = time.monotonic() + PATIENCE
        while not (address := find_address((tmp_path / "viewer.log").read_text())):
            assert time.monotonic() < deadline, (tmp_path / "viewer.log").read_text()
            time.sleep(0.1)
        page = browse(address)
        page.wait(f"{text('#mode')} === 'idle'")  # there is no speaker
        page.wait(f"{text('#about')}.startsWith('/test_view')")
        page.wait("document.querySelector('#listener canvas').width === 64")  # the picture's own
        page.wait(f"{text('#panel-face')}.includes('smile')")
        page.wait(f"{text('#nodes')}.includes('renderer')")

        page.click("[data-attitude=negative]")
        page.wait("document.querySelector('[data-attitude=negative]').ariaPressed === 'true'")
        page.click("#enabled")
        page.wait(f"{text('#mode')} === 'disabled'")
        page.click("#enabled")
        page.wait(f"{text('#mode')} === 'idle'")
        assert not page.problems
        runner.poll()
