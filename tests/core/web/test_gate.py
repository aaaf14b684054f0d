"""Exactly one spelling of each URL is served."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.web.test_contract import code, request
from tests.server_support import Server, free_port, serving

from duct_tape.web.gate import one_spelling

ADMIN = '[admin]\nbind = ["127.0.0.1:{port}"]\ntoken = {{ file = "token" }}'
TOKEN = "Authorization: Bearer 9f3c0123456789abcd\r\n"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    """The public socket and the admin socket."""
    folder = tmp_path_factory.mktemp("server")
    (folder / "token").write_text("9f3c0123456789abcd")
    port = free_port()
    with serving(folder, ADMIN.format(port=port)) as public:
        admin = Server.__new__(Server)
        admin.port = port
        yield [public, admin]


@pytest.mark.parametrize(
    "spelling",
    [
        "/%68ealthz", "/./healthz", "/a/../healthz", "//healthz", "/healthz/", "/healthz?x=1", "/healthz#a",
        "/healthz%00", "/healthz%0a", "/HEALTHZ", "/healthz;a", "http://x/healthz", "healthz", "*", "/healthz%",
        "/%2fhealthz", "/%2Fhealthz", "/healthz%20", "/%E2%81%A0healthz", "\\healthz", "/healthz%2e", "/..",
    ],
)  # fmt: skip
def test_another_spelling_is_not_found(servers: list[Server], spelling: str) -> None:
    public, admin = servers
    assert code(public.exchange(request(f"GET {spelling}"))) == 404
    path = spelling.replace("healthz", "integrations/sender").replace("HEALTHZ", "integrations/SENDER")
    assert code(public.exchange(request(f"POST {path}"))) == 404
    path = spelling.replace("healthz", "runs").replace("HEALTHZ", "RUNS")
    assert code(admin.exchange(request(f"GET {path}", TOKEN))) == 404


def test_the_one_spelling_is_found(servers: list[Server]) -> None:
    public, admin = servers
    assert code(public.exchange(request("GET /healthz"))) == 200
    assert code(public.exchange(request("POST /integrations/sender"))) == 401
    assert code(admin.exchange(request("GET /runs", TOKEN))) == 200


OWN = """
from starlette.responses import PlainTextResponse
from starlette.routing import Route

async def item(request):
    return PlainTextResponse(f"{request.path_params['name']} {request.query_params['q']}")

plugins["sender"] = plugin(routes=lambda ctx: [Route("/items/{name}", item)])
"""


def test_a_plugins_own_route_may_have_a_query_and_what_has_to_be_encoded(tmp_path: Path) -> None:
    with serving(tmp_path, script=OWN) as server:
        assert server.exchange(request("GET /integrations/sender/items/a%20b?q=1&q=2")).endswith(b"a b 2")
        assert code(server.exchange(request("GET /integrations/sender/items/%61?q=1"))) == 404


def spelt(raw: bytes) -> bool:
    path = unquote_to_bytes(raw).decode("utf-8", "replace")
    return one_spelling({"raw_path": raw, "path": path, "query_string": b""})


@given(st.binary())
def test_any_path_has_an_answer(raw: bytes) -> None:
    assert spelt(raw) in (True, False)


@given(st.lists(st.text(st.characters(min_codepoint=0x20, codec="utf-8", exclude_characters="/"), min_size=1)))
def test_a_path_has_one_spelling(parts: list[str]) -> None:
    raw = ("/" + "/".join(quote(part, safe=":@!$&'()*+,;=~") for part in parts)).encode()
    assert spelt(raw) is not any(part in (".", "..") for part in parts)
    for number, byte in enumerate(raw):
        if byte != ord("%"):
            assert not spelt(raw[:number] + b"%%%02X" % byte + raw[number + 1 :])
