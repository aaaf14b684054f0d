"""Installed plugins that are broken, each in its own way: a release is deployed beside all of them at once."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from tests.e2e.broken_support import BROKEN, HEAD, SECONDS, Broken, hook
from tests.e2e.machine import Machine, until

TOKEN = "a token for this test, long enough"
# The program itself, with less patience. What is not broken is imported beforehand: it may take its time.
PROGRAM = f"""
import duct_tape_github.plugin, duct_tape_touch_file.plugin
from duct_tape import health, observers
from duct_tape.cli import main
from duct_tape.plugins import isolation, registry, watch
registry.Registry.__init__.__defaults__ = isolation.call.__defaults__ = ({SECONDS},)
observers.Observers.__init__.__defaults__ = ({SECONDS},)
health.SECONDS = watch.BLOCKED_SECONDS = {SECONDS}
main()
"""
WARNS = Broken("warns", f"{HEAD}warnings.warn('an old thing')\n{hook('setup', 'pass')}")
OFF = [broken for broken in BROKEN if broken.error]
FAILING = [broken for broken in BROKEN if broken.failure]
RED = [broken for broken in BROKEN if broken.error or broken.red]
CHECKED = [broken for broken in BROKEN if broken.error or broken.checked]


def program(machine: Machine, *arguments: str) -> list[str]:
    return [sys.executable, "-c", PROGRAM, *arguments, "--config", str(machine.configuration)]


def environment(machine: Machine) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(machine.folder / "site"), "PYTHONUNBUFFERED": "1"}


def asked(port: int, path: str, method: str = "GET") -> tuple[int, Any]:
    """Status and body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, headers={"Authorization": f"Bearer {TOKEN}"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def until_there(machine: Machine, count: int) -> list[dict[str, Any]]:
    """The admin socket's rows, once every failing hook has been called for both states of the run."""

    def rows() -> list[dict[str, Any]]:
        return list(asked(machine.port + 1, "/plugins")[1]["plugins"])

    failing = {broken.name for broken in FAILING}
    until(lambda: all(row["failures"] >= count for row in rows() if row["instance"] in failing), 60)
    return rows()


@frozen
class Seen:
    """What was there to see."""

    answer: int
    ready: int
    off: int
    log: list[str]
    checks: dict[str, dict[str, Any]]
    admin: dict[str, dict[str, Any]]
    listed: dict[str, dict[str, Any]]
    problems: dict[str, str]
    flags: list[str]
    exit_code: int


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """One server with all of them, a release, and what the commands say."""
    machine = Machine(tmp_path_factory.mktemp("broken"))
    (machine.folder / "token").write_text(TOKEN)
    for broken in [*BROKEN, WARNS]:
        broken.install(machine.folder / "site")
    (machine.folder / "site" / "api_missing.py").write_text("")
    machine.application("site", prereleases="false")
    with machine.configuration.open("a") as file:
        file.write(f'[admin]\nbind = ["127.0.0.1:{machine.port + 1}"]\ntoken = {{ file = "token" }}\n')
        file.write("".join(f"[plugins.{broken.name}]\n" for broken in [*BROKEN, WARNS]))
    try:
        yield observed(machine)
    finally:
        machine.close()


def observed(machine: Machine) -> Seen:
    options: dict[str, Any] = {"cwd": machine.folder, "env": environment(machine)}
    with (machine.folder / "server.log").open("wb") as log:
        server = subprocess.Popen(program(machine, "serve"), stdout=log, stderr=log, **options)
    machine.started.append(server)
    commands = [
        subprocess.Popen(program(machine, name, "--json"), stdout=subprocess.PIPE, text=True, **options)
        for name in ("plugins", "check")
    ]
    machine.started.extend(commands)
    listed, checked = (json.loads(command.communicate(timeout=120)[0]) for command in commands)
    until(machine.answers, 120)
    answer = machine.release("site", "v1.0.0")
    until(machine.flags)
    rows = until_there(machine, 2)
    _, status = asked(machine.port + 1, "/")
    ready, _ = asked(machine.port, "/readyz")
    off, _ = asked(machine.port, "/integrations/raises-routes", "POST")
    server.terminate()
    code = server.wait(30)
    return Seen(
        answer=answer.code,
        ready=ready,
        off=off,
        log=(machine.folder / "server.log").read_text().splitlines(),
        checks={check["name"]: check for check in status["checks"]},
        admin={row["instance"]: row for row in rows},
        listed={row["instance"]: row for row in listed["plugins"]},
        problems={problem["path"]: problem["message"] for problem in checked["problems"]},
        flags=machine.flags(),
        exit_code=code,
    )


def lines(seen: Seen, name: str) -> list[str]:
    return [line for line in seen.log if f"plugin {name} " in line]


def names(broken: list[Broken]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("broken", broken, ids=lambda one: one.name)


def test_a_signed_release_is_accepted_and_carried_out(seen: Seen) -> None:
    assert (seen.answer, seen.flags) == (202, ["site"])
    assert (seen.ready, seen.off) == (503, 503)
    assert (seen.admin["github"]["error"], seen.admin["touch-file"]["error"]) == (None, None)
    assert seen.exit_code == 0


@names(OFF)
def test_one_line_in_the_log_says_why_it_is_off(seen: Seen, broken: Broken) -> None:
    [line] = lines(seen, broken.name)
    assert line.endswith(f" error duct_tape.plugins: {broken.line}")


@names(OFF)
def test_the_command_and_the_admin_socket_say_the_same(seen: Seen, broken: Broken) -> None:
    assert seen.admin[broken.name]["error"] == broken.error
    if not broken.error.startswith("lifespan"):
        # Which only a server enters.
        assert seen.listed[broken.name]["error"] == broken.error


@names(RED)
def test_its_check_is_red_and_says_why(seen: Seen, broken: Broken) -> None:
    check = seen.checks[f"plugin {broken.name}"]
    assert (check["healthy"], check["detail"]) == (False, broken.red or broken.error.partition(": ")[2])


@names(FAILING)
def test_what_it_survives_is_one_line_each_time_and_counted(seen: Seen, broken: Broken) -> None:
    assert seen.admin[broken.name]["last_failure"] == broken.failure
    assert seen.admin[broken.name]["error"] is None
    found = lines(seen, broken.name)
    assert len(found) == seen.admin[broken.name]["failures"] == 2
    assert all(line.endswith(f": {broken.failure}") for line in found)


@names(CHECKED)
def test_check_says_it_before_the_server_starts(seen: Seen, broken: Broken) -> None:
    if not broken.error.startswith("lifespan"):
        said = seen.problems[f"plugins.{broken.name}"]
        assert said == (broken.checked or f"the plugin is off: {broken.error}")


def test_every_line_of_the_log_is_a_line_of_the_log(seen: Seen) -> None:
    assert [line for line in seen.log if not line.startswith("20") or " Traceback" in line] == []
    [line] = [line for line in seen.log if "an old thing" in line]
    assert line.endswith("warns.py, line 11)")
    assert " warning duct_tape: UserWarning: an old thing (" in line
    assert seen.admin["warns"]["error"] is None


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("colour = 1", "unknown key `colour` in plugins.warns ({file}); known keys: none"),
        (
            'use = "wrans"',
            "no plugin `wrans` is installed, in plugins.warns ({file}); did you mean `warns`?",
        ),
    ],
)
def test_a_wrong_configuration_and_a_plugin_that_is_not_there_stop_the_start(
    tmp_path: Path, table: str, text: str
) -> None:
    machine = Machine(tmp_path)
    WARNS.install(machine.folder / "site")
    with machine.configuration.open("a") as file:
        file.write(f"[plugins.warns]\n{table}\n")
    done = subprocess.run(
        program(machine, "serve"), cwd=tmp_path, env=environment(machine), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "error: " + text.format(file=machine.configuration)
