"""Serving: one sentence when it cannot start, and an end in bounded time with nothing lost."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from tests.core.web.test_contract import code, delivery, post, request
from tests.server_support import Server, free_port, serving

from duct_tape.errors import StartupError
from duct_tape.web.listening import listening


def test_stopping_ends_what_is_in_flight_and_the_next_start_takes_up_the_rest(tmp_path: Path) -> None:
    never = """
    import logging
    async def perform(run):
        logging.getLogger("test").info("the action begins")
        await asyncio.Event().wait()
    plugins["recorder"] = Recorder(perform).module
    """
    with serving(tmp_path, "shutdown_timeout = 2", never) as server:
        assert code(server.exchange(post(delivery("d-1")))) == 202
        server.wait_for("the action begins")
        with server.connect() as connection:
            # A request whose body is on its way is answered, and what it asks for is on disk.
            whole = post(delivery("d-2", applications=["other"]))
            connection.sendall(whole[:-5])
            began = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            server.wait_for("stopping")
            connection.sendall(whole[-5:])
            assert code(connection.recv(65536)) == 202
        assert server.ended() == 0
        assert time.monotonic() - began < 10
        assert "Traceback" not in server.log
        assert server.lines[-1].endswith("stopped\n")
    with serving(tmp_path) as server:
        server.wait_for("taking up 2 runs")
        finished = [server.wait_for("done: run"), server.wait_for("done: run")]
        assert server.stop() == 0
    assert {line.split(" for ")[1].split(":")[0] for line in finished} == {"app", "other"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_stops_at_once(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path) as server:
        idle = server.connect()
        idle.sendall(request("GET /healthz", close=False))
        assert code(idle.recv(65536)) == 200
        assert server.stop(number) == 0
        idle.close()
    assert server.lines[-1].endswith("stopped\n")


STREAM = """
from starlette.responses import StreamingResponse
from starlette.routing import Route

async def lines():
    while True:
        yield b"line\\n"
        await asyncio.sleep(0.05)

plugins["sender"] = plugin(routes=lambda ctx: [Route("/", lambda request: StreamingResponse(lines()))])
"""


def test_a_response_that_streams_on_does_not_keep_the_server(tmp_path: Path) -> None:
    with serving(tmp_path, "shutdown_timeout = 2", STREAM) as server, server.connect() as connection:
        connection.sendall(request("GET /integrations/sender"))
        assert code(connection.recv(65536)) == 200
        assert server.stop() == 0
        while connection.recv(65536):
            pass
    # In order, and not by the deadline behind it.
    assert server.lines[-1].endswith("stopped\n")


HANGS = """
from contextlib import asynccontextmanager

@asynccontextmanager
async def lifespan(ctx):
    yield
    await asyncio.Event().wait()

plugins["sender"] = plugin(lifespan=lifespan)
"""


def test_a_plugin_that_does_not_stop_does_not_keep_the_server(tmp_path: Path) -> None:
    with serving(tmp_path, "shutdown_timeout = 1", HANGS) as server:
        assert server.stop() == 0
    assert "plugin sender failed when it was stopped: it did not end within 0.25 seconds" in server.log
    assert server.lines[-1].endswith("stopped\n")


STUBBORN = (
    STREAM.replace("await asyncio.sleep(0.05)", "await stubborn()")
    + """
async def stubborn():
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass
"""
)

MUTE = """
import logging, threading

class Mute(logging.Handler):
    def emit(self, record):
        if "did not end in time" in record.getMessage():
            threading.Event().wait()

logging.getLogger().addHandler(Mute())
"""


@pytest.mark.parametrize("script", [STUBBORN, STUBBORN + MUTE])
def test_a_plugin_that_catches_the_end_meets_the_deadline(tmp_path: Path, script: str) -> None:
    with serving(tmp_path, "shutdown_timeout = 0.3", script) as server, server.connect() as connection:
        connection.sendall(request("GET /integrations/sender"))
        assert code(connection.recv(65536)) == 200
        assert server.stop() == 0
    assert "stopped although something did not end in time" in server.lines[-1]


def duct_tape_serve(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    (folder / "duct_tape.toml").write_text(text)
    environment = {**os.environ, "DUCT_TAPE_CONFIG": "duct_tape.toml"}
    command = [sys.executable, "-m", "duct_tape", "serve"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)


def refused(folder: Path, text: str) -> str:
    """What the server says instead of starting: one sentence, no traceback, exit code 1."""
    done = duct_tape_serve(folder, text)
    assert (done.returncode, done.stdout) == (1, "")
    sentences = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert sentences == done.stderr.splitlines()[-1:]
    assert "Traceback" not in done.stderr
    return sentences[0].removeprefix("error: ")


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    (tmp_path / "shared_volume").mkdir()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert refused(tmp_path, f'[server]\nbind = ["{address}"]') == (
            f"cannot listen on {address} (Address already in use); another server (or another duct-tape) uses it: "
            "change `server.bind`"
        )


def test_a_port_that_an_environment_variable_chose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shared_volume").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("DUCT_TAPE_BIND", address)
        assert refused(tmp_path, "").endswith("uses it: change `DUCT_TAPE_BIND`")
        assert refused(tmp_path, f'[server]\nbind = ["{address}"]').endswith("uses it: change `server.bind`")


def test_a_volume_that_is_missing(tmp_path: Path) -> None:
    assert refused(tmp_path, "") == (
        f"the shared volume {tmp_path}/shared_volume does not exist: mount it, or set `path` under [volume]"
    )


def test_a_volume_that_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "shared_volume").touch()
    sentence = f"the shared volume {tmp_path}/shared_volume is not a folder: set `path` under [volume] to one"
    assert refused(tmp_path, "") == sentence


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="needs a folder that not even root can write")
def test_a_volume_that_cannot_be_written(tmp_path: Path) -> None:
    sentence = refused(tmp_path, '[volume]\npath = "/sys/kernel"')
    assert sentence.startswith(f"the shared volume /sys/kernel cannot be written by user {os.getuid()} (")


def test_a_configuration_that_is_no_toml(tmp_path: Path) -> None:
    assert refused(tmp_path, "[server").startswith("the file is not TOML: ")


def test_a_configuration_that_is_not_there(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "duct_tape", "serve", "--config", "nowhere.toml"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (
        1,
        "error: there is no configuration file nowhere.toml; `duct-tape init` writes one; --config or "
        "DUCT_TAPE_CONFIG point elsewhere\n",
    )


def test_a_second_server_on_one_journal(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        text = f'[server]\nbind = ["127.0.0.1:{free_port()}"]\n[volume]\npath = "volume"\n'
        sentence = refused(tmp_path, f'{text}[journal]\npath = "journal.sqlite3"')
        assert sentence == "another server already uses the journal journal.sqlite3: stop it first"
        assert code(server.exchange(request("GET /healthz"))) == 200


def test_a_journal_that_cannot_be_read(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        assert code(server.exchange(post(delivery("d-1")))) == 202
        assert server.stop() == 0
    with closing(sqlite3.connect(tmp_path / "journal.sqlite3")) as db:
        db.execute("UPDATE deliveries SET content = 'torn'")
        db.execute("UPDATE runs SET state = 'accepted'")
        db.commit()
    text = f'[server]\nbind = ["127.0.0.1:{free_port()}"]\n[volume]\npath = "volume"\n'
    for admin in ("", '[admin]\nbind = ["127.0.0.1:0"]\ntoken = { file = "token" }\n'):
        (tmp_path / "token").write_text("9f3c0123456789abcd")
        sentence = refused(tmp_path, f'{text}{admin}[journal]\npath = "journal.sqlite3"')
        assert sentence.startswith("the server cannot start: the journal cannot be read: Expecting value")


def test_the_admin_socket_is_another_one_and_ends_with_the_server(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "token").write_text("9f3c0123456789abcd\n")
    admin = f'[admin]\nbind = ["127.0.0.1:{port}"]\ntoken = {{ file = "token" }}'
    with serving(tmp_path, admin) as server:
        inside = Server.__new__(Server)
        inside.port = port
        assert code(inside.exchange(request("GET /"))) == 401
        assert code(inside.exchange(request("GET /", "Authorization: Bearer 9f3c0123456789abcd\r\n"))) == 200
        assert code(inside.exchange(request("GET /healthz", "Authorization: Bearer 9f3c0123456789abcd\r\n"))) == 404
        assert code(server.exchange(request("GET /runs", "Authorization: Bearer 9f3c0123456789abcd\r\n"))) == 404
        assert server.stop() == 0


def test_a_unix_socket_is_served_and_its_remains_are_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "s"
    for _ in range(2):
        (found,) = listening([f"unix:{path}"], "server.bind")
        with found, socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
    path.unlink()
    path.write_text("somebody's file")
    with pytest.raises(StartupError, match=r"cannot listen on unix:.*Address already in use"):
        listening([f"unix:{path}"], "server.bind")
    assert path.read_text() == "somebody's file"


def test_every_address_is_listened_on_or_none() -> None:
    with pytest.raises(StartupError, match=r"^`server.bind` names no address to listen on$"):
        listening([], "server.bind")
    first, second = listening(["127.0.0.1:0", "[::1]:0"], "server.bind")
    assert (first.family, second.family) == (socket.AF_INET, socket.AF_INET6)
    port = first.getsockname()[1]
    with first, second, pytest.raises(StartupError, match=rf"127\.0\.0\.1:{port}.*change `admin.bind`"):
        listening(["127.0.0.1:0", f"127.0.0.1:{port}"], "admin.bind")
    with pytest.raises(StartupError, match=r"^cannot listen on no\.invalid:1 \([^)]*\): change `server.bind`$"):
        listening(["no.invalid:1"], "server.bind")
