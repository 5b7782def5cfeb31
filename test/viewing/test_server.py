"""Who may see the page, and who may press its buttons."""

import http.client
import re
import socket
from urllib.parse import urlsplit

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sensor_msgs.msg import Image

from listener_head.compat import CvBridge
from listener_head.errors import UserError
from listener_head.viewing import Feed, PageServer, find_address
from listener_head.viewing.pictures import LARGEST_MESSAGE, LARGEST_SIDE, check_size, jpeg_of
from listener_head.viewing.server import HOST, LONGEST_POST, open_browser

PRESSED = []


def refuse(_value):
    raise UserError("no listener is there")


@pytest.fixture(scope="module")
def server():
    server = PageServer(Feed(), 0, {"attitude": PRESSED.append, "enabled": refuse})
    yield server
    server.close()


@pytest.fixture
def pressed():
    PRESSED.clear()
    return PRESSED


def ask(server, path="", method="GET", body=None, **headers):
    """Status, headers and text of an answer; ``path`` stands below the secret, but for one with a slash."""
    parts = urlsplit(server.address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    url = path if path.startswith("/") else parts.path + path
    connection.request(method, url, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read().decode()


def test_only_this_computer_is_listened_to(server):
    assert urlsplit(server.address).hostname == HOST == "127.0.0.1"
    assert server._server.server_address[0] == HOST


def test_the_page_needs_nothing_from_elsewhere(server):
    status, headers, page = ask(server)
    assert status == 200
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    named = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert named and not [name for name in named if "//" in name]
    for name in named:
        if not name.startswith("data:"):
            assert ask(server, name)[0] == 200, name
    for script in ("viewer.js", "plot.js", "viewer.css"):
        assert "http" not in ask(server, script)[2].replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize("path", ["/", "/viewer.js", "/wrong/", "/wrong/stream", "//", "/%2e%2e/"])
def test_without_the_secret_there_is_nothing(server, path, pressed):
    assert ask(server, path)[0] == 403
    assert ask(server, path, "POST", '"positive"')[0] == 403
    assert not pressed


def test_two_servers_have_two_secrets_and_two_ports(server):
    port = urlsplit(server.address).port
    other = PageServer(Feed(), port, {})
    try:
        assert urlsplit(other.address).port != port
        assert urlsplit(other.address).path != urlsplit(server.address).path
    finally:
        other.close()


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8650", "127.0.0.1.evil.example", "", "[::1", "192.168.1.2"]
)
def test_a_name_that_was_made_to_point_here_is_refused(server, host, pressed):
    assert ask(server, Host=host)[0] == 421
    assert ask(server, "attitude", "POST", '"positive"', Host=host)[0] == 421
    assert not pressed


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1", "[::1]:8650"])
def test_a_tunnel_may_have_another_port(server, host):
    assert ask(server, Host=host)[0] == 200


@pytest.mark.parametrize(
    "path", ["../server.py", "page/index.html", "index.html", "/etc/passwd", "viewer.js/..", "%2e%2e/feed.py"]
)
def test_no_other_file_is_served(server, path):
    assert ask(server, path)[0] in (403, 404)


def test_a_button_does_what_it_says_or_says_why_not(server, pressed):
    assert ask(server, "attitude", "POST", '"positive"')[0] == 200
    assert pressed == ["positive"]
    status, _, text = ask(server, "enabled", "POST", "true")
    assert (status, text) == (409, "no listener is there\n")
    assert ask(server, "reset", "POST", "1")[0] == 404
    assert ask(server, "attitude", "POST", "positive")[0] == 400
    assert ask(server, "attitude", "POST", "[" * LONGEST_POST)[0] == 400
    assert ask(server, "attitude", "POST", '"' + "x" * LONGEST_POST + '"')[0] == 413
    assert pressed == ["positive"]


@settings(deadline=None, max_examples=40)
@given(noise=st.binary(max_size=300))
def test_noise_does_not_end_it(server, noise):
    parts = urlsplit(server.address)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall(noise + b"\r\n\r\n")
    assert ask(server)[0] == 200


def test_pictures_arrive_as_they_were_given():
    feed = Feed()
    feed.picture("listener", b"a picture")
    server = PageServer(feed, 0, {})
    parts = urlsplit(server.address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    connection.request("GET", parts.path + "stream")
    answer = connection.getresponse()
    got = b""
    while not got.endswith(b"l\x09\x00\x00\x00a picture"):
        got += answer.read1()
    server.close()
    assert answer.read() == b""


def test_the_address_is_found_in_a_log(server):
    assert find_address(f"[INFO] [viewer]: the page is at {server.address}\n[INFO] active") == server.address
    assert find_address("nothing yet") is None


def test_no_browser_is_opened_where_there_is_no_screen(monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not open_browser("http://127.0.0.1:1/x/")


@pytest.mark.parametrize(
    ("size", "shown"), [((480, 640), (480, 640)), ((2000, 4000), (320, 640)), ((4000, 1), (640, 1))]
)
def test_a_picture_is_no_larger_than_the_page_needs(size, shown):
    import cv2

    image = CvBridge().cv2_to_imgmsg(np.full((*size, 3), 90, np.uint8), "bgr8")
    pixels = cv2.imdecode(np.frombuffer(jpeg_of(image), np.uint8), cv2.IMREAD_COLOR)
    assert pixels.shape[:2] == shown
    assert max(shown) <= LARGEST_SIDE
    assert abs(int(pixels.mean()) - 90) <= 1


def test_what_is_no_picture_is_refused():
    with pytest.raises(UserError, match="32FC1"):
        jpeg_of(Image(width=2, height=2, step=8, encoding="32FC1", data=bytes(16)))
    with pytest.raises(UserError, match="MB"):
        check_size(bytes(LARGEST_MESSAGE + 1))
