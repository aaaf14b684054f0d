"""Through a real socket: who may send, who has sent too much, and what nobody learns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.core.web.test_contract import code, delivery, header, post, request
from tests.server_support import Server, serving

PROXY = 'trusted_proxies = ["127.0.0.1"]\n'
LISTED = """
[triggers.deploy]
action = "record"
[plugins.recorder]
[plugins.sender]
allow_from = ["203.0.113.0/24", "2001:db8::/32"]
"""


def from_(address: str, signature: str = "good") -> str:
    return f"X-Forwarded-For: {address}\r\nsignature: {signature}\r\n"


def plain(answer: bytes) -> bytes:
    """An answer without the time."""
    return re.sub(rb"date: [^\r]+", b"", answer)


def test_only_the_addresses_of_the_list_may_send_and_others_learn_nothing(tmp_path: Path) -> None:
    with serving(tmp_path, PROXY, configuration=LISTED) as server:
        for number, sender in enumerate(("203.0.113.9", "192.0.2.1, 203.0.113.9", "2001:db8::9")):
            assert code(server.exchange(post(delivery(f"d-{number}"), from_(sender)))) == 202
        wrong = server.exchange(post(delivery("d"), from_("203.0.113.9", "bad")))
        assert code(wrong) == 401
        for sender in ("192.0.2.1", "203.0.113.9, 192.0.2.1", "", "nobody"):
            other = server.exchange(post(delivery("d"), from_(sender)))
            assert plain(other) == plain(wrong)
        assert plain(server.exchange(request("GET /integrations/sender/a", from_("192.0.2.1")))) == plain(wrong)
        assert server.stop() == 0
    assert "refused: the sender's address is not in `allow_from` (from 192.0.2.1)" in server.log


def test_an_address_that_nobody_vouches_for_is_in_no_list(tmp_path: Path) -> None:
    with serving(tmp_path, configuration=LISTED) as server:
        assert code(server.exchange(post(delivery("d"), from_("203.0.113.9")))) == 401


def test_an_address_that_was_refused_too_often_has_to_wait_and_others_have_not(tmp_path: Path) -> None:
    with serving(tmp_path, f"{PROXY}max_refused_per_minute = 3\n") as server:
        answers = [server.exchange(post(delivery("d"), from_("192.0.2.1", "bad"))) for _ in range(5)]
        assert [code(answer) for answer in answers] == [401, 401, 401, 429, 429]
        # Before the body, and whatever the signature is.
        waiting = request("POST /integrations/sender", f"Content-Length: 99\r\n{from_('192.0.2.1')}", close=False)
        answer = server.exchange(waiting)
        assert (code(answer), header(answer, "connection")) == (429, "close")
        assert 0 < int(header(answer, "retry-after")) <= 20
        assert answer.endswith(b'{"status":"too many requests"}')
        assert code(server.exchange(request("GET /healthz", from_("192.0.2.1")))) == 200
        for number in range(9):
            assert code(server.exchange(post(delivery(f"d-{number}"), from_("192.0.2.2")))) == 202
        assert code(server.exchange(post(delivery("d")))) == 202  # the proxy itself
        assert server.stop() == 0
    assert "refused: too many requests of one address (from 192.0.2.1)" in server.log


def test_without_a_trusted_proxy_nobody_on_this_machine_is_counted(tmp_path: Path) -> None:
    with serving(tmp_path, "max_refused_per_minute = 1\n") as server:
        answers = [server.exchange(post(delivery("d"), from_("192.0.2.1", "bad"))) for _ in range(5)]
        assert {code(answer) for answer in answers} == {401}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server"), "max_body = 100\nbody_timeout = 0.3\n") as found:
        yield found


def test_bad_signatures_are_two_lines_in_the_log(server: Server) -> None:
    for _ in range(50):
        assert code(server.exchange(post(delivery("d"), "signature: bad\r\n"))) == 401
    line = server.wait_for("more like this", 30)
    assert "49 more like this in the last 10 seconds, from 1 address" in line
    assert sum("refused: the signature" in text for text in server.lines) == 2


UNSIGNED = [
    "signature: bad\r\n",
    "",
    "signature: good\r\nsignature: good\r\n",
    "signature: \xff\r\n",
    "signature: bad\r\nContent-Encoding: gzip\r\n",
    "signature: bad\r\nContent-Type: image/png\r\n",
    "Authorization: Bearer x\r\nCookie: a=b\r\n",
]
BODIES = [b"", b"{}", b"\xff", delivery("d"), delivery("other", applications=["nowhere"]), b"[" * 90]


def test_every_stranger_gets_the_same_answer(server: Server) -> None:
    answers = {plain(server.exchange(post(body, headers))) for headers in UNSIGNED for body in BODIES}
    assert len(answers) == 1
    [answer] = answers
    assert (code(answer), header(answer, "server")) == (401, "")
    assert b"duct" not in answer.lower()


def test_what_there_is_not_has_one_answer_too(server: Server) -> None:
    paths = [
        "/",
        "/nowhere",
        "/integrations",
        "/integrations/",
        "/integrations/unknown",
        "/integrations/recorder",
        "/runs",
    ]
    answers = {plain(server.exchange(request(f"POST {path}"))) for path in paths[1:]}
    assert len(answers) == 1
    assert code(answers.pop()) == 404
