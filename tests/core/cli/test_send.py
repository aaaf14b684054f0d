"""``duct-tape <instance> send``, which every integration has."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from attrs import define, field
from tests.toolbox_support import CONFIGURATION, SECRET, forge

from duct_tape.api import DuctTapeError, Hmac, RawDelivery, Secret, parse_json
from duct_tape.cli.send import post

if TYPE_CHECKING:
    from tests.core.cli.conftest import Cli, Configure, Offer

VERIFIER = Hmac("X-Signature", secrets=[Secret("test", SECRET.encode())], algorithm="sha512", encoding="base64")


@define
class Far:
    """A server that answers, and remembers what came."""

    url: str
    code: int = 202
    received: list[RawDelivery] = field(factory=list)


@pytest.fixture
def far() -> Iterator[Far]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.received.append(RawDelivery.build(self.headers.items(), body, self.path))
            self.send_response(found.code)
            self.end_headers()
            self.wfile.write(b"heard")

        def log_message(self, format: str, *arguments: Any) -> None:
            """Not into the test's output."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Far(f"http://127.0.0.1:{server.server_port}/hook")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture
def configured(configure: Configure, offer: Offer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_SECRET", SECRET)
    hooks = {
        name.removeprefix("ducttape_"): hook for name, hook in vars(forge()).items() if name.startswith("ducttape_")
    }
    offer(**hooks)
    configure(CONFIGURATION.replace("[plugins.forge]", '[plugins.forge]\nuse = "x"'))


@pytest.mark.usefixtures("configured")
def test_a_sample_of_what_is_configured(cli: Cli, far: Far) -> None:
    ended = cli("forge", "send", "--url", far.url)
    assert (ended.code, ended.out) == (0, "HTTP 202\nheard\n")
    [delivery] = far.received
    VERIFIER.verify(delivery)
    assert parse_json(delivery.body)["repository"] == "acme/site"


@pytest.mark.usefixtures("configured")
def test_a_sample_of_what_is_asked_for(cli: Cli, far: Far) -> None:
    words = ("--repository", "a/b", "--tag", "main", "--kind", "branch", "--prerelease")
    assert cli("forge", "send", "--url", far.url, *words).code == 0
    payload = parse_json(far.received[0].body)
    assert [payload[key] for key in ("repository", "tag", "kind", "prerelease")] == ["a/b", "main", "branch", True]


@pytest.mark.usefixtures("configured")
def test_a_payload_of_ones_own(cli: Cli, far: Far, tmp_path: Path) -> None:
    far.code = 400
    path = tmp_path / "payload.json"
    path.write_text('{"my": "own"}')
    ended = cli("forge", "send", "--url", far.url, str(path))
    assert (ended.code, ended.out) == (1, "HTTP 400\nheard\n")
    VERIFIER.verify(far.received[0])
    assert far.received[0].body == b'{"my": "own"}'


@pytest.mark.usefixtures("configured")
def test_nobody_is_there(cli: Cli) -> None:
    ended = cli("forge", "send", "--url", "http://127.0.0.1:9/hook")
    assert ended.code == 1
    assert "nobody answers at http://127.0.0.1:9/hook" in ended.err
    assert "is not an http URL" in cli("forge", "send", "--url", "ftp://x").err


def test_a_path_that_is_a_secret_is_in_no_error(far: Far) -> None:
    delivery = RawDelivery.build({}, b"{}", "/the-secret")
    assert post(far.url, delivery)[0] == 202
    assert far.received[0].path == "/hook/the-secret"
    for url in ("http://127.0.0.1:9/hook", "http://127.0.0.1:x/hook", "http://127.0.0.1:9/a b", "ftp://x"):
        with pytest.raises(DuctTapeError) as raised:
            post(url, delivery)
        assert url in str(raised.value)
        assert "the-secret" not in str(raised.value)
