"""``duct-tape doctor``: each thing that can keep a release from being deployed is named."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from tests.journal_support import damage
from tests.server_support import free_port, run

from duct_tape.delivery import Runs
from duct_tape.journal import Pause
from duct_tape.journal.sqlite import SQLiteJournal
from duct_tape.results import moment
from duct_tape.runs import RunState

Cli = Callable[..., Any]
Configure = Callable[..., Path]

CONFIGURATION = """\
[server]
bind = ["127.0.0.1:{port}"]
{more}
[triggers.deploy]
action = "touch-file"
[plugins.touch-file]
[plugins.github]
secrets = [{{ env = "HOOK_SECRET" }}]
triggers = ["deploy"]
"""


@contextmanager
def answering(body: bytes, readiness: bytes = b'{"status":"ready"}') -> Iterator[int]:
    """A server on a free port that answers with ``body``, and to ``/readyz`` with ``readiness``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(readiness if self.path == "/readyz" else body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def checks(cli: Cli, code: int) -> dict[str, tuple[bool, str]]:
    ended = cli("doctor", "--json")
    assert (ended.code, ended.err) == (code, "")
    return {item["name"]: (item["healthy"], item["detail"]) for item in json.loads(ended.out)["checks"]}


def journal_with_a_delivery() -> None:
    async def fill() -> None:
        store = SQLiteJournal(Path("var/journal.sqlite3"))
        given = run(1)
        await store.accept(given.event, Runs(runs=(), key="k"), [given])
        await store.close()

    asyncio.run(fill())


def heartbeat(age: float) -> None:
    Path("shared_volume").mkdir(exist_ok=True)
    Path("shared_volume/.listener.json").write_text(json.dumps({"last_scan": moment(time.time() - age)}))


def test_all_is_well(cli: Cli, configure: Configure) -> None:
    journal_with_a_delivery()
    heartbeat(age=2)
    with answering(b'{"status":"ok"}') as port:
        configure(CONFIGURATION.format(port=port, more='public_url = "https://hooks.example.com"'))
        ended = cli("doctor")
    assert (ended.code, ended.err) == (0, "")
    lines = [line.split(maxsplit=1) for line in ended.out.splitlines()]
    assert {mark for mark, _ in lines} == {"ok"}
    assert [text.partition("  ")[0] for _, text in lines] == [
        "configuration", "volume", "listener", "server", "public url", "clock", "journal", "dead letters",
        "last delivery",
    ]  # fmt: skip


def test_everything_is_wrong(cli: Cli, configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", "")
    port = free_port()
    configure(CONFIGURATION.format(port=port, more='public_url = "http://hooks.example.com"'))
    found = checks(cli, 1)
    assert {name for name, (healthy, _) in found.items() if healthy} == {"clock"}
    assert found["configuration"][1].startswith("the environment variable HOOK_SECRET is empty")
    assert "does not exist: mount it" in found["volume"][1]
    assert found["server"][1].startswith(f"nobody answers at http://127.0.0.1:{port} (")
    assert found["public url"][1] == "http://hooks.example.com is not https: anybody on the way can read the payloads"
    assert found["journal"][1] == "there is no journal var/journal.sqlite3 yet: `duct-tape serve` makes it"


def test_a_listener_that_stopped_is_named(cli: Cli, configure: Configure) -> None:
    heartbeat(age=300)
    configure(CONFIGURATION.format(port=free_port(), more=""))
    healthy, detail = checks(cli, 1)["listener"]
    assert not healthy
    assert detail == "the listener looked 300 seconds ago: is `duct-tape listen` running on the host?"


def test_a_server_that_is_not_ready_is_not_well(cli: Cli, configure: Configure) -> None:
    with answering(b'{"status":"ok"}', b'{"status":"not ready"}') as port:
        configure(CONFIGURATION.format(port=port, more=""))
        sentence = f"http://127.0.0.1:{port} answers that it is not ready: its log says why, and the admin socket"
        assert checks(cli, 1)["server"] == (False, sentence)


def test_another_program_on_the_port_is_told_apart(cli: Cli, configure: Configure) -> None:
    with answering(b"hello") as port:
        configure(CONFIGURATION.format(port=port, more=""))
        assert checks(cli, 1)["server"] == (False, f"another program answers at http://127.0.0.1:{port}")


def test_no_delivery_yet_is_fine_and_one_from_the_future_is_not(
    cli: Cli, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(CONFIGURATION.format(port=free_port(), more=""))
    asyncio.run(SQLiteJournal(Path("var/journal.sqlite3")).close())
    assert checks(cli, 1)["last delivery"] == (True, "none yet")
    assert checks(cli, 1)["journal"] == (True, "no runs")
    journal_with_a_delivery()
    monkeypatch.setattr("duct_tape.cli.doctor.AHEAD", -60.0)
    healthy, detail = checks(cli, 1)["last delivery"]
    assert (healthy, detail.endswith(", in the future")) == (False, True)


def test_a_damaged_journal_is_wrong(cli: Cli, configure: Configure) -> None:
    configure(CONFIGURATION.format(port=free_port(), more=""))
    journal_with_a_delivery()
    path = Path("var/journal.sqlite3")
    assert checks(cli, 1)["journal"][0]
    damage(path, "runs_lane")
    healthy, detail = checks(cli, 1)["journal"]
    assert (healthy, detail.startswith(f"the journal {path} is damaged (")) == (False, True)
    assert detail.endswith("; let `path` under [journal] name another file, or put a backup in its place")


def test_a_plugin_whose_check_fails_is_named(cli: Cli, configure: Configure, offer: Callable[..., None]) -> None:
    def health(ctx: object) -> None:
        raise ValueError("broken")

    offer(health=health)
    configure("[plugins.x]\n")
    assert checks(cli, 1)["plugin x"] == (False, "ValueError: broken")


def test_dead_letters_and_pauses_are_named(cli: Cli, configure: Configure) -> None:
    async def fill() -> None:
        store = SQLiteJournal(Path("var/journal.sqlite3"))
        given = run(1)
        await store.accept(given.event, Runs(runs=(), key="k"), [given])
        await store.finish("run-1", RunState.FAILED, "no")
        await store.pause(Pause(application="app", who="ada", reason="", since=1_770_000_000.0))
        await store.close()

    asyncio.run(fill())
    configure(CONFIGURATION.format(port=free_port(), more=""))
    found = checks(cli, 1)
    sentence = "1, of app: `duct-tape runs list --dead`, then `runs retry` or `runs discard`"
    assert found["dead letters"] == (False, sentence)
    sentence = "app by ada, since 2026-02-02T02:40:00Z, without a reason: `duct-tape resume`"
    assert found["paused"] == (False, sentence)
