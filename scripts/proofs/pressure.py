"""Hostile traffic of every kind, while valid releases have to be answered within a second and deployed.

  idle         1,100 connections on which nothing comes, more than the server lets in
  headers      1,100 requests whose headers come at a byte a second
  bodies       1,100 requests whose bodies come at a byte a second
  unsigned     50 bodies of 25 MB at once, with a wrong signature
  signed       50 bodies of 25 MB at once, from a sender who knows the secret
  signatures   bad signatures, as many as the machine gives

One after the other, each by a process of its own that comes again when it is cut off, and all the time releases come
in, each on a connection of its own, as from GitHub. Attackers, server and listener share this machine.

  slowest      seconds until a release was answered with 202; more than --limit is broken, and so is any other answer
  memory       the most resident memory that the server had since it started, MB; more than 200 is broken
  done         requests that the attackers had answered, or connections that they lost
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

from attrs import frozen

from proofs import books
from proofs.machine import SECRET, Machine, Victim, free_port, until
from proofs.outcome import Outcome, ProofError
from proofs.senders import PATH, Connection, delivery

ATTACKS = {"idle": 1100, "headers": 1100, "bodies": 1100, "unsigned": 50, "signed": 50, "signatures": 64}
MOST_MEMORY = 200.0
# Between two releases.
PAUSE = 0.2


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each attack (default: 10)")
    parser.add_argument("--only", choices=ATTACKS, action="append", help="only this attack; may be given several times")
    parser.add_argument("--limit", type=float, default=1.0, help="seconds that an answer may take (default: 1)")
    parser.add_argument("--peer", action="store_true", help="the same against Debian's `webhook`, for comparison")


def prove(options: argparse.Namespace) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="duct-tape-proof-") as folder:
        machine = Machine(Path(folder), 1)
        try:
            machine.start()
            target = Target(machine.port, PATH, machine.server)
            rows = [attacked(target, kind, options.seconds) for kind in options.only or ATTACKS]
            accepted = [run for row in rows for run in row.pop("runs")]
            books.rest(machine)
            done = {run for _, run, _ in machine.deploys()}
            # A newer release takes the place of one that waits.
            waiting = [run for run in accepted[-1:] if run not in done]
        finally:
            machine.close()
        peer = compared(Path(folder), options) if options.peer else []
    figures = {"seconds": options.seconds, "accepted": len(accepted), "not_deployed": len(waiting), "attacks": rows}
    return Outcome({**figures, **({"peer": peer} if peer else {})}, tuple(broken(figures, options.limit)))


def broken(figures: Mapping[str, Any], limit: float) -> Iterator[str]:
    """A sentence for each part of the promise that did not hold."""
    if figures["not_deployed"]:
        yield "the last release that was accepted was not deployed"
    for row in figures["attacks"]:
        if row["slowest"] > limit:
            yield f"{row['attack']}: a release was answered after {row['slowest']:.2f} seconds"
        if row["refused"]:
            yield f"{row['attack']}: {row['refused']} of {row['releases']} releases were not accepted"
        if row["memory"] > MOST_MEMORY:
            yield f"{row['attack']}: the server had {row['memory']:.0f} MB"


@frozen
class Target:
    """A server under attack."""

    port: int
    path: str
    process: Victim

    def memory(self) -> float:
        """The most resident memory that it had, MB."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        [line] = [line for line in lines if line.startswith("VmHWM:")]
        return round(int(line.split()[1]) / 1024, 1)


_numbers = iter(range(1, 1 << 30))


def attacked(target: Target, kind: str, seconds: float) -> dict[str, Any]:
    """Releases while one attack goes on."""
    times, runs, refused = [], [], 0
    with attacking(target, kind) as done:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            connection = Connection(target.port, target.path)
            body, headers = delivery("app0", next(_numbers))
            began = time.monotonic()
            answer = connection.post(body, headers)
            times.append(time.monotonic() - began)
            connection.close()
            good = answer is not None and answer.code in (200, 202)
            refused += not good
            runs += answer.runs if answer else []
            time.sleep(PAUSE)
        count = done()
    return {
        "attack": kind, "releases": len(times), "refused": refused, "median": round(sorted(times)[len(times) // 2], 4),
        "slowest": round(max(times), 4), "done": count, "memory": target.memory(), "runs": runs,
    }  # fmt: skip


@contextmanager
def attacking(target: Target, kind: str) -> Iterator[Any]:
    """The attack, once it has begun; what is yielded tells how much was done."""
    command = [sys.executable, "-m", "proofs.attacks", kind, str(target.port), target.path, str(ATTACKS[kind])]
    folder = Path(__file__).parents[1]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    said = process.stdout or StringIO()
    try:
        latest = [said.readline()]
        if not latest[0]:
            raise ProofError(f"the attack {kind} ended by itself")
        reader = threading.Thread(target=lambda: latest.extend(said), daemon=True)
        reader.start()
        yield lambda: int(latest[-1])
    finally:
        process.kill()
        process.wait()


HOOKS = [
    {
        "id": "deploy",
        "execute-command": "/bin/true",
        "trigger-rule": {
            "match": {
                "type": "payload-hmac-sha256",
                "secret": SECRET.decode(),
                "parameter": {"source": "header", "name": "X-Hub-Signature-256"},
            }
        },
    }
]


def compared(folder: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    """The same attacks on https://github.com/adnanh/webhook."""
    program = shutil.which("webhook")
    if program is None:
        raise ProofError("there is no `webhook` here: apt-get install webhook")
    (folder / "hooks.json").write_text(json.dumps(HOOKS))
    port = free_port()
    command = [program, "-hooks", "hooks.json", "-ip", "127.0.0.1", "-port", str(port)]
    victim = Victim(folder, "peer", command, lambda: Connection(port, "/").post(b"", {}) is not None)
    victim.spawn()
    target = Target(port, "/hooks/deploy", victim)
    try:
        until(lambda: listens(port), "webhook does not listen")
        rows = [attacked(target, kind, options.seconds) for kind in options.only or ATTACKS]
    finally:
        victim.kill()
    return [{name: value for name, value in row.items() if name != "runs"} for row in rows]


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
