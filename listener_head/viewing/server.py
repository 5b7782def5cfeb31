"""Serves the page to browsers of this computer, and takes what its buttons ask for."""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from listener_head.errors import UserError
from listener_head.viewing.feed import Feed

HOST = "127.0.0.1"
LONGEST_POST = 1000  # [bytes]
STREAM_RATE_HZ = 15.0  # how often a browser gets what is new
_SILENT_S = 10.0
# What waits for a slow browser: less than a second of pictures.
_SEND_BUFFER = 1 << 17  # [bytes]
_LOCAL_NAMES = {HOST, "localhost", "::1"}
_PAGE = Path(__file__).parent / "page"
_FILES = {
    "": ("index.html", "text/html; charset=utf-8"),
    "viewer.css": ("viewer.css", "text/css; charset=utf-8"),
    "plot.js": ("plot.js", "text/javascript; charset=utf-8"),
    "viewer.js": ("viewer.js", "text/javascript; charset=utf-8"),
}
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_ADDRESS = re.compile(rf"http://{re.escape(HOST)}:\d+/[\w-]+/")

Action = Callable[[Any], None]
"""Takes a JSON value; UserError refuses it, or says why it could not be done."""


class PageServer:
    """The page of a feed at ``address``, from now until ``close``.

    The address holds a secret, so that other users of this computer and other pages of the browser neither
    see the camera nor move the listener. A request must also name this computer as its host: a name that
    somebody else's DNS server points here is refused.

    Args:
        feed: what is shown.
        port: where to listen; another free one is taken if it is in use, and for 0.
        actions: what a POST to ``address`` + name does with its JSON value.
    """

    def __init__(self, feed: Feed, port: int, actions: Mapping[str, Action]) -> None:
        secret = secrets.token_urlsafe(12)
        self._feed = feed
        self._server = _listen(port, partial(_Handler, feed, secret, actions))
        self.address = f"http://{HOST}:{self._server.server_address[1]}/{secret}/"
        self._thread = threading.Thread(target=self._server.serve_forever, name="page", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends all streams and gives the port back."""
        self._feed.close()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def find_address(text: str) -> str | None:
    """The address of a page in what somebody said, if there is one."""
    found = _ADDRESS.search(text)
    return found[0] if found else None


def open_browser(address: str) -> bool:
    """Opens the page where there is a screen; False where there is none."""
    screens = ("DISPLAY", "WAYLAND_DISPLAY")
    if sys.platform == "linux" and not any(os.environ.get(name) for name in screens):
        return False
    return webbrowser.open(address)


def _listen(port: int, handler: Callable[..., BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    try:
        return _Server((HOST, port), handler)
    except OSError:
        return _Server((HOST, 0), handler)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle of an answer is no error."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _SILENT_S

    def __init__(self, feed: Feed, secret: str, actions: Mapping[str, Action], *connection: Any) -> None:
        self._feed, self._secret, self._actions = feed, secret, actions
        super().__init__(*connection)

    def log_message(self, format: str, *args: object) -> None:
        """A line per request is of no use."""

    def do_GET(self) -> None:
        name = self._name()
        if name == "stream":
            self._send_stream()
        elif name in _FILES:
            file, kind = _FILES[name]
            self._send((_PAGE / file).read_bytes(), kind)
        elif name is not None:
            self._refuse(HTTPStatus.NOT_FOUND, "not of this page")

    def do_POST(self) -> None:
        name = self._name()
        length = self.headers.get("Content-Length", "")
        if name is None:
            return
        if name not in self._actions:
            self._refuse(HTTPStatus.NOT_FOUND, "nothing can be done there")
        elif not re.fullmatch("[0-9]{1,9}", length):
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "Content-Length is missing")
        elif int(length) > LONGEST_POST:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {LONGEST_POST} bytes")
        else:
            self._act(self._actions[name], self.rfile.read(int(length)))

    def _act(self, action: Action, body: bytes) -> None:
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            self._refuse(HTTPStatus.BAD_REQUEST, "not JSON")
            return
        try:
            action(value)
        except UserError as problem:
            self._refuse(HTTPStatus.CONFLICT, str(problem))
            return
        self._send(b"{}", "application/json")

    def _name(self) -> str | None:
        """What is asked for, below the secret; None when it is refused already."""
        if not _is_local(self.headers.get("Host", "")):
            self._refuse(
                HTTPStatus.MISDIRECTED_REQUEST, f"this page is for browsers of this computer: {HOST}"
            )
            return None
        _, _, rest = self.path.partition("/")
        secret, slash, name = rest.partition("/")
        if not (slash and secrets.compare_digest(secret.encode(), self._secret.encode())):
            self._refuse(HTTPStatus.FORBIDDEN, "open the whole address that the viewer has printed")
            return None
        return name

    def _send_stream(self) -> None:
        """News at STREAM_RATE_HZ until somebody goes away, or lets it lie for _SILENT_S."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        with self._feed.watch() as news:
            if news is None:
                self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "too many pages are open; close one")
                return
            self._start(HTTPStatus.OK, {"Content-Type": "application/octet-stream", "Connection": "close"})
            for part in news:
                self.wfile.write(part)
                time.sleep(1.0 / STREAM_RATE_HZ)

    def _send(self, body: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._start(status, {"Content-Type": kind, "Content-Length": str(len(body))})
        self.wfile.write(body)

    def _start(self, status: HTTPStatus, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in (_HEADERS | dict(headers)).items():
            self.send_header(name, value)
        self.end_headers()

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        # What else was sent is not read, so the connection cannot go on.
        self.close_connection = True
        self._send(reason.encode("utf-8", "replace") + b"\n", "text/plain; charset=utf-8", status)


def _is_local(host: str) -> bool:
    try:
        return urlsplit(f"//{host}").hostname in _LOCAL_NAMES
    except ValueError:
        return False
