"""``duct-tape github send``: signed as GitHub would sign it, and honest about the answer."""

from __future__ import annotations

import http.server
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from attrs import define, field
from click.testing import CliRunner, Result

from duct_tape.api import DuctTapeError, RawDelivery
from duct_tape.cli.send import send_command
from duct_tape_github import receive

if TYPE_CHECKING:
    from tests.plugins.conftest import Configure


@define(eq=False)
class Sender:
    """Calls the command against a web server that answers ``code`` and remembers what came."""

    configure: Configure
    url: str
    code: int = 202
    more: dict[str, str] = field(factory=dict)
    received: list[RawDelivery] = field(factory=list)

    def send(self, *arguments: str, url: str | None = None) -> Result:
        assembly = self.configure()
        instance = assembly.instance("github")
        assert instance is not None
        command = send_command(assembly, instance, "http://127.0.0.1:9000")
        return CliRunner().invoke(
            command, ["--url", url or self.url, *arguments], standalone_mode=False, help_option_names=["-h", "--help"]
        )

    def one(self) -> RawDelivery:
        """The one delivery that came; its signature is good."""
        assembly = self.configure()
        instance = assembly.instance("github")
        assert instance is not None
        [delivery] = self.received
        receive.verifier(instance.config.secrets).verify(delivery)
        return delivery


@pytest.fixture
def sender(configure: Configure) -> Iterator[Sender]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            mine.received.append(RawDelivery.build(self.headers.items(), body))
            self.send_response(mine.code)
            for name, value in mine.more.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b'{"status": "said"}')

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        mine = Sender(configure, f"http://127.0.0.1:{server.server_port}/integrations/github")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield mine
        server.shutdown()
        thread.join()


def test_a_sample_release_of_the_first_repository(sender: Sender) -> None:
    result = sender.send()
    assert (result.return_value, result.output) == (0, 'HTTP 202\n{"status": "said"}\n')
    event = receive.parse(sender.one())
    assert event.release is not None
    assert (event.action, event.repository, event.release.tag) == ("published", "acme/site", "v1.0.0")
    assert not event.release.prerelease


def test_for_scripts_it_is_one_object(sender: Sender) -> None:
    sender.code = 503
    result = sender.send("--json")
    assert result.return_value == 1
    answer = '{"status": "said"}'
    assert json.loads(result.output) == {"status": 503, "answer": answer, "detail": f"HTTP 503\n{answer}"}


def test_its_options(sender: Sender) -> None:
    sender.send("--repository", "x/y", "--tag", "v9", "--prerelease", "--action", "released")
    event = receive.parse(sender.one())
    assert event.release is not None
    assert (event.action, event.repository) == ("released", "x/y")
    assert (event.release.tag, event.release.prerelease) == ("v9", True)


def test_two_calls_are_two_deliveries(sender: Sender) -> None:
    sender.send()
    sender.send()
    assert len({delivery.value(receive.DELIVERY) for delivery in sender.received}) == 2


def test_a_payload_from_a_file_is_sent_as_it_is(sender: Sender, tmp_path: Path) -> None:
    file = tmp_path / "ping.json"
    file.write_bytes(b'{ "zen": 1 }\n')
    assert sender.send("--event", "ping", str(file)).return_value == 0
    assert sender.one().body == b'{ "zen": 1 }\n'
    assert sender.one().value(receive.EVENT) == "ping"


@pytest.mark.parametrize("code", [400, 401, 404, 503])
def test_a_refusal_is_shown_and_is_exit_code_1(sender: Sender, code: int) -> None:
    sender.code = code
    result = sender.send()
    assert (result.return_value, result.output) == (1, f'HTTP {code}\n{{"status": "said"}}\n')


def test_a_redirect_is_the_answer(sender: Sender) -> None:
    sender.code, sender.more = 302, {"Location": "/login"}
    result = sender.send()
    assert result.return_value == 1
    assert result.output.startswith("HTTP 302")
    assert len(sender.received) == 1


def test_no_proxy_is_asked_for_this_machine(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    assert sender.send().return_value == 0
    outside = sender.send(url="http://hooks.invalid/")
    assert "Connection refused" in str(outside.exception)
    assert "hooks.invalid" in str(outside.exception)


def test_nobody_answers(sender: Sender) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    result = sender.send(url=f"http://127.0.0.1:{port}/integrations/github")
    assert isinstance(result.exception, DuctTapeError)
    assert f"nobody answers at http://127.0.0.1:{port}/integrations/github" in str(result.exception)
    assert "is `duct-tape serve` running?" in str(result.exception)


def test_somebody_answers_who_is_no_web_server(sender: Sender) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def greet() -> None:
            connection, _ = other.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        result = sender.send(url=f"http://127.0.0.1:{other.getsockname()[1]}/")
        thread.join()
    assert isinstance(result.exception, DuctTapeError)
    assert "no web server answers at" in str(result.exception)


@pytest.mark.parametrize(
    "url", ["ftp://x/", "127.0.0.1:9000", "file:///etc/passwd", "http://x:port/", "http://" + "a" * 70]
)
def test_what_is_no_address_is_a_sentence(sender: Sender, url: str) -> None:
    result = sender.send(url=url)
    assert isinstance(result.exception, DuctTapeError)
    assert url in str(result.exception)


def test_without_repositories_the_sample_is_of_an_example(configure: Configure, sender: Sender) -> None:
    sender.configure = lambda: configure('[plugins.github]\nsecrets = [{{ file = "{folder}/secret" }}]\n')
    sender.send()
    assert json.loads(sender.one().body)["repository"]["full_name"] == "example/hello"
