"""The small server of a study: the page's files, and answers into SQLite. For a room, not the internet."""

from __future__ import annotations

import mimetypes
import re
import sqlite3
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote

from listener_head.checked_json import parse, reason_of
from listener_head.errors import UserError
from listener_head.study.make import PAGE_FILES
from listener_head.study.model import Manifest, Sheet, read_manifest
from listener_head.study.store import AnswerStore

# A thousand times one answer.
MAX_POST_BYTES = 500_000
_SILENT_S = 30.0
_CHUNK_BYTES = 1 << 16
_JSON = "application/json"
# In place of the folder's server.js: tells the page that there is somebody to post to.
_SERVER_JS = b"window.STUDY_SERVER = true;\n"


def make_server(
    folder: Path, database: Path, host: str, port: int, log: Callable[[str], None]
) -> ThreadingHTTPServer:
    """A server for ``serve_forever``; port 0 takes a free one. ``log`` gets a line per answer.

    UserError for a folder that is no study, a database that cannot be written, an address in use.
    """
    manifest = read_manifest(folder)
    # Nothing else is ever opened: a path that climbs out of the folder is as unknown as any other.
    served = {f"/{name}": folder / name for name in PAGE_FILES}
    served["/"] = folder / "index.html"
    for question in manifest.questions:
        for name in (*question.videos, question.speaker):
            if name:
                served[f"/videos/{name}"] = folder / "videos" / Path(name).name
    handler = partial(_Handler, manifest, served, AnswerStore(database), log)
    try:
        return ThreadingHTTPServer((host, port), handler)
    except (OSError, OverflowError) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise UserError(f"cannot listen on {host}:{port}: {reason}; choose another --port") from None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _SILENT_S

    def __init__(
        self,
        manifest: Manifest,
        served: dict[str, Path],
        store: AnswerStore,
        log: Callable[[str], None],
        *connection: object,
    ) -> None:
        self._manifest, self._served, self._store, self._log = manifest, served, store, log
        super().__init__(*connection)  # type: ignore[arg-type]

    def log_message(self, format: str, *args: object) -> None:
        """A line per file is of no use."""

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        path = unquote(path)
        if path == "/server.js":
            self._send(_SERVER_JS, "text/javascript")
        elif path == "/answers":
            self._send_answers(parse_qs(query).get("rater", [""])[0])
        elif path in self._served:
            self._send_file(self._served[path])
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "not of this study")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "Content-Length is missing")
        elif int(length[:12]) > MAX_POST_BYTES or len(length) > 12:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {MAX_POST_BYTES} bytes")
        else:
            self._take(self.rfile.read(int(length)))

    def _take(self, body: bytes) -> None:
        if self.path != "/answers":
            self._refuse(HTTPStatus.NOT_FOUND, "answers go to /answers")
            return
        # A page of another site could post anything but this type.
        if self.headers.get_content_type() != _JSON:
            self._refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"answers are {_JSON}")
            return
        try:
            sheet = parse(Sheet, body)
            if sheet.study != self._manifest.study:
                raise ValueError(f"study '{sheet.study}' is another study")
            for answer in sheet.answers:
                if problem := answer.problem(self._manifest):
                    raise ValueError(problem)
        except ValueError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, str(error))
            return
        try:
            self._store.put(sheet)
        except sqlite3.Error as error:
            self._log(f"an answer of {sheet.rater} could not be stored: {error}")
            self._refuse(HTTPStatus.INSUFFICIENT_STORAGE, str(error))
            return
        self._log(f"{sheet.rater}: {len(sheet.answers)} answered")
        self._send(b"{}", _JSON)

    def _send_answers(self, rater: str) -> None:
        try:
            sheet = self._store.get(self._manifest.study, rater)
        except (ValueError, sqlite3.Error) as error:
            self._refuse(HTTPStatus.BAD_REQUEST, reason_of(error))
            return
        self._send(sheet.model_dump_json().encode(), _JSON)

    def _send(self, body: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        # The rest of what was sent may be long: it is not read, so the connection cannot go on.
        self.close_connection = True
        self._send(reason.encode("utf-8", "replace") + b"\n", "text/plain; charset=utf-8", status)

    def _send_file(self, path: Path) -> None:
        """The file, or the one range of it that was asked for: browsers seek in a video by ranges."""
        try:
            size = path.stat().st_size
            first, last = _byte_range(self.headers.get("Range", ""), size)
            with path.open("rb") as file:
                whole = (first, last) == (0, size - 1)
                self.send_response(HTTPStatus.OK if whole else HTTPStatus.PARTIAL_CONTENT)
                self.send_header("Content-Type", mimetypes.guess_type(path)[0] or "application/octet-stream")
                self.send_header("Content-Length", str(last - first + 1))
                self.send_header("Accept-Ranges", "bytes")
                self.send_header("X-Content-Type-Options", "nosniff")
                if not whole:
                    self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
                self.end_headers()
                file.seek(first)
                left = last - first + 1
                while left and (chunk := file.read(min(left, _CHUNK_BYTES))):
                    self.wfile.write(chunk)
                    left -= len(chunk)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the browser has enough of the video
        except OSError as problem:
            self._refuse(HTTPStatus.NOT_FOUND, problem.strerror or "cannot be read")


def _byte_range(header: str, size: int) -> tuple[int, int]:
    """First and last byte of an HTTP Range; the whole file for none, or for one that does not fit."""
    asked = re.fullmatch(r"bytes=([0-9]{0,15})-([0-9]{0,15})", header)
    if asked is None or not any(asked.groups()):
        return 0, size - 1
    if asked[1]:
        first, last = int(asked[1]), min(int(asked[2] or size - 1), size - 1)
    else:
        first, last = max(0, size - int(asked[2])), size - 1
    return (first, last) if first <= last else (0, size - 1)
