"""From a release to its deploy: milliseconds from GitHub's POST to the first line of bin/deploy; what waiting costs.

Sends signed releases with distinct tags one after the other, each on a connection of its own as GitHub does, and waits
until each is deployed before the next one. The deploy is a bash script whose first line tells the time.

  202       from before the connection is opened until the answer is read; by then the release is on disk
  deploy    from before the connection is opened until the first line of bin/deploy runs
  memory    resident (VmRSS) and, of that, what is not shared with other programs, of the processes when idle
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import select
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from proofs.outcome import Outcome, ProofError
from signing import github_signature

ROOT = Path(__file__).resolve().parents[2]
APPLICATION = "bench.example.com"
REPOSITORY = "acme/bench"
SECRET = b"only for this measurement"
WARM_UP = 3
PATIENCE = 20.0

CONFIGURATION = """
[server]
bind = ["127.0.0.1:{port}"]
[triggers.deploy]
action = "touch-file"
[plugins.touch-file]
[plugins.github]
secrets = [{{ file = "secret" }}]
triggers = ["deploy"]
[plugins.github.repositories."{repository}"]
application = "{application}"
"""
DEPLOY = """#!/bin/bash
echo "$EPOCHREALTIME $DUCT_TAPE_TAG" >'{fifo}'
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--releases", type=int, default=100, metavar="N")
    parser.add_argument("--listener", choices=["python", "bash"], default="python")


def measure(options: argparse.Namespace) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="duct-tape-bench.") as name, machine(Path(name), options.listener) as bench:
        memory = bench.memory()
        for number in range(WARM_UP):
            bench.release(f"warm-up-{number}")
        times = [bench.release(f"v1.0.{number}") for number in range(options.releases)]
        rows = [
            {"": "POST to 202", **quantiles([answered for answered, _ in times])},
            {"": "POST to bin/deploy", **quantiles([deployed for _, deployed in times])},
        ]
        sizes = [
            {"": f"{name}, {when}", **size}
            for when, processes in (("before", memory), ("after", bench.memory()))
            for name, size in processes.items()
        ]
    figures = {"releases": options.releases, "listener": options.listener, "milliseconds": rows, "megabytes": sizes}
    return Outcome(figures)


class Bench:
    """A server and a listener that are up and idle."""

    def __init__(self, folder: Path, port: int, processes: dict[str, subprocess.Popen[bytes]]) -> None:
        self.folder = folder
        self.processes = processes
        self._port = port
        # Open for both, so that it never ends and opening it never waits.
        self._fifo = os.open(folder / "fifo", os.O_RDWR)

    def release(self, tag: str) -> tuple[float, float]:
        """Milliseconds until the 202 and until the first line of bin/deploy."""
        body = payload(tag)
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": "release",
            "X-GitHub-Delivery": str(uuid.uuid4()),
            "X-Hub-Signature-256": github_signature(SECRET, body),
        }
        # The script tells the wall clock, so this is the wall clock too.
        began = time.time()
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        connection.request("POST", "/integrations/github", body, headers)
        answer = connection.getresponse()
        said = answer.read()
        answered = time.time()
        connection.close()
        if answer.status != 202:
            raise ProofError(f"the server answered {answer.status}: {said.decode()}")
        deployed, deployed_tag = self._first_line().split()
        if deployed_tag != tag:
            raise ProofError(f"{deployed_tag} was deployed and not {tag}")
        self._until_ended(json.loads(said)["runs"][0]["id"])
        return (answered - began) * 1000, (float(deployed) - began) * 1000

    def memory(self) -> dict[str, dict[str, float]]:
        """Resident and private megabytes of each process."""
        return {name: memory(process.pid) for name, process in self.processes.items()}

    def _first_line(self) -> str:
        if not select.select([self._fifo], [], [], PATIENCE)[0]:
            raise ProofError(f"nothing was deployed within {PATIENCE:g} seconds\n{self.logs()}")
        return os.read(self._fifo, 4096).decode()

    def _until_ended(self, run: str) -> None:
        result = self.folder / "shared_volume" / ".results" / f"{run}.json"
        until(lambda: result.exists() and '"deployed"' in result.read_text(), f"run {run} did not end", self.logs)

    def logs(self) -> str:
        return "".join(file.read_text() for file in sorted(self.folder.glob("*.log")))


@contextmanager
def machine(folder: Path, listener: str) -> Iterator[Bench]:
    """A machine with one application."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    os.mkfifo(folder / "fifo")
    script = folder / "applications" / APPLICATION / "bin" / "deploy"
    script.parent.mkdir(parents=True)
    script.write_text(DEPLOY.format(fifo=folder / "fifo"))
    script.chmod(0o755)
    (folder / "shared_volume").mkdir(mode=0o2770)
    (folder / "secret").write_bytes(SECRET)
    (folder / "duct_tape.toml").write_text(
        CONFIGURATION.format(port=port, repository=REPOSITORY, application=APPLICATION)
    )
    duct_tape = [sys.executable, "-m", "duct_tape"]
    listen = [*duct_tape, "listen"] if listener == "python" else [str(ROOT / "scripts" / "listen")]
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        processes["server"] = started(folder, "server", [*duct_tape, "serve", "--config", "duct_tape.toml"])
        paths = ["--volume", "shared_volume", "--applications", "applications"]
        processes["listener"] = started(folder, "listener", [*listen, *paths])
        bench = Bench(folder, port, processes)
        until(lambda: ready(port), "the server did not become ready", bench.logs)
        yield bench
    finally:
        for process in processes.values():
            process.send_signal(signal.SIGTERM)
        for process in processes.values():
            process.wait(PATIENCE)


def started(folder: Path, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def ready(port: int) -> bool:
    """Whether the server is up and sees the listener."""
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False


def until(true: Callable[[], bool], problem: str, logs: Callable[[], str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > deadline:
            raise ProofError(f"{problem} within {PATIENCE:g} seconds\n{logs()}")
        time.sleep(0.002)


def payload(tag: str) -> bytes:
    release: dict[str, Any] = {"id": abs(hash(tag)), "tag_name": tag, "draft": False, "prerelease": False}
    repository = {"id": 1, "full_name": REPOSITORY}
    return json.dumps({"action": "published", "release": release, "repository": repository}).encode()


def memory(pid: int) -> dict[str, float]:
    def megabytes(file: str, key: str) -> float:
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
        return round(sum(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024, 1)

    return {"resident": megabytes("status", "VmRSS:"), "private": megabytes("smaps_rollup", "Private_")}


def quantiles(times: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(times, n=100, method="inclusive") if len(times) > 1 else times * 99
    found = {"median": statistics.median(times), "p90": cuts[89], "p99": cuts[98], "max": max(times)}
    return {name: round(value, 2) for name, value in found.items()}
