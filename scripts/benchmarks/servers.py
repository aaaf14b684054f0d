"""The servers that are compared: each takes the same deliveries and leaves the same flags."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from benchmarks.shots import SECRET, repository
from proofs.machine import free_port, until

CONFIGURATION = """
[server]
bind = ["127.0.0.1:{port}"]
[log]
level = "warning"
[volume]
path = "flags"
[journal]
path = "journal.sqlite3"
keep_runs = 100000000
max_waiting = 1000000
[triggers.deploy]
action = "touch-file"
filename = "{{{{ release.tag | filename }}}}"
[plugins.touch-file]
expect_listener = false
[plugins.github]
secrets = [{{ file = "secret" }}]
triggers = ["deploy"]
"""
REPOSITORY = '[plugins.github.repositories."{name}"]\napplication = "{application}"\n'
NOTHING = """
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})
"""


@frozen
class Server:
    """A server that is up.

    :param flags: the folder in which its flags appear; None where it leaves none.
    """

    pid: int
    port: int
    path: str
    flags: Path | None


@contextmanager
def duct_tape(folder: Path, applications: Sequence[str], core: int) -> Iterator[Server]:
    """Duct Tape, with its journal on."""
    port = free_port()
    flags = folder / "flags"
    flags.mkdir(mode=0o2770)
    (folder / "secret").write_bytes(SECRET)
    known = (REPOSITORY.format(name=repository(name), application=name) for name in applications)
    (folder / "duct_tape.toml").write_text(CONFIGURATION.format(port=port) + "".join(known))
    command = [sys.executable, "-m", "duct_tape", "serve", "--config", "duct_tape.toml"]
    with _running(folder, command, core) as pid:
        _until_up(port, folder)
        yield Server(pid, port, "/integrations/github", flags)


@contextmanager
def webhook(folder: Path, applications: Sequence[str], core: int) -> Iterator[Server]:
    """adnanh/webhook with the same rules, and `touch` as its command."""
    program = shutil.which("webhook")
    if program is None:
        raise FileNotFoundError("webhook is not installed: apt-get install webhook")
    port = free_port()
    flags = folder / "flags"
    flags.mkdir()
    hooks = [_hook(name, flags) for name in applications]
    (folder / "hooks.json").write_text(json.dumps(hooks))
    # A URL for each application: the quickest way that it has.
    command = [program, "-hooks", "hooks.json", "-ip", "127.0.0.1", "-port", str(port), "-nopanic"]
    with _running(folder, command, core) as pid:
        _until_up(port, folder)
        yield Server(pid, port, "/hooks/{application}", flags)


def _hook(application: str, flags: Path) -> dict[str, object]:
    def same(name: str, value: str) -> dict[str, object]:
        return {"match": {"type": "value", "value": value, "parameter": {"source": "payload", "name": name}}}

    signature = {
        "match": {
            "type": "payload-hmac-sha256",
            "secret": SECRET.decode(),
            "parameter": {"source": "header", "name": "X-Hub-Signature-256"},
        }
    }
    wanted = {"action": "published", "repository.full_name": repository(application)}
    return {
        "id": application,
        "execute-command": "/usr/bin/touch",
        "command-working-directory": str(flags),
        "pass-arguments-to-command": [{"source": "payload", "name": "release.tag_name"}],
        "success-http-response-code": 202,
        "trigger-rule": {"and": [signature, *(same(*pair) for pair in wanted.items())]},
    }


@contextmanager
def nothing(folder: Path, applications: Sequence[str], core: int) -> Iterator[Server]:
    """The floor: Hypercorn with an application that reads the body and answers."""
    port = free_port()
    (folder / "nothing.py").write_text(NOTHING)
    command = [sys.executable, "-m", "hypercorn", "--bind", f"127.0.0.1:{port}", "--workers", "1", "nothing:app"]
    with _running(folder, command, core) as pid:
        _until_up(port, folder)
        yield Server(pid, port, "/", None)


SERVERS = {"duct-tape": duct_tape, "webhook": webhook, "nothing": nothing}


@contextmanager
def _running(folder: Path, command: Sequence[str], core: int) -> Iterator[int]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )  # fmt: skip
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


def _until_up(port: int, folder: Path) -> None:
    def up() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    until(up, f"the server does not answer\n{(folder / 'log').read_text()}", seconds=30)
