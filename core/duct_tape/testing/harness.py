"""A whole server in a folder of its own, in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.testclient import TestClient

from duct_tape.assembly import Assembly, assemble
from duct_tape.dispatch import Dispatcher, Retry
from duct_tape.journal import Journal
from duct_tape.journal.sqlite import open_journal
from duct_tape.plugins.instance import Instance
from duct_tape.runs import Run
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
    :raises ConfigurationError: the configuration is wrong.
    """

    def __init__(
        self,
        folder: Path,
        configuration: str,
        *,
        plugins: Mapping[str, Any] | None = None,
        retry: Retry = IMPATIENT,
    ) -> None:
        self.volume = folder / "shared_volume"
        self.journal = folder / "var" / "journal.sqlite3"
        self.assembly: Assembly = assemble(self._write(folder / "conf", configuration), plugins).require()
        self._retry = retry
        self._client: TestClient | None = None

    def __enter__(self) -> Harness:
        conf = self.assembly.configuration.core.journal
        app = build_app(self.assembly, open_journal(conf), self._retry)
        self._client = TestClient(app, base_url="http://duct-tape.test", follow_redirects=False)
        self._client.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.client.__exit__(kind, error, traceback)
        self._client = None

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

    def settle(self, seconds: float = 10.0) -> None:
        """Wait until no run is waiting and all plugins have been told.

        :raises TimeoutError: that took longer.
        """
        dispatcher: Dispatcher = self._state.intake.dispatcher

        async def settled() -> None:
            async with asyncio.timeout(seconds):
                await dispatcher.settle()

        self.call(settled)

    def runs(self) -> list[Run]:
        """All runs as the journal has them, oldest first."""

        journal: Journal = self._state.intake.journal
        return self.call(lambda: journal.recent(1000))[::-1]

    def flags(self) -> dict[str, str]:
        """The flags in the shared volume: content by name."""
        files = (path for path in self.volume.iterdir() if path.is_file() and not path.name.startswith("."))
        return {path.name: path.read_text("utf-8") for path in sorted(files)}

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
