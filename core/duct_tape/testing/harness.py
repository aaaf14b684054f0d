"""A whole server in a folder of its own, in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.testclient import TestClient

from duct_tape.assembly import Assembly, assemble
from duct_tape.dispatch import Dispatcher
from duct_tape.flags import Flag
from duct_tape.journal import Journal
from duct_tape.journal.sqlite import open_journal
from duct_tape.plugins.instance import Instance
from duct_tape.results import Result, State
from duct_tape.retry import Retry
from duct_tape.runs import WITH_LISTENER, Run
from duct_tape.sample import Sample
from duct_tape.senders import sample_delivery
from duct_tape.testing.clock import FakeClock
from duct_tape.web.app import build_app

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")

IMPATIENT = Retry(attempts=3, age=1.0, base=0.005, cap=0.1)


class Harness:
    """A server with everything that belongs to it: journal, dispatcher, shared volume, plugins.

    Used as a context manager: entering starts the server and the plugins' lifespans, leaving stops them.
    Building a second one in the same folder is a restart: journal and volume are still there. ::

        def test_a_release_becomes_a_run(tmp_path):
            with Harness(tmp_path, CONFIGURATION, plugins={"mine": my_plugin}) as harness:
                answer = harness.post("mine", {"version": "1.2.3"})
                harness.settle()
            assert answer.status_code == 202
            assert harness.flags().keys() == {"hello.example.com"}

    :param folder: an empty folder, such as pytest's ``tmp_path``.
    :param configuration: the text of ``duct_tape.toml``, without ``[volume]`` and ``[journal]``: they are in
        the folder.
    :param plugins: modules or objects by plugin name, offered beside the installed plugins.
    :param retry: when failed attempts are repeated; by default nearly at once and for a second at most.
    :param clock: stands in for the machine's clock while the server runs.
    :raises ConfigurationError: the configuration is wrong.
    """

    def __init__(
        self,
        folder: Path,
        configuration: str,
        *,
        plugins: Mapping[str, Any] | None = None,
        retry: Retry = IMPATIENT,
        clock: FakeClock | None = None,
    ) -> None:
        self.volume = folder / "shared_volume"
        self.journal = folder / "var" / "journal.sqlite3"
        self.assembly: Assembly = assemble(self._write(folder / "conf", configuration), plugins).require()
        self._retry = retry
        self._clock = clock
        self._stack = ExitStack()
        self._client: TestClient | None = None

    def __enter__(self) -> Harness:
        conf = self.assembly.configuration.core.journal
        app = build_app(self.assembly, open_journal(conf), self._retry)
        with ExitStack() as stack:
            if self._clock is not None:
                stack.enter_context(self._clock.running())
            client = TestClient(app, base_url="http://duct-tape.test", follow_redirects=False)
            self._client = stack.enter_context(client)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._client = None
        self._stack.__exit__(kind, error, traceback)

    @property
    def client(self) -> TestClient:
        """An HTTP client of the server; nothing goes over a socket.

        :raises RuntimeError: the server is not running.
        """
        if self._client is None:
            raise RuntimeError("the server is not running: use the harness in a `with` statement")
        return self._client

    def post(self, instance: str, body: Any, headers: Mapping[str, str] | None = None) -> httpx2.Response:
        """Send a delivery to ``/integrations/<instance>``.

        :param body: bytes or text as they are, anything else as JSON.
        """
        content = body if isinstance(body, bytes | str) else json.dumps(body)
        given = {"Content-Type": "application/json", **(headers or {})}
        return self.client.post(f"/integrations/{instance}", content=content, headers=given)

    def send(self, instance: str, sample: Sample | None = None, *, signed: bool = True) -> httpx2.Response:
        """Send what the integration's sender would send, signed as that sender signs.

        ::

            harness.send("gitea", Sample(repository="acme/site", tag="v1.2.3"))

        :param sample: what the delivery tells of; by default a release of the first repository that is configured.
        :param signed: False for a delivery of somebody who does not know the secret.
        :raises DuctTapeError: there is no such integration, or its receiver has no sample.
        """
        delivery = sample_delivery(self.assembly, instance, sample, signed=signed)
        path = f"/integrations/{instance}{delivery.path}"
        # Bytes, since a token may have letters outside ASCII.
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in delivery.headers]
        return self.client.post(path, content=delivery.body, headers=headers)

    def settle(self, seconds: float = 10.0) -> None:
        """Wait until no run is waiting and all plugins have been told.

        :raises TimeoutError: that took longer.
        """
        dispatcher: Dispatcher = self._state.intake.dispatcher

        async def settled() -> None:
            async with asyncio.timeout(seconds):
                await dispatcher.settle()

        self.call(settled)

    def advance(self, seconds: float) -> None:
        """Let time pass on the ``clock``, and begin at once what is due then.

        :raises RuntimeError: the harness was made without a clock.
        """
        if self._clock is None:
            raise RuntimeError("the harness has no clock: Harness(..., clock=FakeClock())")
        self._clock.advance(seconds)
        self.call(self._state.intake.dispatcher.look)

    def deploy(self, name: str, *, exit_code: int = 0, output: str = "") -> Run:
        """Play the host: take the flag ``name``, and answer as the listener does after ``bin/deploy``.

        :return: the run, once the server knows how its deploy ended.
        :raises AssertionError: there is no such flag, or it is none of Duct Tape's own.
        :raises TimeoutError: the server does not follow the flag, such as with ``expect_listener = false``.
        """
        path = self.volume / name
        flag = Flag.parse(path.read_bytes()) if path.is_file() else None
        if flag is None:
            raise AssertionError(f"there is no flag {name} to deploy; there are: {', '.join(self.flags()) or 'none'}")
        path.unlink()
        state: State = "failed" if exit_code else "deployed"
        result = Result.of(flag, state, exit_code=exit_code, output=output)
        (self.volume / ".results").mkdir(exist_ok=True)
        (self.volume / ".results" / f"{flag.run}.json").write_bytes(result.to_line())
        return self.call(lambda: self._ended(flag.run))

    async def _ended(self, number: str, seconds: float = 10.0) -> Run:
        journal: Journal = self._state.intake.journal
        async with asyncio.timeout(seconds):
            while True:
                run = await journal.find(number)
                if run is not None and run.state not in WITH_LISTENER:
                    return run
                await asyncio.sleep(0.01)

    def runs(self) -> list[Run]:
        """All runs as the journal has them, oldest first."""

        journal: Journal = self._state.intake.journal
        return self.call(lambda: journal.recent(1000))[::-1]

    def flags(self) -> dict[str, str]:
        """The flags in the shared volume: content by name."""
        files = (path for path in self.volume.iterdir() if path.is_file() and not path.name.startswith("."))
        return {path.name: path.read_text("utf-8") for path in sorted(files)}

    def assert_runs(self, *expected: tuple[str, str]) -> None:
        """Hold the runs to be exactly these: application and state of each, in the order of their arrival.

        :raises AssertionError: they are others; the text tells each with its detail.
        """
        runs = self.runs()
        told = "".join(f"\n  {run.application}: {run.state} ({run.detail})" for run in runs) or " none"
        if [(run.application, str(run.state)) for run in runs] != list(expected):
            raise AssertionError(f"the runs are:{told}")

    def assert_flags(self, *names: str) -> None:
        """Hold the flags in the shared volume to be exactly these, in any order.

        :raises AssertionError: they are others.
        """
        found = sorted(self.flags())
        if found != sorted(names):
            raise AssertionError(f"the flags are: {', '.join(found) or 'none'}")

    def call(self, function: Callable[[], Awaitable[T]]) -> T:
        """The result of an asynchronous function without arguments, called on the server's event loop."""
        portal = self.client.portal
        assert portal is not None
        return portal.call(function)

    def instance(self, name: str) -> Instance:
        """The instance of a plugin, for what it says of itself: ``on``, ``failed_stage``, ``failure``.

        :raises KeyError: the configuration names no such instance.
        """
        found = self.assembly.instance(name)
        if found is None:
            raise KeyError(name)
        return found

    @property
    def _state(self) -> Any:
        app: Any = self.client.app
        return app.state

    def _write(self, folder: Path, configuration: str) -> Path:
        (folder / "conf.d").mkdir(parents=True, exist_ok=True)
        self.volume.mkdir(exist_ok=True)
        paths = {"volume": self.volume, "journal": self.journal}
        drop_in = "".join(f"[{section}]\npath = {json.dumps(str(path))}\n" for section, path in paths.items())
        (folder / "conf.d" / "harness.toml").write_text(drop_in, "utf-8")
        path = folder / "duct_tape.toml"
        path.write_text(configuration, "utf-8")
        return path
