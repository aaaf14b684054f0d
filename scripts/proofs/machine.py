"""A machine for a proof: one folder with a server, a listener and applications."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from proofs.outcome import ProofError

SECRET = b"only for this proof"
# A machine that is busy with something else is no broken promise.
PATIENCE = 120.0

CONFIGURATION = """
[server]
bind = ["127.0.0.1:{port}"]
[log]
level = "warning"
[volume]
path = "disk/shared_volume"
[journal]
path = "disk/var/journal.sqlite3"
# All of them are counted at the end.
keep_runs = 100000000
[triggers.deploy]
action = "touch-file"
[plugins.touch-file]
[plugins.github]
secrets = [{{ file = "secret" }}]
triggers = ["deploy"]
"""
APPLICATION = '[plugins.github.repositories."acme/{name}"]\napplication = "{name}"\n'
# One write of one line, so that the lines of deploys beside each other do not mix.
DEPLOY = '#!/bin/sh\necho "$DUCT_TAPE_APPLICATION $DUCT_TAPE_RUN $DUCT_TAPE_TAG" >>"{record}"\n'


class Victim:
    """A process that is ended and started again.

    :param environment: added to this process's own.
    """

    def __init__(self, folder: Path, name: str, command: Sequence[str], works: Callable[[], bool]) -> None:
        self.name, self.command, self.environment = name, list(command), dict[str, str]()
        self.process: subprocess.Popen[bytes] | None = None
        self.kills = 0
        self._folder, self._works = folder, works

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else 0

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def spawn(self) -> None:
        """Start it."""
        with (self._folder / f"{self.name}.log").open("ab") as log:
            environment = {**os.environ, **self.environment}
            self.process = subprocess.Popen(
                self.command, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
            )

    def start(self) -> None:
        """Start it and wait until it works.

        :raises ProofError: it ended, or does not work for very long.
        """
        self.spawn()
        until(lambda: self._works() or not self.alive, f"the {self.name} does not work\n{self.log()}")
        if not self.alive:
            raise ProofError(f"the {self.name} ended by itself\n{self.log()}")

    def kill(self, number: int = signal.SIGKILL) -> None:
        """End it and wait until it is gone."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(PATIENCE)
            self.kills += number == signal.SIGKILL

    def log(self) -> str:
        """The end of what it logged."""
        path = self._folder / f"{self.name}.log"
        return path.read_text(errors="replace")[-2000:] if path.exists() else ""


class Machine:
    """Everything that a proof needs, below one folder; ``disk`` is the part that can fail."""

    def __init__(self, folder: Path, applications: int) -> None:
        self.folder = folder.resolve()
        self.port = free_port()
        self.names = [f"app{number}" for number in range(applications)]
        self.disk = self.folder / "disk"
        self.volume = self.disk / "shared_volume"
        self.journal = self.disk / "var/journal.sqlite3"
        self.record = self.folder / "deployed"
        self._write()
        duct_tape = [sys.executable, "-m", "duct_tape"]
        serve = [*duct_tape, "serve", "--config", "duct_tape.toml"]
        listen = [*duct_tape, "listen", "--volume", "disk/shared_volume", "--applications", "applications"]
        self.server = Victim(self.folder, "server", serve, self.answers)
        self.listener = Victim(self.folder, "listener", listen, self.listens)

    @property
    def victims(self) -> tuple[Victim, Victim]:
        return self.server, self.listener

    def preload(self, environment: Mapping[str, str]) -> None:
        """Start both with these variables from now on."""
        for victim in self.victims:
            victim.environment |= environment

    def start(self) -> None:
        """Start both and wait until they work."""
        for victim in self.victims:
            victim.start()

    def close(self) -> None:
        """End both, whatever happened."""
        for victim in self.victims:
            victim.kill()

    def answers(self) -> bool:
        return self.get("/healthz") == 200

    def get(self, path: str) -> int:
        """The status of the answer; 0 when there is none."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def listens(self) -> bool:
        heartbeat = self.volume / ".listener.json"
        return heartbeat.exists() and f'"pid": {self.listener.pid},' in heartbeat.read_text()

    def deploys(self) -> list[tuple[str, str, str]]:
        """Application, run and tag of every deploy, in the order in which they were done."""
        lines = self.record.read_text().splitlines() if self.record.exists() else []
        return [(name, run, tag) for name, run, tag in map(str.split, lines)]

    def _write(self) -> None:
        self.volume.mkdir(parents=True)
        self.volume.chmod(0o2770)
        (self.folder / "secret").write_bytes(SECRET)
        text = CONFIGURATION.format(port=self.port)
        (self.folder / "duct_tape.toml").write_text(text + "".join(APPLICATION.format(name=n) for n in self.names))
        for name in self.names:
            script = self.folder / f"applications/{name}/bin/deploy"
            script.parent.mkdir(parents=True)
            script.write_text(DEPLOY.format(record=self.record))
            script.chmod(0o755)


def until(true: Callable[[], object], otherwise: str, seconds: float = PATIENCE, pause: float = 0.01) -> None:
    """Wait until something is so.

    :raises ProofError: it is not within ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise ProofError(f"not within {seconds:g} seconds: {otherwise}")
        time.sleep(pause)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
