"""The process that sends: named answers, a time limit that is one, and nothing said of a URL."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

import pytest
from tests.notify_support import Web

from duct_tape.api import Secret
from duct_tape_notify.message import Message
from duct_tape_notify.transport import Answer, ask

MESSAGE = Message(title="app v1: failed", body="text", kind="failure", about="app v1 failed")
TOKEN = "token0token0token0token0"


def asked(*urls: str, message: Message | None = MESSAGE, seconds: float = 20.0) -> list[Answer]:
    keyed = [(f"urls[{index}]", Secret("test", url.encode())) for index, url in enumerate(urls)]
    return asyncio.run(ask(keyed, message, seconds))


def test_each_receiver_has_an_answer_of_its_own(web: Web) -> None:
    web.codes = [404]
    answers = asked(web.url(), "nonsense", web.url("form"), f"json://127.0.0.1:1/{TOKEN}")
    assert answers == [
        Answer("JSON at 127.0.0.1 (urls[0])", failure="it answered 404"),
        Answer("urls[1]", "it is not a URL: expected `service://…`", "it is not a URL: expected `service://…`"),
        Answer("Form at 127.0.0.1 (urls[2])"),
        Answer("JSON at 127.0.0.1 (urls[3])", failure="it could not be reached"),
    ]


def test_looking_sends_nothing(web: Web) -> None:
    assert asked(web.url(), message=None) == [Answer("JSON at 127.0.0.1 (urls[0])")]
    assert web.requests == []


def test_a_receiver_that_says_nothing_is_given_up(web: Web) -> None:
    web.hold.set()
    began = time.monotonic()
    # Without rto= and cto= apprise itself would give up. Less than 4 seconds may end before its import has.
    [answer] = asked(web.url() + "?rto=60&cto=60", seconds=4)
    assert answer == Answer("JSON at 127.0.0.1 (urls[0])", failure="no answer within 4 seconds")
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (f"slack://T1JJ3T3L2/A1BRTD4JD/{TOKEN}", "Slack (urls[0])"),
        (f"https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/{TOKEN}", "Slack (urls[0])"),
        (f"discord://4174216298/{TOKEN}", "Discord (urls[0])"),
        (f"ntfy://{TOKEN}", "ntfy (urls[0])"),
        (f"ntfys://{TOKEN}@ntfy.example.com/topic", "ntfy at ntfy.example.com (urls[0])"),
        (f"mailto://user:{TOKEN}@example.com", "E-Mail at example.com (urls[0])"),
        (f"tgram://123456789:{TOKEN}_hijklmnop/12315544/", "Telegram (urls[0])"),
        (f"gotify://gotify.example.com/{TOKEN}", "Gotify at gotify.example.com (urls[0])"),
        (f"lametric://{TOKEN * 3}", "urls[0]"),
    ],
)
def test_names_say_service_and_host_and_no_token(url: str, name: str) -> None:
    [answer] = asked(url, message=None)
    assert answer.name == name
    assert TOKEN not in repr(answer)


def test_what_apprise_does_not_know_is_a_problem_and_never_a_crash() -> None:
    urls = ["", "://", "json://", "json://[", "\x00", "json://a:b:c@d:99999999/", "schan://%", "é" * 5000, "mailto://@"]
    answers = asked(*urls, message=None)
    assert all(answer.problem for answer in answers if answer.name != "JSON (urls[5])")


def test_a_process_that_ends_early_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    # Such as when memory is short, or apprise is damaged.
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert asked("json://h") == [Answer("urls[0]", failure="the process that sends ended with code 1")]


def test_a_process_that_cannot_be_started_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(*arguments: object, **options: object) -> NoReturn:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", refused)
    [answer] = asked("json://h")
    assert answer.failure == "no process can be started (Resource temporarily unavailable)"


def test_the_process_ends_by_itself_when_nobody_waits_for_it(web: Web) -> None:
    web.hold.set()
    request = f'{{"urls": ["{web.url()}?rto=60"], "seconds": 0, "title": "t", "body": "b", "kind": "info"}}'
    done = subprocess.run(
        [sys.executable, "-P", "-m", "duct_tape_notify.sender"],
        input=request, capture_output=True, text=True, timeout=20,
    )  # fmt: skip
    assert done.returncode < 0
    assert done.stdout == '[0, "name", "JSON at 127.0.0.1"]\n'


def test_no_module_of_the_working_directory_is_taken_for_apprise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, web: Web
) -> None:
    (tmp_path / "apprise.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    assert asked(web.url()) == [Answer("JSON at 127.0.0.1 (urls[0])")]


def test_long_messages_are_cut_to_what_the_service_takes(web: Web) -> None:
    long = Message(title="t", body="x" * 60_000, kind="info", about="a")
    assert not asked(web.url(), message=long)[0].failure
    [sent] = web.wait(1)
    assert 30_000 < len(sent["message"]) < 33_000
    asked(web.url() + "?overflow=split", message=long)
    assert len(web.wait(3)) == 3


def test_the_server_never_imports_apprise() -> None:
    # Neither at its start nor for the sake of the command or the check.
    script = (
        "import duct_tape_notify.plugin as p, duct_tape_notify.commands, sys; p.require_apprise();"
        "print(*sys.modules.keys() & {'apprise', 'requests', 'urllib3', 'yaml', 'markdown', 'duct_tape_notify.sender'})"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "\n"
