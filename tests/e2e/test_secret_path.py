"""A secret that is the end of a URL: in no log line, error, answer, journal or command, whatever is asked for."""

from __future__ import annotations

import http.client
import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import define, field
from tests.e2e.machine import SECRET as GITHUB
from tests.e2e.machine import Machine, until
from tests.server_support import free_port

from duct_tape.api import Sample
from duct_tape_registry.sample import docker_hub

SECRET = "5ecret-path-of-this-test-0123456789"
OLD = "0ld-path-of-this-test-0123456789abc"
TOKEN = "t0ken-of-this-admin-socket"
MORE = """
[log]
level = "debug"
format = "{form}"
[admin]
bind = ["127.0.0.1:{admin}"]
token = {{ env = "ADMIN_TOKEN" }}
[triggers.failing]
action = "touch-file"
filename = "{{{{ payload.nosuch }}}}"
[plugins.registry]
kind = "docker-hub"
secrets = [{{ file = "path" }}, {{ file = "old" }}]
triggers = ["deploy"]
[plugins.registry.repositories."acme/app1"]
application = "app1"
[plugins.registry.repositories."acme/app2"]
application = "app2"
triggers = ["failing"]
[plugins.registry.repositories."acme/app3"]
application = "{{{{ payload.nosuch }}}}"
"""
HERE = f"/integrations/registry/{SECRET}"


def image(repository: str = "acme/app1", tag: str = "v1") -> bytes:
    return docker_hub(Sample(repository=repository, tag=tag)).body


@define(eq=False)
class Asker:
    """Asks a real server over a socket, and keeps what it answers."""

    machine: Machine
    answers: list[str] = field(factory=list)

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.machine.port, timeout=20)
        given = {"Content-Type": "application/json", **{key.replace("_", "-"): value for key, value in headers.items()}}
        connection.request(method, path, body, given)
        with connection.getresponse() as answer:
            told = {name: value for name, value in answer.getheaders() if name.lower() != "date"}
            found = answer.status, told, answer.read()
        connection.close()
        self.answers.append(repr(found))
        return found

    def raw(self, request: str) -> None:
        """Something that is no HTTP, with the secret in it."""
        with socket.create_connection(("127.0.0.1", self.machine.port), timeout=20) as connection:
            connection.sendall(request.encode("latin-1"))
            connection.shutdown(socket.SHUT_WR)
            while data := connection.recv(65536):
                self.answers.append(data.decode("latin-1"))


@pytest.fixture(params=["console", "json"])
def asker(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asker]:
    monkeypatch.setenv("ADMIN_TOKEN", TOKEN)
    machine = Machine(tmp_path)
    (tmp_path / "path").write_text(SECRET)
    (tmp_path / "old").write_text(OLD)
    text = machine.configuration.read_text().replace("[server]\n", "[server]\nmax_body = 4096\n")
    machine.configuration.write_text(text + MORE.format(form=request.param, admin=free_port()))
    try:
        yield Asker(machine)
    finally:
        machine.close()


def everything(asker: Asker) -> None:
    """Every way in which a request with the secret in it can go wrong, and those in which it does not."""
    assert asker.ask("POST", HERE, image())[0] == 202
    assert asker.ask("POST", f"/integrations/registry/{OLD}", image(tag="v2"))[0] == 202
    assert asker.ask("POST", HERE, image())[0] == 200
    assert asker.ask("POST", HERE, image("acme/app2"))[0] == 202
    until(lambda: asker.machine.said("there is no value for"))
    assert asker.ask("POST", HERE, image("acme/app3"))[0] == 200
    assert asker.ask("POST", HERE, image("acme/other"))[0] == 200
    for body in (b"", b"{", b"[]", b"\xff", b"{}"):
        assert asker.ask("POST", HERE, body)[0] == 400
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS"):
        assert asker.ask(method, HERE)[0] == 405
    assert asker.ask("POST", HERE, image(), Content_Type="text/plain")[0] == 415
    assert asker.ask("POST", HERE, image(), Content_Encoding="gzip")[0] == 415
    assert asker.ask("POST", HERE, b" " * 5000)[0] == 413
    for path in (
        f"{HERE}?a=b",
        f"{HERE}%41",
        f"//integrations/registry/{SECRET}",
        f"/{SECRET}",
        f"/integrations/{SECRET}",
    ):
        assert asker.ask("POST", path, image())[0] == 404
    for path in (f"{HERE}/", f"{HERE}/more", f"{HERE}x"):
        assert asker.ask("POST", path, image())[0] == 401
    for request in (
        f"POST {HERE} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{",
        f"POST {HERE} HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
        f"POST {HERE} HTTP/9.9\r\n\r\n",
        f"POST {HERE} HTTP/1.1\r\nHost: x\r\nA: {'x' * 100_000}\r\n\r\n",
        f"POST {HERE}\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
        f"GET {HERE} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        f"{HERE}\r\n\r\n",
    ):
        asker.raw(request)


def journal(asker: Asker) -> str:
    files = [path for path in asker.machine.folder.rglob("*") if path.is_file() and "sqlite" in path.name]
    assert files
    return "".join(path.read_bytes().decode("latin-1") for path in files)


def test_the_secret_is_nowhere(asker: Asker) -> None:
    server = asker.machine.serve()
    everything(asker)
    commands = [("plugins",), ("runs", "list"), ("deliveries", "list")]
    told = [asker.machine.command(*words) for words in commands]
    server.send_signal(signal.SIGTERM)
    assert server.wait(30) == 0
    log = (asker.machine.folder / "server.log").read_text()
    places = {
        "the log": log,
        "an answer": "\n".join(asker.answers),
        "the journal": journal(asker),
        "a command": "\n".join(told),
        "a flag": "".join(path.read_text() for path in asker.machine.volume.iterdir() if path.is_file()),
    }
    assert [place for place, text in places.items() if SECRET in text or OLD in text] == []
    # It was looked at the right places: each says what happened.
    assert "accepted: v1 of acme/app1" in log
    assert "malformed" in log
    assert "refused: the body is too large" in log
    assert "acme/app1" in places["the journal"]


def test_whoever_has_not_the_secret_learns_nothing(asker: Asker) -> None:
    asker.machine.application("app1")
    asker.machine.serve()
    elsewhere = asker.ask("POST", "/integrations/github", b"{}", X_Hub_Signature_256="sha256=" + GITHUB.hex())
    assert elsewhere[0] == 401
    paths = [
        "",
        "/",
        "/x",
        f"/{SECRET[:-1]}",
        f"/{SECRET}x",
        f"/{SECRET.upper()}",
        "/acme/app1",
        "/acme/other",
        "/app1/",
    ]
    for path in paths:
        for body in (image(), image("acme/other"), b"no JSON", b" " * 5000):
            found = asker.ask("POST", f"/integrations/registry{path}", body)
            # Exactly one spelling of the URL itself is served.
            assert found[0] == 404 if path == "/" else found == elsewhere, path
    assert json.loads(asker.ask("POST", HERE, image())[2])["status"] == "accepted"
