"""Nothing secret and nothing personal gets out: a whole story with everything logged, and every place looked at."""

from __future__ import annotations

import http.client
import http.server
import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.machine import SECRET, Machine, until
from tests.server_support import free_port

from duct_tape.api import RawDelivery
from duct_tape.assembly import assemble
from duct_tape_github.sample import release_payload
from signing import github_signature

OLD_SECRET = b"0ld-secret-of-this-test"
TOKEN = "t0ken-of-this-admin-socket"
CHAT = "t0ken-of-this-chat"
PERSONAL = ("jane.doe@example.com", "Jane Q. Doe", "203.0.113.77")
FORGED_LINE = "2026-01-01T00:00:00.000Z info github: accepted"
LONG = f"v1\x1b[2J\r\n{FORGED_LINE}" + "x" * 1_000_000
# What a deploy can see of secrets: its environment, and the command line of its listener.
SCRIPT = """#!/bin/sh
{{ env; tr '\\0' ' ' </proc/$PPID/cmdline; }} >'{folder}/environment.new'
mv '{folder}/environment.new' '{folder}/environment'
"""
MORE = """
[log]
level = "debug"
format = "{form}"
[admin]
bind = ["127.0.0.1:{admin}"]
token = {{ env = "ADMIN_TOKEN" }}
[triggers.failing]
action = "touch-file"
filename = "{{{{ payload.release.body ~ payload.nosuch }}}}"
[plugins.notify]
urls = [{{ file = "chat" }}]
"""


def personal(repository: str = "acme/app1", **settings: Any) -> dict[str, Any]:
    """A release with what GitHub tells about people in many places."""
    address, name, host = PERSONAL
    payload = release_payload(repository, **{"tag": "v1", **settings})
    payload["release"]["body"] = f"Thanks to {name} <{address}> on {host}"
    payload["release"]["author"] |= {"email": address, "name": name}
    payload["sender"] |= {"email": address, "name": name}
    payload["head_commit"] = {"author": {"email": address, "name": name}, "message": f"from {host}"}
    return payload


def delivery(payload: Any, secret: bytes = SECRET, event: str = "release", signature: str = "") -> RawDelivery:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": f"d-{len(body)}",
        "X-Hub-Signature-256": signature or github_signature(secret, body),
    }
    return RawDelivery.build(headers, body)


class Chat(http.server.BaseHTTPRequestHandler):
    """A chat that takes no message; ``asked`` is set once it was sent one."""

    asked: threading.Event

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.set()
        self.send_error(500)

    def log_message(self, *arguments: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture(scope="module")
def chat() -> Iterator[tuple[int, threading.Event]]:
    """The port of a chat, and whether it was sent something."""
    asked = threading.Event()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("AskedChat", (Chat,), {"asked": asked}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_port, asked
    server.shutdown()
    server.server_close()
    thread.join()


class Story:
    """A server with everything switched on, and what it and others said."""

    def __init__(self, folder: Path, form: str, chat: tuple[int, threading.Event]) -> None:
        self.folder, self.machine, self.admin, self.chat = folder, Machine(folder), free_port(), chat
        self.sent: list[RawDelivery] = []
        self.answers: list[str] = []
        self.processes: list[str] = []
        (folder / "old").write_bytes(OLD_SECRET)
        (folder / "chat").write_text(f"json://user:{CHAT}@127.0.0.1:{chat[0]}/{CHAT}?+X-Token={CHAT}")
        text = self.machine.configuration.read_text().replace(
            '{ file = "secret" }', '{ file = "secret" }, { file = "old" }'
        )
        # In front: the tables of the repositories are written behind it.
        self.machine.configuration.write_text(f"{MORE.format(admin=self.admin, form=form)}\n{text}")
        self.machine.application("app1", SCRIPT)
        self.machine.application("app2", triggers='["failing"]')

    def send(self, given: RawDelivery) -> int:
        self.sent.append(given)
        answer = self.machine.send(given)
        self.answers.append(json.dumps(dict(answer.body)))
        return answer.code

    def ask(self, path: str, token: str) -> int:
        """Ask the admin socket."""
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=20)
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        self.answers.append(f"{answer.headers}{answer.read().decode()}")
        connection.close()
        return answer.status

    def log(self, name: str = "server") -> str:
        return (self.folder / f"{name}.log").read_text()

    def tell(self) -> None:
        """From the first signature to the restart."""
        server, listener = self.machine.serve(), self.machine.listen()
        self._refused()
        self._accepted()
        until((self.folder / "environment").exists)
        self.processes += [Path(f"/proc/{process.pid}/cmdline").read_text() for process in (server, listener)]
        assert self.ask("/", "wrong") == 401
        assert [self.ask(path, TOKEN) for path in ("/", "/plugins", "/runs")] == [200, 200, 200]
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0
        self.machine.serve()
        assert self.send(delivery(personal())) == 200

    def _refused(self) -> None:
        assert self.send(delivery(personal(), b"wrong")) == 401
        assert self.send(delivery(personal(), signature="sha256=" + "0" * 64)) == 401
        assert self.send(delivery(b'{"email": "%s", ' % PERSONAL[0].encode())) == 400
        assert self.send(delivery(personal(draft=PERSONAL[0]))) == 400
        assert self.send(delivery(personal(tag=LONG))) == 400
        assert self.send(delivery(personal(), event="x" * 4_000)) == 400

    def _accepted(self) -> None:
        assert self.send(delivery(personal(), OLD_SECRET)) == 202
        assert self.send(delivery(personal("acme/app2"))) == 202
        for ignored in (personal(), personal("acme/other"), personal("x" * 1_000_000), personal(action=LONG)):
            assert self.send(delivery(ignored)) == 200
        # The run of app2 fails, and the chat that wants to know of it says no.
        until(lambda: self.machine.said("there is no value for"))
        assert self.chat[1].wait(20)


@pytest.fixture(params=["console", "json"], scope="module")
def story(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    chat: tuple[int, threading.Event],
) -> Iterator[Story]:
    """Told once for all tests, which only look at it."""
    folder = tmp_path_factory.mktemp("story")
    chat[1].clear()
    told = Story(folder, request.param, chat)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ADMIN_TOKEN", TOKEN)
        patch.chdir(folder)
        try:
            told.tell()
            yield told
        finally:
            told.machine.close()


def shown(story: Story) -> str:
    """What a debugger or a careless log line would show."""
    assembly = assemble(story.machine.configuration).require()
    contexts = [instance.context for instance in assembly.registry]
    configs = [context.config for context in contexts if context]
    assert len(configs) == 3
    return repr([assembly, assembly.configuration, *assembly.registry, *contexts, *configs])


def test_no_secret_and_nothing_personal_gets_out(story: Story) -> None:
    environment = (story.folder / "environment").read_text()
    places = {
        "the server's log": story.log(),
        "the listener's log": story.log("listener"),
        "an answer": "\n".join(story.answers),
        "a command line": "\n".join(story.processes),
        "what a deploy sees": environment,
        "a command": story.machine.command("runs", "list") + story.machine.command("deliveries", "list"),
        "a repr": shown(story),
    }
    keys = (SECRET, OLD_SECRET)
    digests = {github_signature(key, sent.body, prefix="") for key in keys for sent in story.sent}
    claimed = {value.partition("=")[2] for sent in story.sent for value in sent.values("X-Hub-Signature-256")}
    words = {SECRET.decode(), OLD_SECRET.decode(), TOKEN, CHAT, *digests, *claimed, *PERSONAL}
    assert [(place, word) for place, text in places.items() for word in words if word in text] == []
    # The environment was looked at, and is the listener's own but for what scripts need.
    assert "DUCT_TAPE_TAG=v1\n" in environment
    assert "ADMIN_TOKEN" not in environment
    assert len(story.processes) == 2


def test_each_event_is_one_line_of_bounded_length(story: Story) -> None:
    lines = story.log().splitlines()
    assert len(lines) > 10
    assert [line for line in lines if not line.isprintable() or line.startswith(FORGED_LINE)] == []
    assert max(map(len, lines)) < 12_000
    assert all(json.loads(line)["level"] if line.startswith("{") else line.startswith("20") for line in lines)
