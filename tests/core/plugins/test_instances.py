"""Several instances of one plugin: each has everything of its own, and one that is broken costs no other."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import click
import pytest
from attrs import frozen
from tests.failure_support import Start
from tests.server_support import CONFIGURATION, Recorder, decide, deliver, parse, sender

from duct_tape.api import (
    Check,
    Context,
    Decision,
    Event,
    Hmac,
    PluginError,
    Problem,
    RawDelivery,
    Receiver,
    ReceiverRoute,
    Run,
    Secret,
    hookimpl,
    option,
)
from duct_tape.assembly import assemble
from duct_tape.cli.check import check
from duct_tape.cli.contributed import contributed_group
from duct_tape.cli.doctor import plugin_checks

NAMES = ("red", "blue", "green")


@frozen(kw_only=True)
class Conf:
    """What an instance needs to know."""

    secret: Secret = option("Who may send.")
    fails: str = option("The hook that fails.", default="")


class Rooms:
    """A plugin with all hooks, of which any instance can be told to fail."""

    DUCT_TAPE_API = (1, 0)

    def __init__(self) -> None:
        self.calls: list[str] = []

    @hookimpl
    def ducttape_config_class(self) -> type:
        return Conf

    def called(self, ctx: Context, name: str) -> None:
        self.calls.append(f"{name} {ctx.name}")
        if ctx.config.fails == name:
            raise PluginError("broken")

    @hookimpl
    def ducttape_setup(self, ctx: Context) -> None:
        self.called(ctx, "setup")

    @hookimpl
    def ducttape_routes(self, ctx: Context) -> Iterable[ReceiverRoute]:
        self.called(ctx, "routes")

        def decided(event: Event) -> Decision:
            ctx.log.info("decided")
            return decide(event)

        verifier = Hmac("signature", secrets=[ctx.config.secret])
        return [ReceiverRoute(Receiver(verifier=verifier, parse=parse, decide=decided))]

    @hookimpl
    @asynccontextmanager
    async def ducttape_lifespan(self, ctx: Context) -> AsyncIterator[None]:
        self.called(ctx, "lifespan")
        yield

    @hookimpl
    async def ducttape_on_run(self, ctx: Context, run: Run) -> None:
        self.called(ctx, "on_run")

    @hookimpl
    def ducttape_health(self, ctx: Context) -> Iterable[Check]:
        self.called(ctx, "health")
        return [Check(name=f"room {ctx.name}", healthy=True)]

    @hookimpl
    def ducttape_doctor(self, ctx: Context) -> Iterable[Check]:
        self.called(ctx, "doctor")
        return [Check(name=f"door {ctx.name}", healthy=True)]

    @hookimpl
    def ducttape_check(self, ctx: Context) -> Iterable[Problem]:
        self.called(ctx, "check")
        return [Problem(message=f"the room {ctx.name} is empty")]

    @hookimpl
    def ducttape_commands(self, ctx: Context) -> Iterable[click.Command]:
        self.called(ctx, "commands")
        return [click.Command(f"open-{ctx.name}")]


def secret(name: str) -> bytes:
    return f"the secret of {name}, long enough".encode()


def configured(folder: Path, names: Iterable[str], fails: str = "", broken: str = "green") -> str:
    """Instances with secrets of their own, of which one may fail."""
    tables = []
    for name in names:
        (folder / f"{name}.secret").write_bytes(secret(name))
        table = f'[plugins.{name}]\nuse = "rooms"\nsecret = {{ file = "{folder}/{name}.secret" }}\n'
        tables.append(table + (f'fails = "{fails}"\n' if name == broken else ""))
    return CONFIGURATION + "".join(tables)


def post(harness: Any, name: str, signer: str) -> int:
    verifier = Hmac("signature", secrets=[Secret("here", secret(signer))])
    delivery = verifier.sign(RawDelivery.build({}, b'{"delivery": "d-1"}'))
    code: int = harness.post(name, delivery.body, dict(delivery.headers)).status_code
    return code


def started(start: Start, folder: Path, names: Iterable[str], fails: str = "") -> tuple[Any, Rooms]:
    rooms = Rooms()
    plugins = {"rooms": rooms, "recorder": Recorder().module, "sender": sender()}
    return start(configured(folder, names, fails), plugins=plugins), rooms


@pytest.mark.parametrize("names", [NAMES[:2], NAMES])
def test_each_has_a_url_a_secret_and_a_log_of_its_own(
    ducttape: Start, tmp_path: Path, names: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    harness, rooms = started(ducttape, tmp_path, names)
    codes = {(name, signer): post(harness, name, signer) for name in names for signer in names}
    assert {pair for pair, code in codes.items() if code != 401} == {(name, name) for name in names}
    assert [record.name for record in caplog.records if record.message == "decided"] == list(names)
    harness.settle()
    for hook in ("setup", "routes", "lifespan"):
        assert [call for call in rooms.calls if call.startswith(hook)] == [f"{hook} {name}" for name in names]


def test_each_is_asked_by_the_commands_for_what_is_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rooms = Rooms()
    path = tmp_path / "duct_tape.toml"
    path.write_text(configured(tmp_path, NAMES))
    plugins = {"rooms": rooms, "recorder": Recorder().module, "sender": sender()}
    assembly = assemble(path, plugins).require()
    messages = [problem.message for problem in check(assembly)]
    assert messages == [f"the room {name} is empty" for name in NAMES]
    doors = [f"{thing} {name}" for name in NAMES for thing in ("room", "door")]
    assert [found.name for found in plugin_checks(assembly)] == doors
    monkeypatch.setattr("duct_tape.cli.contributed.assemble", lambda: assembly)
    for name in NAMES:
        group = contributed_group(name)
        assert group is not None
        assert [command for command in group.commands if command.startswith("open")] == [f"open-{name}"]


@pytest.mark.parametrize("hook", ["setup", "routes", "lifespan"])
def test_one_that_is_broken_is_off_alone(
    ducttape: Start, tmp_path: Path, hook: str, caplog: pytest.LogCaptureFixture
) -> None:
    harness, _ = started(ducttape, tmp_path, NAMES, hook)
    assert [post(harness, name, name) for name in NAMES] == [202, 202, 503]
    assert [harness.instance(name).on for name in NAMES] == [True, True, False]
    assert [line for line in caplog.messages if "is off" in line] == [f"plugin green (object 0) is off: {hook}: broken"]


def test_one_that_fails_at_its_work_keeps_nothing_from_the_others(ducttape: Start, tmp_path: Path) -> None:
    harness, rooms = started(ducttape, tmp_path, NAMES, "on_run")
    deliver(harness)
    harness.settle()
    told = [call for call in rooms.calls if call.startswith("on_run")]
    assert told == [f"on_run {name}" for name in NAMES] * 2
    assert [harness.instance(name).failures for name in NAMES] == [0, 0, 2]
