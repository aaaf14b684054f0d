"""``duct-tape doctor``."""

from __future__ import annotations

import http.client
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs
import click

from duct_tape.assembly import Assembly, assemble, local_url
from duct_tape.cli.check import check
from duct_tape.cli.journal import moment, with_journal
from duct_tape.cli.options import config_option, json_option, print_json
from duct_tape.errors import DuctTapeError, StartupError
from duct_tape.health import is_check
from duct_tape.hookspecs import Check
from duct_tape.journal import Pause, Recorded
from duct_tape.journal.sqlite import SQLiteJournal
from duct_tape.logs import escaped
from duct_tape.plugins.isolation import HOOK_SECONDS, PluginFailure, call
from duct_tape.runs import Run

# Before this program was written no clock can be right.
EARLIEST = 1_767_225_600.0
SECONDS = 5.0
# What is asked of each plugin, and for how long.
HOOKS = (("ducttape_health", SECONDS), ("ducttape_doctor", HOOK_SECONDS))
# A delivery that seems to come from later than this was recorded under another clock.
AHEAD = 5.0
MANY = 100


@click.command("doctor", epilog="Example: duct-tape doctor --json")
@config_option
@json_option
def command(config: Path | None, as_json: bool) -> int:
    """Look for what keeps a release from being deployed.

    Run it where the server runs, as the server's user: in the container, if there is one. Exit code 1 if
    anything is wrong.
    """
    logging.disable(logging.CRITICAL)
    found = list(examined(assemble(config), config))
    if as_json:
        print_json({"checks": [attrs.asdict(item) for item in found]})
    else:
        width = max(len(item.name) for item in found)
        for item in found:
            click.echo(f"{'ok' if item.healthy else 'WRONG':<6} {item.name:<{width}}  {escaped(item.detail)}".rstrip())
    return 0 if all(item.healthy for item in found) else 1


def examined(assembly: Assembly, config: Path | None) -> Iterator[Check]:
    """Every check, one after the other."""
    yield from _configuration(assembly)
    yield _volume(assembly)
    yield from plugin_checks(assembly)
    yield _server(assembly)
    yield _public_url(assembly)
    yield _clock()
    yield from _journal(config)


def _configuration(assembly: Assembly) -> Iterable[Check]:
    problems = check(assembly)
    path = str(assembly.configuration.sources.path)
    if not problems:
        return [Check(name="configuration", healthy=True, detail=path)]
    return [Check(name="configuration", healthy=False, detail=str(problem)) for problem in problems]


def _volume(assembly: Assembly) -> Check:
    try:
        assembly.volume.check()
    except StartupError as error:
        return Check(name="volume", healthy=False, detail=str(error))
    return Check(name="volume", healthy=True, detail=f"{assembly.volume.path} can be written")


def plugin_checks(assembly: Assembly) -> Iterator[Check]:
    """What the plugins say of themselves."""
    for instance in assembly.registry:
        for name, seconds in HOOKS:
            hook = assembly.registry.hook(instance, name)
            if hook is None:
                continue
            try:
                yield from call(lambda: checked(hook), seconds)  # noqa: B023
            except PluginFailure as failure:
                yield Check(name=f"plugin {instance.name}", healthy=False, detail=str(failure))


def checked(hook: Callable[[], Any]) -> tuple[Check, ...]:
    """The hook's checks.

    :raises PluginFailure: it returned something else.
    """
    found = tuple(hook() or ())
    if not all(map(is_check, found)):
        raise PluginFailure("its checks must be Checks", unexpected=False)
    return found


def _server(assembly: Assembly) -> Check:
    url = local_url(assembly.configuration.core.server.bind)
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=SECONDS)
    try:
        ours = _got(connection, "/healthz") == b'{"status":"ok"}'
        ready = _got(connection, "/readyz") == b'{"status":"ready"}'
    except (OSError, http.client.HTTPException) as error:
        return Check(name="server", healthy=False, detail=f"nobody answers at {url} ({error}): `duct-tape serve`")
    finally:
        connection.close()
    if not ours:
        return Check(name="server", healthy=False, detail=f"another program answers at {url}")
    detail = url if ready else f"{url} answers that it is not ready: its log says why, and the admin socket"
    return Check(name="server", healthy=ready, detail=detail)


def _got(connection: http.client.HTTPConnection, path: str) -> bytes:
    connection.request("GET", path)
    return connection.getresponse().read(100)


def _public_url(assembly: Assembly) -> Check:
    url = assembly.configuration.core.server.public_url
    if url is None:
        return Check(name="public url", healthy=True, detail="not set; `public_url` under [server] is shown to people")
    good = url.startswith("https://")
    detail = url if good else f"{url} is not https: anybody on the way can read the payloads"
    return Check(name="public url", healthy=good, detail=detail)


def _clock() -> Check:
    now = time.time()
    return Check(name="clock", healthy=now > EARLIEST, detail=moment(now))


def _journal(config: Path | None) -> Iterator[Check]:
    async def question(journal: SQLiteJournal) -> tuple[dict[str, int], list[Recorded], list[Run], list[Pause]]:
        await journal.examine()
        dead = await journal.dead(MANY)
        return await journal.counts(), await journal.deliveries(1), dead, await journal.pauses()

    try:
        counts, deliveries, dead, pauses = with_journal(config, question)
    except DuctTapeError as error:
        yield Check(name="journal", healthy=False, detail=str(error))
        return
    states = ", ".join(f"{number} {state}" for state, number in sorted(counts.items())) or "no runs"
    yield Check(name="journal", healthy=True, detail=states)
    yield _dead_letters(dead)
    for pause in pauses:
        why = f", since {moment(pause.since)}, {pause.reason or 'without a reason'}: `duct-tape resume`"
        yield Check(name="paused", healthy=False, detail=f"{pause.application} by {pause.who}{why}")
    if not deliveries:
        yield Check(name="last delivery", healthy=True, detail="none yet")
    for last in deliveries:
        ahead = last.received_at > time.time() + AHEAD
        when = f"{last.event} {last.action} of {last.repository}, {last.state}, at {moment(last.received_at)}"
        yield Check(name="last delivery", healthy=not ahead, detail=when + (", in the future" if ahead else ""))


def _dead_letters(dead: Sequence[Run]) -> Check:
    if not dead:
        return Check(name="dead letters", healthy=True, detail="none")
    number = f"{len(dead)} or more" if len(dead) == MANY else str(len(dead))
    names = ", ".join(sorted({run.application for run in dead}))
    hint = "`duct-tape runs list --dead`, then `runs retry` or `runs discard`"
    return Check(name="dead letters", healthy=False, detail=f"{number}, of {names}: {hint}")
