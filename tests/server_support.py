"""What the tests of the server share: plugins made of a few functions, and a sender without cryptography."""

from __future__ import annotations

import asyncio
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

from attrs import frozen

from duct_tape.api import (
    Action,
    Decision,
    Event,
    Ignored,
    Outcome,
    PlannedRun,
    Pong,
    RawDelivery,
    Receiver,
    ReceiverRoute,
    Release,
    Run,
    Runs,
    RunState,
    SignatureError,
    hookimpl,
    member,
    parse_json,
)
from duct_tape.testing import Harness

CONFIGURATION = """
[triggers.deploy]
action = "record"
[plugins.recorder]
[plugins.sender]
"""


def plugin(api: object = (1, 0), **hooks: Callable[..., Any]) -> ModuleType:
    """A plugin with these hooks, named without their prefix."""
    module = ModuleType("a_plugin")
    vars(module)["DUCT_TAPE_API"] = api
    vars(module).update({f"ducttape_{name}": hookimpl(function) for name, function in hooks.items()})
    return module


@frozen
class NoSettings:
    """The settings of an action without any."""


class Recorder:
    """A plugin whose action ``record`` keeps the runs that it is given."""

    def __init__(self, perform: Callable[[Run], Any] | None = None) -> None:
        self.runs: list[Run] = []
        self._perform = perform
        self.module = plugin(actions=lambda ctx: self.offered())

    @property
    def applications(self) -> list[str]:
        return [run.application for run in self.runs]

    def offered(self) -> Mapping[str, Action[NoSettings]]:
        return {"record": Action(settings=NoSettings, perform=self.perform, preview=lambda run, settings: {})}

    async def perform(self, run: Run, settings: NoSettings) -> Outcome:
        self.runs.append(run)
        answer = self._perform(run) if self._perform else None
        answer = await answer if asyncio.iscoroutine(answer) else answer
        return answer or Outcome(state=RunState.DONE, detail="recorded")


@frozen
class Checked:
    """A verifier that is one function."""

    verify: Callable[[RawDelivery], None]

    def admit(self, delivery: RawDelivery) -> None:
        """The function decides, once the body is there."""

    def sign(self, delivery: RawDelivery) -> RawDelivery:
        return delivery.with_header("signature", "good")


def verify(delivery: RawDelivery) -> None:
    if delivery.values("signature") != ("good",):
        raise SignatureError("the signature is missing or wrong")


def parse(delivery: RawDelivery) -> Event:
    payload = parse_json(delivery.body)
    return event(member(payload, "delivery", str), payload=payload, name=payload.get("event", "release"))


def decide(event: Event) -> Decision:
    payload = event.payload
    if event.name == "ping":
        return Pong(configured=True, message="hello")
    if event.name != "release":
        return Ignored(reason=f"{event.name} is not used")
    planned = (PlannedRun(application=name, trigger="deploy") for name in payload.get("applications", ["app"]))
    return Runs(runs=tuple(planned), **{key: payload[key] for key in ("key", "version", "title") if key in payload})


def sender(**functions: Callable[..., Any]) -> ModuleType:
    """An integration whose deliveries are signed by ``signature: good``; the body says what to do."""
    chosen: dict[str, Any] = {"verify": verify, "parse": parse, "decide": decide, **functions}
    receiver = Receiver(verifier=Checked(chosen.pop("verify")), **chosen)
    return plugin(routes=lambda ctx: [ReceiverRoute(receiver)])


def event(delivery: str = "d-1", **members: Any) -> Event:
    """An event of ``acme/site``."""
    given: dict[str, Any] = {"name": "release", "repository": "acme/site", **members}
    return Event(delivery=delivery, release=Release(id="1", tag="v1"), **given)


def run(number: int = 1, application: str = "app", **members: Any) -> Run:
    """A run that no journal has seen."""
    given: dict[str, Any] = {
        "instance": "sender",
        "trigger": "deploy",
        "event": event(f"d-{number}"),
        "created_at": time.time(),
    }
    return Run(id=f"run-{number}", application=application, **{**given, **members})


def deliver(harness: Harness, delivery: str = "d-1", **members: Any) -> Any:
    """Post a signed delivery to the sender's integration."""
    return harness.post("sender", {"delivery": delivery, **members}, {"signature": "good"})


def with_mine(
    start: Callable[..., Harness], module: ModuleType, text: str = "", recorder: Recorder | None = None
) -> Harness:
    """A server with a recorder, a sender and one plugin more, called ``mine``."""
    plugins = {"recorder": (recorder or Recorder()).module, "sender": sender(), "mine": module}
    return start(f"{CONFIGURATION}[plugins.mine]\n{text}", plugins=plugins)


def assert_only_mine_is_off(harness: Harness, messages: list[str], stage: str, text: str) -> None:
    """The plugin is off, its mount answers 503, one line says why, and the rest of the server works."""
    mine = harness.instance("mine")
    assert (mine.failed_stage, mine.failure) == (stage, text)
    assert [message for message in messages if "is off" in message] == [
        f"plugin mine (object 0) is off: {stage}: {text}"
    ]
    answer = harness.client.post("/integrations/mine")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert harness.client.get("/readyz").status_code == 503
    assert harness.client.get("/healthz").status_code == 200
    assert deliver(harness).status_code == 202
    harness.settle()
    assert [run.state for run in harness.runs()] == ["done"]


_kept: deque[socket.socket] = deque()


def free_port() -> int:
    """A port on which nobody listens, and that no other test is given meanwhile.

    The system gives it to nobody who wants any port, as long as a socket is bound to it; a server may still listen.
    """
    probe = socket.socket()
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind(("127.0.0.1", 0))
    _kept.append(probe)
    if len(_kept) > 50:
        _kept.popleft().close()
    port: int = probe.getsockname()[1]
    return port


class Server:
    """A ``duct-tape serve`` in a process of its own, whose log lines can be waited for."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port
        self.lines: list[str] = []
        self._fresh: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._fresh.put(line)
        self._fresh.put(None)

    def wait_for(self, text: str, seconds: float = 15.0) -> str:
        """The next log line that holds ``text``."""
        while (line := self._fresh.get(timeout=seconds)) is not None:
            self.lines.append(line)
            if text in line:
                return line
        raise AssertionError(f"the server ended without saying {text!r}: {''.join(self.lines)}")

    def stop(self, number: int = signal.SIGTERM, seconds: float = 15.0) -> int:
        """Send a signal, wait for the end and return the exit code."""
        self.process.send_signal(number)
        return self.ended(seconds)

    def ended(self, seconds: float = 15.0) -> int:
        code = self.process.wait(seconds)
        self._reader.join(seconds)
        while not self._fresh.empty():
            line = self._fresh.get_nowait()
            self.lines += [line] if line else []
        return code

    @property
    def log(self) -> str:
        """All lines that were waited for, and after the end all that there were."""
        return "".join(self.lines)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=15)

    def exchange(self, request: bytes) -> bytes:
        """Everything that the server sends to a raw request until it closes the connection."""
        with self.connect() as connection:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(65536), b""))


SERVE = """
import asyncio
from pathlib import Path
from duct_tape import logs
from duct_tape.assembly import assemble
from duct_tape.web.serve import serve
from tests.server_support import *

logs.configure("info", "console")
plugins = {"recorder": Recorder().module, "sender": sender()}
"""


@contextmanager
def serving(folder: Path, text: str = "", script: str = "", configuration: str = CONFIGURATION) -> Iterator[Server]:
    """A server in a process of its own, killed at the end if need be.

    :param text: more of the configuration, in front of the rest. It may begin with ``bind``.
    :param configuration: the triggers and plugins.
    :param script: Python that changes ``plugins`` before they are loaded.
    """
    port = free_port()
    (folder / "volume").mkdir(exist_ok=True)
    sections = f'[volume]\npath = "volume"\n[journal]\npath = "journal.sqlite3"\n{configuration}'
    bind = "[server]\n" + ("" if text.startswith("bind") else f'bind = ["127.0.0.1:{port}"]\n')
    (folder / "duct_tape.toml").write_text(f"{bind}{text}\n{sections}")
    code = f"{SERVE}{dedent(script)}\nserve(assemble(Path('duct_tape.toml'), plugins).require())"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=folder, env=environment, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    with process.stderr:
        server = Server(process, port)
        try:
            server.wait_for("serves on")
            yield server
        finally:
            if process.poll() is None:
                process.kill()
            server.ended()
