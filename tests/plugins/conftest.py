"""A server in this process, and deliveries as GitHub makes them."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

import httpx2
import pytest
from attrs import define
from starlette.testclient import TestClient

from duct_tape.api import Run
from duct_tape.assembly import Assembly, assemble
from duct_tape.journal.sqlite import SQLiteJournal
from duct_tape.web.app import build_app
from signing import github_signature

# Of GitHub's documentation, and of signatures.json beside the real payloads.
SECRET = b"a secret of this test"

CONFIGURATION = """
[volume]
path = "{folder}/volume"
[journal]
path = "{folder}/journal.sqlite3"
[triggers.deploy]
action = "touch-file"
[plugins.touch-file]
"""
REPOSITORIES = """
[plugins.github]
secrets = [{{ file = "{folder}/secret" }}]
triggers = ["deploy"]
[plugins.github.repositories."acme/site"]
application = "site.example.com"
"""

Configure: TypeAlias = Callable[..., Assembly]
Start: TypeAlias = Callable[..., "Server"]


@define(eq=False)
class Server:
    """A running application; requests go to it without a socket."""

    client: TestClient
    journal: SQLiteJournal
    volume: Path

    def post(
        self,
        body: Mapping[str, Any] | bytes,
        event: str = "release",
        *,
        secret: bytes = SECRET,
        instance: str = "github",
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        """One signed delivery."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(
            f"/integrations/{instance}",
            content=content,
            headers={
                "Content-Type": "application/json",
                "X-GitHub-Event": event,
                "X-GitHub-Delivery": str(uuid.uuid4()),
                "X-Hub-Signature-256": github_signature(secret, content),
                **(headers or {}),
            },
        )

    def runs(self) -> Sequence[Run]:
        """All runs, oldest first, once there is nothing left to carry out."""
        portal = self.client.portal
        assert portal is not None
        found: list[Run] = portal.call(self._settled)
        return found[::-1]

    async def _settled(self) -> list[Run]:
        async with asyncio.timeout(10):
            while (await self.journal.counts()).get("accepted"):  # noqa: ASYNC110 - the journal tells nobody
                await asyncio.sleep(0.001)
        return await self.journal.recent(1000)


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """Assemble a configuration: the basics and the text that is given."""
    (tmp_path / "secret").write_bytes(SECRET)
    (tmp_path / "volume").mkdir()

    def assembled(text: str = REPOSITORIES) -> Assembly:
        path = tmp_path / "duct_tape.toml"
        path.write_text((CONFIGURATION + text).format(folder=tmp_path))
        return assemble(path)

    return assembled


@pytest.fixture
def start(configure: Configure) -> Iterator[Start]:
    """Start a server with a configuration."""
    with ExitStack() as stack:

        def started(text: str = REPOSITORIES) -> Server:
            assembly = configure(text).require()
            journal = SQLiteJournal(assembly.configuration.core.journal.path)
            client = stack.enter_context(TestClient(build_app(assembly, journal)))
            return Server(client, journal, assembly.volume.path)

        yield started


@pytest.fixture
def server(start: Start) -> Server:
    """A server that deploys releases of acme/site."""
    return start()
