"""A machine as an operator has one: a server, a listener, and applications that each have a bin/deploy."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import define, field, frozen
from tests.server_support import free_port

from duct_tape.api import RawDelivery
from duct_tape_github import receive
from duct_tape_github.sample import release_payload
from signing import github_signature

ROOT = Path(__file__).parents[2]
SECRET = b"a secret of this test"
LISTENERS = {
    "python": [sys.executable, "-m", "duct_tape", "listen"],
    "bash": [str(ROOT / "scripts" / "listen")],
}
CONFIGURATION = """
[server]
bind = ["127.0.0.1:{port}"]
shutdown_timeout = 3
[triggers.deploy]
action = "touch-file"
filename = "{{{{ application }}}}"
[plugins.touch-file]
[plugins.github]
secrets = [{{ file = "secret" }}]
triggers = ["deploy"]
"""
# One short line is appended in one piece, whoever else appends.
DEPLOY = """#!/bin/sh
echo "$(basename "$PWD") $DUCT_TAPE_TAG" >>'{record}'
"""


@frozen
class Answer:
    """What the sender sees."""

    code: int
    body: Mapping[str, Any]
    seconds: float

    @property
    def status(self) -> str:
        return str(self.body["status"])

    @property
    def run(self) -> str:
        """The id of the one run."""
        [run] = self.body["runs"]
        return str(run["id"])


def until(true: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} seconds"
        time.sleep(0.005)


def signed(repository: str, secret: bytes = SECRET, **release: Any) -> RawDelivery:
    """A release as GitHub sends it."""
    body = json.dumps(release_payload(repository, **release)).encode()
    delivery = receive.simulated("release", body)
    return RawDelivery.build([*delivery.headers, (receive.SIGNATURE, github_signature(secret, body))], body)


@define(eq=False)
class Machine:
    """One folder with everything in it.

    :param started: all processes, so that whatever happens none is left.
    """

    folder: Path
    port: int = field(factory=free_port, init=False)
    started: list[subprocess.Popen[bytes]] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        self.volume.mkdir(mode=0o2770)
        (self.folder / "applications").mkdir()
        (self.folder / "secret").write_bytes(SECRET)
        self.configuration.write_text(CONFIGURATION.format(port=self.port))

    @property
    def volume(self) -> Path:
        return self.folder / "shared_volume"

    @property
    def configuration(self) -> Path:
        return self.folder / "duct_tape.toml"

    @property
    def record(self) -> Path:
        return self.folder / "deployed"

    def deployed(self) -> list[str]:
        """The lines that the deploys wrote: application and tag."""
        return self.record.read_text().splitlines() if self.record.exists() else []

    def application(self, name: str, script: str = DEPLOY, **settings: str) -> None:
        """An application ``name``, for releases of the repository ``acme/name``."""
        path = self.folder / "applications" / name / "bin" / "deploy"
        path.parent.mkdir(parents=True)
        path.write_text(script.format(record=self.record, folder=self.folder, python=sys.executable))
        path.chmod(0o755)
        lines = [f'[plugins.github.repositories."acme/{name}"]', f'application = "{name}"']
        with self.configuration.open("a") as file:
            file.write("\n".join([*lines, *(f"{key} = {value}" for key, value in settings.items())]) + "\n")

    def serve(self) -> subprocess.Popen[bytes]:
        """Start the server and wait until it answers."""
        command = [sys.executable, "-m", "duct_tape", "serve", "--config", self.configuration.name]
        server = self._start("server", command)
        (self.folder / "server.pid").write_text(f"{server.pid}\n")
        until(self.answers)
        return server

    def listen(self, form: str = "python") -> subprocess.Popen[bytes]:
        """Start a listener and wait until it looks after the volume."""
        heartbeat = self.volume / ".listener.json"
        heartbeat.unlink(missing_ok=True)
        paths = ["--volume", self.volume.name, "--applications", "applications"]
        listener = self._start("listener", [*LISTENERS[form], *paths])
        until(heartbeat.exists)
        return listener

    def command(self, *arguments: str) -> str:
        """What a command says that works beside the server."""
        command = [sys.executable, "-m", "duct_tape", *arguments, "--config", self.configuration.name]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=True, timeout=60)
        return done.stdout

    def answers(self, path: str = "/healthz") -> bool:
        try:
            return self._request("GET", path).code == 200
        except OSError:
            return False

    def send(self, delivery: RawDelivery) -> Answer:
        """Deliver it, on a connection of its own."""
        return self._request("POST", "/integrations/github", delivery)

    def release(self, name: str, tag: str, **more: Any) -> Answer:
        """A signed release of the application ``name``."""
        return self.send(signed(f"acme/{name}", tag=tag, **more))

    def said(self, text: str) -> bool:
        """Whether the server's log holds the text."""
        return text in (self.folder / "server.log").read_text()

    def result(self, run: str) -> dict[str, Any]:
        """What the listener wrote about a run so far."""
        path = self.volume / ".results" / f"{run}.json"
        return dict(json.loads(path.read_text())) if path.exists() else {}

    def until_ended(self, run: str) -> dict[str, Any]:
        """The result of a run whose deploy has ended."""
        until(lambda: self.result(run).get("state", "deploying") != "deploying")
        return self.result(run)

    def flags(self) -> list[str]:
        """Flags that nobody has taken."""
        return sorted(path.name for path in self.volume.iterdir() if not path.name.startswith("."))

    def close(self) -> None:
        """End everything that was started here, also by a bin/deploy."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.wait(20)
        pid = int((self.folder / "server.pid").read_text()) if (self.folder / "server.pid").exists() else 0
        if pid and pid not in {process.pid for process in self.started}:
            os.kill(pid, signal.SIGKILL)

    def _start(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.started.append(process)
        return process

    def _request(self, method: str, path: str, delivery: RawDelivery | None = None) -> Answer:
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            headers = dict(delivery.headers) if delivery else {}
            connection.request(method, path, delivery.body if delivery else None, headers)
            answer = connection.getresponse()
            body = json.loads(answer.read())
        finally:
            connection.close()
        return Answer(answer.status, body, time.monotonic() - began)
