"""The process between the server and a command: ``python keeper.py NUMBER``, with nothing but the standard library.

It lives as long as its command, and ends it when the server wants that or is gone, however the server ended: for both
the pipe on its standard input is closed. So no command goes on that nobody knows of, beside a second one that the next
server starts.

On standard input comes one line of JSON: ``arguments``, ``directory``, ``environment``, ``stdin`` and ``kill_after``.
On the pipe with the given number it answers in lines of JSON: ``group``, then ``code`` and ``stopped``, or ``error``
alone. What the command prints goes where this process's output goes.
"""

from __future__ import annotations

import errno
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

LOOK_AGAIN = 0.02
# What is killed and does not go waits for a disk.
LAST_WAIT = 5.0
SOON = 0.2


def main(control: int, answers: int) -> None:
    """Keep one command."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    # A service manager that stops everything at once tells this process, too.
    signal.signal(signal.SIGTERM, lambda *_: os.write(wake, b"x"))

    def tell(answer: Mapping[str, Any]) -> None:
        # Without a server the command has to be ended all the same.
        with suppress(OSError):
            os.write(answers, json.dumps(answer).encode("ascii") + b"\n")

    with open(control, "rb", closefd=False) as file:
        line = file.readline()
    # Without a whole line there is no server any more.
    if line.endswith(b"\n"):
        keep(json.loads(line), control, woken, tell)


def keep(order: Mapping[str, Any], control: int, woken: int, tell: Callable[[Mapping[str, Any]], None]) -> None:
    """Run the command until it ends, or ``control`` is closed, or there is something in ``woken``."""
    try:
        process = started(order)
    except OSError as error:
        tell({"error": f"{error.filename or order['arguments'][0]}: {error.strerror}"})
        return
    tell({"group": process.pid})
    ended, ending = os.pipe()

    def wait() -> None:
        process.wait()
        os.close(ending)

    threading.Thread(target=wait, daemon=True).start()
    ready, _, _ = select.select([control, woken, ended], [], [])
    if ended not in ready:
        end_group(process.pid, order["kill_after"])
        select.select([ended], [], [], LAST_WAIT)
    os.close(ended)
    # Whoever stops everything at once may have told the command first.
    patience = SOON if process.returncode == -signal.SIGTERM else 0.0
    stopped = woken in select.select([woken], [], [], patience)[0]
    tell({"code": process.returncode, "stopped": stopped})


def started(order: Mapping[str, Any]) -> subprocess.Popen[bytes]:
    """The command, in a session of its own."""
    arguments = order["arguments"]
    with tempfile.TemporaryFile() as stdin:
        stdin.write(order["stdin"].encode("utf-8", "replace"))
        stdin.seek(0)
        try:
            return _popen(arguments, order, stdin)
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise
            # No `#!` line: a shell runs such a file as a shell script, and so does the listener.
            return _popen(["/bin/sh", *arguments], order, stdin)


def _popen(arguments: Sequence[str], order: Mapping[str, Any], stdin: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        arguments, cwd=order["directory"], env=order["environment"], stdin=stdin, start_new_session=True
    )


def end_group(group: int, kill_after: float) -> None:
    """Ask every process of the group to end, and kill what is left of it after a while."""
    deadline = time.monotonic() + kill_after
    there = _signal(group, signal.SIGTERM)
    while there and time.monotonic() < deadline:
        time.sleep(LOOK_AGAIN)
        there = _signal(group, 0)
    if there:
        _signal(group, signal.SIGKILL)


def _signal(group: int, number: int) -> bool:
    """Send a signal; False when no process of the group is left."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        # Someone is there, but as another user, for instance below sudo.
        return True
    return True


if __name__ == "__main__":
    main(0, int(sys.argv[1]))
