from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable

import pytest
from tests.listener_support import Host

from duct_tape.errors import StartupError
from duct_tape.flags import Flag
from duct_tape.listener import claims, intake
from duct_tape.listener.applications import Applications
from duct_tape.listener.claims import Claim
from duct_tape.listener.deploy import Deploy
from duct_tape.listener.service import listen
from duct_tape.listener.settings import Settings

HOLD = "until [ -e go ]; do sleep 0.02; done"


async def eventually(found: Callable[[], object], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not found():  # noqa: ASYNC110 - what is looked at are files
            await asyncio.sleep(0.01)


def once(host: Host) -> bool:
    return asyncio.run(listen(Settings(volume=host.volume, applications=host.applications), once=True))


def serve(host: Host, visit: Callable[[], Awaitable[None]], *, grace: float = 10.0, poll: float = 30.0) -> bool:
    """Run the service while ``visit`` acts; with a poll this rare it is the events that do the work."""

    async def inside() -> bool:
        settings = Settings(volume=host.volume, applications=host.applications, grace=grace, kill_after=1, poll=poll)
        task = asyncio.create_task(listen(settings))
        await eventually(lambda: (host.volume / ".listener.json").exists())
        await visit()
        os.kill(os.getpid(), signal.SIGTERM)
        return await asyncio.wait_for(task, 10)

    return asyncio.run(inside())


def test_once_deploys_what_is_there(host: Host) -> None:
    host.application("a")
    host.application("b")
    host.flag("a", "v1")
    host.flag("b", "v2")

    assert once(host)

    assert (host.runs("a"), host.runs("b")) == (["v1"], ["v2"])
    assert host.claims() == []


def test_of_flags_in_several_portions_the_newest_is_deployed_last_or_alone(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "PORTION", 1)
    host.application("a")
    for number in range(1, 9):
        flag = Flag(run=f"r{number}", application="a", tag=f"v{number}")
        host.flag(f"a--{number}", content=flag.to_line().encode())
        os.utime(host.volume / f"a--{number}", (number, number))

    assert once(host)

    assert host.at_top() == []
    tags = [int(tag[1:]) for tag in host.runs("a")]
    assert tags == sorted(tags)
    assert tags[-1] == 8
    assert {result["state"] for result in host.results()} <= {"deployed", "superseded"}
    assert len(host.results()) == 8


def test_once_says_no_when_something_failed_or_was_refused(host: Host) -> None:
    host.application("a", "exit 1")
    assert once(host)
    host.flag("a", "v1")
    assert not once(host)
    host.flag("unknown", "v1")
    assert not once(host)


def test_events_wake_it(host: Host) -> None:
    host.application("a")

    async def visit() -> None:
        begun = time.monotonic()
        host.flag("a", "v1")
        await eventually(lambda: host.result("run-v1").get("state") == "deployed")
        assert time.monotonic() - begun < 5

    assert serve(host, visit)


def test_without_events_the_poll_finds_flags(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "asyncinotify", None)
    host.application("a")

    async def visit() -> None:
        host.flag("a", "v1")
        await eventually(lambda: host.result("run-v1").get("state") == "deployed")

    assert serve(host, visit, poll=0.05)


def test_the_newest_that_waits_runs_next_and_the_older_ends_as_superseded(host: Host) -> None:
    app = host.application("a", HOLD)

    async def visit() -> None:
        for tag in ("v1", "v2", "v3"):
            host.flag("a", tag)
            await eventually(lambda: not host.at_top())
            await eventually(lambda: host.result("run-v1"))
        await eventually(lambda: host.result("run-v2").get("state") == "superseded")
        (app / "go").touch()
        await eventually(lambda: host.result("run-v3").get("state") == "deployed")

    assert serve(host, visit)
    assert host.runs("a") == ["v1", "v3"]


def test_the_first_signal_drains(host: Host) -> None:
    app = host.application("a", HOLD)

    async def visit() -> None:
        host.flag("a", "v1")
        await eventually(lambda: host.result("run-v1").get("state") == "deploying")
        asyncio.get_running_loop().call_later(0.3, (app / "go").touch)

    assert serve(host, visit)
    assert host.result("run-v1")["state"] == "deployed"


def test_after_the_grace_deploys_are_ended_and_their_claims_stay(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    host.application("a", HOLD)

    async def visit() -> None:
        host.flag("a", "v1")
        await eventually(lambda: host.result("run-v1").get("state") == "deploying")

    assert not serve(host, visit, grace=0.1)
    assert len(host.claims()) == 1
    assert "interrupted; it is deployed again" in caplog.text


def test_the_second_signal_ends_deploys(host: Host) -> None:
    host.application("a", HOLD)

    async def visit() -> None:
        host.flag("a", "v1")
        await eventually(lambda: host.result("run-v1").get("state") == "deploying")
        asyncio.get_running_loop().call_later(0.2, os.kill, os.getpid(), signal.SIGTERM)

    assert not serve(host, visit)
    assert len(host.claims()) == 1


def test_once_can_be_interrupted(host: Host) -> None:
    app = host.application("a", HOLD)
    host.application("b")
    host.flag("a", "v1")

    async def inside() -> bool:
        settings = Settings(volume=host.volume, applications=host.applications)
        task = asyncio.create_task(listen(settings, once=True))
        await eventually(lambda: host.result("run-v1").get("state") == "deploying")
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(0.05)
        (app / "go").touch()
        return await task

    assert asyncio.run(inside())


def test_an_application_that_went_while_its_flag_waited_is_refused(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([None, "it went"])
    monkeypatch.setattr(Applications, "problem", lambda *_: next(answers))
    host.flag("a", "v1")

    assert not once(host)
    assert host.result("run-v1")["state"] == "refused"
    assert host.result("run-v1")["output"] == "it went"


def test_a_fault_of_the_listener_itself_is_one_deploys_fault(
    host: Host, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: Deploy) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(Deploy, "run", fail)
    host.application("a")
    host.flag("a", "v1")

    assert not once(host)
    assert host.result("run-v1")["state"] == "failed"
    assert host.result("run-v1")["output"] == "the listener failed: broken"
    assert host.claims() == []
    assert "RuntimeError" in caplog.text


def test_it_doubts_a_volume_that_looks_unusable(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    host.volume.chmod(0o755)

    assert once(host)
    assert "not writable by its group" in caplog.text


def test_it_does_not_begin_where_it_cannot_work(host: Host) -> None:
    host.applications.rmdir()

    with pytest.raises(StartupError, match="applications folder"):
        once(host)


def test_a_mistake_of_its_own_does_not_end_it(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.application("a")
    failures = iter(range(3))
    identify = claims.identify

    def mistaken(claim: Claim, found: bytes, problem: Callable[[str], str | None]) -> Flag | str:
        if next(failures, None) is None:
            return identify(claim, found, problem)
        raise TypeError("no such thing")

    monkeypatch.setattr(claims, "identify", mistaken)

    async def visit() -> None:
        host.flag("a", "v1")
        await eventually(lambda: host.result("run-v1").get("state") == "deployed")

    assert not serve(host, visit, poll=0.05)
    assert host.runs("a") == ["v1"]
