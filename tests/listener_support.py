"""A host for the tests of the listener: a volume, applications, and both forms of the listener itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from attrs import define, field

from duct_tape.flags import Flag
from duct_tape.volume import Volume

ROOT = Path(__file__).parents[1]
COMMANDS = {
    "python": [sys.executable, "-W", "error", "-m", "duct_tape", "listen"],
    "shell": [str(ROOT / "scripts" / "listen")],
}
HOLD = "until [ -e go ]; do sleep 0.05; done"  # A deploy that lasts until its test lets it go.

T = TypeVar("T")


def until(found: Callable[[], T], seconds: float = 15.0) -> T:
    """The first true value of ``found()``; an error when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := found():
            return value
        time.sleep(0.01)  # Between two looks at a file: there is no event to wait for across processes.
    raise AssertionError(f"not within {seconds} s")


def runs(pid: int) -> bool:
    """Whether a process still runs; one that only waits to be noticed does not."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


@define(eq=False)
class Listener:
    """A running listener."""

    process: subprocess.Popen[bytes]
    log_file: Path

    def log(self) -> str:
        return self.log_file.read_text(errors="surrogateescape")

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)


@define(eq=False)
class Host:
    """What a machine has: a shared volume and a folder of applications.

    :param form: which of the two listeners ``start`` starts.
    """

    root: Path
    form: str = "python"
    listeners: list[Listener] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.applications.mkdir()
        self.make_volume()

    @property
    def volume(self) -> Path:
        return self.root / "shared volume"

    @property
    def applications(self) -> Path:
        return self.root / "applications"

    def make_volume(self) -> None:
        self.volume.mkdir()
        self.volume.chmod(0o2770)

    def application(self, name: str, script: str = "") -> Path:
        """An application whose ``bin/deploy`` writes a line into ``runs`` and then does ``script``."""
        deploy = self.applications / name / "bin" / "deploy"
        deploy.parent.mkdir(parents=True)
        deploy.write_text(f'#!/bin/sh\necho "${{DUCT_TAPE_TAG:-none}}" >>runs\n{script}\n')
        deploy.chmod(0o755)
        return deploy.parent.parent

    def runs(self, name: str) -> list[str]:
        """The tags that were deployed."""
        file = self.applications / name / "runs"
        return file.read_text().split("\n")[:-1] if file.exists() else []

    def flag(self, name: str, tag: str = "", *, run: str = "", content: bytes | None = None) -> None:
        """Leave a flag as the container does: under another name first, then renamed."""
        flag = Flag(run=run or f"run-{tag}", application=name, tag=tag, repository="o/r", url="https://example.com/r")
        temporary = self.volume / f".tmp-{os.urandom(4).hex()}"
        temporary.write_bytes(flag.to_line().encode() if content is None else content)
        temporary.rename(self.volume / name)

    def start(self, *options: str, form: str = "", **environment: str) -> Listener:
        """Start a listener and wait until it has looked for the first time."""
        heartbeat = self.volume / ".listener.json"
        before = heartbeat.stat().st_ino if heartbeat.exists() else None
        listener = self.launch(*options, form=form, **environment)
        until(lambda: listener.process.poll() is not None or (heartbeat.exists() and heartbeat.stat().st_ino != before))
        assert listener.process.poll() is None, listener.log()
        return listener

    def launch(self, *options: str, form: str = "", **environment: str) -> Listener:
        """Start a listener without waiting."""
        command = [*COMMANDS[form or self.form], "--volume", str(self.volume), "--applications", str(self.applications)]
        log_file = self.root / f"listener-{len(self.listeners)}.log"
        with log_file.open("wb") as log:
            process = subprocess.Popen(
                [*command, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": f"{ROOT / 'core'}:{ROOT / 'plugins'}", **environment},
            )
        listener = Listener(process, log_file)
        self.listeners.append(listener)
        return listener

    def once(self, *options: str, **environment: str) -> tuple[int, str]:
        """Exit code and log of ``listen --once``."""
        listener = self.launch("--once", *options, **environment)
        return listener.process.wait(30), listener.log()

    def result(self, run: str) -> dict[str, Any]:
        """What the listener said last about a run; nothing if it said nothing yet."""
        file = self.volume / ".results" / f"{run}.json"
        return dict(json.loads(file.read_text())) if file.exists() else {}

    def results(self) -> list[dict[str, Any]]:
        return [self.result(file.stem) for file in sorted((self.volume / ".results").glob("*.json"))]

    def state(self, run: str, state: str, seconds: float = 15.0) -> dict[str, Any]:
        """Wait until a run has a state; gives the result."""
        until(lambda: self.result(run).get("state") == state, seconds)
        return self.result(run)

    def cancel(self, run: str) -> None:
        """Ask for the end of a run as the container does."""
        Volume(self.volume).request_cancel(run)

    def requests(self) -> list[str]:
        return sorted(os.listdir(self.volume / ".cancel"))

    def at_top(self) -> list[str]:
        return sorted(name for name in os.listdir(self.volume) if not name.startswith("."))

    def aside(self) -> list[str]:
        folder = self.volume / ".set-aside"
        return sorted(os.listdir(folder)) if folder.exists() else []

    def claims(self) -> list[str]:
        folder = self.volume / ".running"
        return sorted(name for name in os.listdir(folder) if not name.startswith(".")) if folder.exists() else []

    def close(self) -> None:
        for listener in self.listeners:
            # Every signal after the first one says: now.
            until(partial(_ended, listener.process), 20)


def _ended(process: subprocess.Popen[bytes]) -> bool:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(0.1)
    except subprocess.TimeoutExpired:
        return False
    return True
