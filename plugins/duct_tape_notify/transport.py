"""Asking the process that sends."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from collections.abc import Sequence
from typing import Any, cast

from attrs import define

from duct_tape.api import PluginError, Secret
from duct_tape_notify.message import Message

# A receiver that has not answered by then is given up; apprise itself waits 4 seconds for a connection and 4 for
# each piece of an answer.
SECONDS = 20.0


@define
class Answer:
    """What became of one receiver.

    :param name: its key, with service and host once they are known.
    :param problem: why its URL cannot be used.
    :param failure: why the message was not delivered; empty when it was.
    """

    name: str
    problem: str = ""
    failure: str = ""


def require_apprise() -> None:
    """Look for apprise without importing it.

    :raises PluginError: it is not installed.
    """
    if importlib.util.find_spec("apprise") is None:
        raise PluginError("plugin notify needs apprise: pip install 'duct-tape-plugins[notify]'")


async def ask(
    urls: Sequence[tuple[str, Secret]], message: Message | None = None, seconds: float = SECONDS
) -> list[Answer]:
    """Send the message to each receiver, one after the other; without one, only look at the URLs.

    :param urls: key and URL.
    :param seconds: after so many the process is killed, whatever it does.
    """
    request: dict[str, Any] = {"urls": [_text(url) for _, url in urls], "seconds": seconds}
    if message is not None:
        request |= {"title": message.title, "body": message.body, "kind": message.kind}
    answers = [Answer(key) for key, _ in urls]
    heard: set[int] = set()
    # Not by the command line or the environment, which others on this machine may read. And no module of the
    # working directory in place of a real one.
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "duct_tape_notify.sender",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        return [Answer(key, failure=f"no process can be started ({error.strerror})") for key, _ in urls]
    why = f"no answer within {seconds:g} seconds"
    try:
        async with asyncio.timeout(seconds):
            await _converse(process, json.dumps(request).encode("ascii"), answers, heard)
            why = f"the process that sends ended with code {await process.wait()}"
    except TimeoutError:
        pass
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    for index, answer in enumerate(answers):
        if index not in heard:
            answer.failure = why
    return answers


async def _converse(
    process: asyncio.subprocess.Process, request: bytes, answers: Sequence[Answer], heard: set[int]
) -> None:
    """Hand in the request and read what comes; ``heard`` are those of which everything has come."""
    stdin, stdout = cast(asyncio.StreamWriter, process.stdin), cast(asyncio.StreamReader, process.stdout)
    stdin.write(request)
    stdin.close()
    async for line in stdout:
        index, word, text = json.loads(line)
        answer = answers[index]
        if word == "name":
            answer.name = f"{text} ({answer.name})"
        elif word == "problem":
            answer.problem = answer.failure = text
        elif word == "failed":
            answer.failure = text
        if word != "name":
            heard.add(index)


def _text(url: Secret) -> str:
    return url.reveal().decode("utf-8", "replace").strip()
