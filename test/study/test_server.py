"""The study's server: what it gives, what it stores, what it refuses."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listener_head.errors import UserError
from listener_head.study.answers import read_answers
from listener_head.study.server import MAX_POST_BYTES, make_server

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def port(study, tmp_path) -> Iterator[int]:
    server = make_server(study.folder, tmp_path / "answers.db", "127.0.0.1", 0, lambda line: None)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def ask(port: int, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, body, headers or {})
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    return reply.status, content, reply.headers


def one_answer(study, rater="anna"):
    (question,) = study.questions("preference", "ood")
    return study.sheet(rater, [study.answer(question, "equal")])


def test_gives_the_page_and_says_that_it_stores(study, port):
    assert ask(port, "GET", "/")[1] == (study.folder / "index.html").read_bytes()
    assert b"= true" in ask(port, "GET", "/server.js")[1]
    assert b"= false" in (study.folder / "server.js").read_bytes()
    assert ask(port, "GET", "/study.js?x=1")[0] == 200


def test_videos_come_in_ranges(study, port):
    name = study.key.manifest.questions[0].videos[0]
    video = (study.folder / "videos" / name).read_bytes()
    size = len(video)
    for header, first, last in (
        ("bytes=0-9", 0, 9),
        ("bytes=10-", 10, size - 1),
        ("bytes=-5", size - 5, size - 1),
        (f"bytes=3-{size + 100}", 3, size - 1),
    ):
        status, content, headers = ask(port, "GET", f"/videos/{name}", headers={"Range": header})
        assert (status, content) == (206, video[first : last + 1])
        assert headers["Content-Range"] == f"bytes {first}-{last}/{size}"
    for header in ("", "bytes=9-3", "bytes=-0", "bytes=0-1,4-5", "lines=1-2"):
        assert ask(port, "GET", f"/videos/{name}", headers={"Range": header})[:2] == (200, video)


OUTSIDE = """
/../study.key.json /%2e%2e/study.key.json /videos/../../study.key.json /videos/..%2f..%2fstudy.key.json
//etc/passwd /videos/ /answers.db /. /\\..\\study.key.json /%00 //[ /%ff
"""


@pytest.mark.parametrize("path", OUTSIDE.split())
def test_nothing_outside_the_study_is_given(path, port):
    assert ask(port, "GET", path)[0] == 404


def test_answer_is_stored_and_told_to_its_rater(study, port, tmp_path):
    sheet = one_answer(study)
    assert ask(port, "POST", "/answers", sheet.model_dump_json().encode(), JSON)[0] == 200
    assert json.loads(ask(port, "GET", "/answers?rater=%20Anna")[1]) == json.loads(sheet.model_dump_json())
    assert json.loads(ask(port, "GET", "/answers?rater=bo")[1])["answers"] == []
    assert ask(port, "GET", "/answers?rater=")[0] == 400
    assert read_answers([tmp_path / "answers.db"], study.key.manifest).raters == ["anna"]


def test_wrong_posts_are_refused_with_the_reason(study, port):
    sheet = one_answer(study)
    good = sheet.model_dump_json().encode()
    other = sheet.model_copy(update={"study": "other"}).model_dump_json().encode()
    foreign = sheet.model_copy(update={"answers": [sheet.answers[0].model_copy(update={"choice": "x"})]})
    for body, headers, status, reason in (
        (b"{", JSON, 400, b"Invalid JSON"),
        (other, JSON, 400, b"another study"),
        (foreign.model_dump_json().encode(), JSON, 400, b"none that it has"),
        (good, {"Content-Type": "text/plain"}, 415, b"application/json"),
        (b" " * (MAX_POST_BYTES + 1), JSON, 413, b"more than"),
        (good, {**JSON, "Content-Length": "-1"}, 411, b"Content-Length"),
        (good, {**JSON, "Content-Length": "9" * 5000}, 413, b"more than"),
    ):
        answer = _post_whatever(port, body, headers)
        assert answer.startswith(b"HTTP/1.1 %d " % status) and reason in answer
    assert json.loads(ask(port, "GET", "/answers?rater=anna")[1])["answers"] == []


def _post_whatever(port: int, body: bytes, headers: dict[str, str]) -> bytes:
    """The reply's first bytes; the head is sent alone where its body is refused unread."""
    fields = {"Content-Length": str(len(body)), **headers}
    head = "POST /answers HTTP/1.1\r\nHost: x\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields.items())
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(head.encode() + b"\r\n" + (body if len(body) < MAX_POST_BYTES else b""))
        content = b""
        while chunk := connection.recv(65536):  # the server closes after a refusal
            content += chunk
    return content


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=200)
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(
        lambda value: json.dumps(value).encode()
    )
)
def test_any_post_leaves_the_server_well(port, body):
    assert ask(port, "POST", "/answers", body, JSON)[0] == 400
    assert ask(port, "GET", "/")[0] == 200


def test_many_raters_at_once(study, port, tmp_path):
    def post(i: int) -> None:
        ask(port, "POST", "/answers", one_answer(study, f"rater {i}").model_dump_json().encode(), JSON)

    threads = [threading.Thread(target=post, args=(i,)) for i in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_answers([tmp_path / "answers.db"], study.key.manifest).raters) == 16


def test_stored_answers_survive_a_kill_of_the_command(study, tmp_path):
    database = tmp_path / "answers.db"
    command = "from listener_head.cli import main; main()"
    arguments = ["study", "serve", str(study.folder), "--output", str(database), "--port", "0"]
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", command, *arguments], stdout=subprocess.PIPE, text=True
    )
    try:
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", process.stdout.readline())
        body = one_answer(study).model_dump_json().encode()
        assert ask(int(found[1]), "POST", "/answers", body, JSON)[0] == 200
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.communicate()
    assert read_answers([database], study.key.manifest).raters == ["anna"]


def test_what_cannot_be_served_is_named(study, tmp_path, port):
    def serve(folder: Path, database: Path, number: int = 0) -> None:
        make_server(folder, database, "127.0.0.1", number, print)

    with pytest.raises(UserError, match="give the folder of `listener_head study make`"):
        serve(tmp_path, tmp_path / "a.db")
    with pytest.raises(UserError, match="cannot keep answers in"):
        serve(study.folder, tmp_path)
    (tmp_path / "text.db").write_text("no database, though it is long enough to be one" * 20)
    with pytest.raises(UserError, match="cannot keep answers in"):
        serve(study.folder, tmp_path / "text.db")
    with pytest.raises(UserError, match="choose another --port"):
        serve(study.folder, tmp_path / "a.db", port)
