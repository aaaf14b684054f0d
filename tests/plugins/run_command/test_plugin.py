"""The action run-command: from a signed release to the command, and what becomes of the run."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from attrs import evolve
from click.testing import CliRunner
from tests.plugins.run_command.conftest import is_alive
from tests.server_support import run as run_of

from duct_tape.api import Outcome, Run, Template, TransientError
from duct_tape.assembly import assemble
from duct_tape.cli import group
from duct_tape.cli.check import check
from duct_tape.testing import Harness
from duct_tape_github.sample import release_payload
from duct_tape_run_command.command import command_of
from duct_tape_run_command.conf import RunCommandSettings
from duct_tape_run_command.plugin import judged
from duct_tape_run_command.process import Ended
from signing import github_signature

if TYPE_CHECKING:
    import httpx2
    from tests.plugins.run_command.conftest import Script

Pids = Callable[[int], list[int]]
Text = Callable[..., str]

SECRET = "4f1d0c5a9b3e4c7d8a6f"
CONFIGURATION = """
[triggers.go]
action = "run-command"
TRIGGER
[plugins.run-command]
[plugins.github]
secrets = [{ file = "FOLDER/secret" }]
triggers = ["go"]
[plugins.github.repositories."acme/site"]
application = "site.example.com"
"""


@pytest.fixture
def text(tmp_path: Path) -> Text:
    """A configuration that runs a program in the test's folder."""
    (tmp_path / "secret").write_text(SECRET)

    def made(program: str, *arguments: str, more: str = "") -> str:
        command = f"command = {json.dumps([program, *arguments])}\ndirectory = {json.dumps(str(tmp_path))}\n{more}"
        return CONFIGURATION.replace("TRIGGER", command).replace("FOLDER", str(tmp_path))

    return made


def deliver(harness: Harness, tag: str = "v1") -> httpx2.Response:
    body = json.dumps(release_payload("acme/site", tag=tag)).encode()
    headers = {
        "X-GitHub-Event": "release",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": github_signature(SECRET.encode(), body),
    }
    return harness.post("github", body, headers)


def carried_out(folder: Path, configuration: str, tag: str = "v1") -> Run:
    """The run of a release, once it is over."""
    with Harness(folder, configuration) as harness:
        assert deliver(harness, tag).status_code == 202
        harness.settle()
        (run,) = harness.runs()
    return run


def test_a_signed_release_runs_the_command(
    script: Script, text: Text, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = script(
        'read line; printf "%s\\n" "$1" "$REF" "$DUCT_TAPE_RUN" "$DUCT_TAPE_REPOSITORY" "$line" > out\necho well'
    )
    more = 'environment = { REF = "refs/tags/{{ release.tag }}" }'
    run = carried_out(tmp_path, text(program, "--tag={{ release.tag }}", more=more), "v1; reboot")
    tag, ref, identity, repository, line = (tmp_path / "out").read_text().splitlines()
    assert (tag, ref, identity, repository) == ("--tag=v1; reboot", "refs/tags/v1; reboot", run.id, "acme/site")
    assert json.loads(line) == json.loads(run.flag().to_line())
    assert (run.state, run.detail) == ("done", f"{program} ended with exit code 0")
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(group, ["runs", "show", run.id]).output.splitlines()
    assert "exit_code:    0" in shown
    assert shown[-1] == "  | well"


def test_a_command_that_fails_is_a_run_that_failed_once(script: Script, text: Text, tmp_path: Path) -> None:
    run = carried_out(tmp_path, text(script("echo run >> runs; echo no such host >&2; exit 3")))
    assert (run.state, run.attempts) == ("failed", 1)
    assert run.detail.endswith("/program ended with exit code 3")
    assert run.result
    assert (run.result.exit_code, run.result.output) == (3, "no such host")
    assert (tmp_path / "runs").read_text() == "run\n"


def test_it_is_tried_again_where_you_say_so(script: Script, text: Text, tmp_path: Path) -> None:
    program = script('echo "$DUCT_TAPE_RUN" >> runs; test "$(wc -l < runs)" = 3')
    run = carried_out(tmp_path, text(program, more="attempts = 3"))
    assert (run.state, run.attempts) == ("done", 3)
    assert (tmp_path / "runs").read_text().split() == [run.id] * 3


def test_what_takes_too_long_timed_out(script: Script, text: Text, tmp_path: Path, pids: Pids) -> None:
    run = carried_out(tmp_path, text(script("echo $$ > pids; echo begun; exec sleep 60"), more="timeout = 0.5"))
    assert (run.state, run.attempts) == ("timed out", 1)
    assert run.detail.endswith("/program took longer than 0.5 seconds and was ended")
    assert run.result
    assert (run.result.exit_code, run.result.output) == (None, "begun")
    assert not is_alive(pids(1)[0])


def test_what_cannot_be_started_failed(script: Script, text: Text, tmp_path: Path) -> None:
    run = carried_out(tmp_path, text(script("", first="#!/no/such/interpreter\n")))
    assert run.state == "failed"
    assert "cannot be started: " in run.detail
    assert "No such file or directory" in run.detail


def test_a_program_that_is_gone_fails_the_run(script: Script, text: Text, tmp_path: Path) -> None:
    program = script("exit 0")
    with Harness(tmp_path, text(program)) as harness:
        Path(program).unlink()
        deliver(harness)
        harness.settle()
        (run,) = harness.runs()
    assert (run.state, run.detail) == ("failed", f"there is no executable file '{program}'")


@pytest.mark.parametrize("tag", ["--help", "-x"])
def test_a_tag_that_would_be_an_option_runs_nothing(script: Script, text: Text, tmp_path: Path, tag: str) -> None:
    run = carried_out(tmp_path, text(script("touch ran"), "{{ release.tag }}"), tag)
    assert run.state == "failed"
    assert "begins with a dash" in run.detail
    assert not (tmp_path / "ran").exists()


def test_a_short_command_may_end_while_the_server_stops(script: Script, text: Text, tmp_path: Path, pids: Pids) -> None:
    program = script("echo $$ > pids; while ! test -e go; do sleep 0.02; done; touch ran")
    with Harness(tmp_path, text(program)) as harness:
        deliver(harness)
        pids(1)
        (tmp_path / "go").touch()
    with Harness(tmp_path, text(program)) as harness:
        (run,) = harness.runs()
    assert run.state == "done"
    assert len(pids(1)) == 1


def test_simulating_and_checking_run_nothing(
    script: Script, text: Text, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "duct_tape.toml"
    path.write_text(text(script("touch ran"), "{{ application }}", "{{ release.tag }}"))
    (tmp_path / "payload.json").write_text(json.dumps(release_payload("acme/site", tag="a b\x1b")))
    assert check(assemble(path)) == []
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(group, ["simulate", "github", "release", "payload.json", "--config", str(path)])
    assert told.exit_code == 0, told.output
    assert f'command: ["{tmp_path}/program", "site.example.com", "a b\\u001b"]' in told.output
    assert not (tmp_path / "ran").exists()


def test_no_argument_is_in_the_log(
    script: Script, text: Text, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    carried_out(tmp_path, text(script("exit 0"), "{{ payload.sender.login }}-jane-doe"))
    assert "jane-doe" not in caplog.text
    assert any(message.endswith(f"running {tmp_path}/program") for message in caplog.messages)


def test_one_that_a_service_manager_stopped_did_not_fail() -> None:
    run = run_of()
    settings = RunCommandSettings(command=(Template("env"),))
    command = command_of(run, settings, {})
    with pytest.raises(TransientError, match="was stopped together with the server"):
        judged(run, settings, command, Ended(code=143, stopped=True), 0.0)
    assert judged(run, settings, command, Ended(code=0, stopped=True), 0.0).state == "done"


def test_what_nobody_knows_failed() -> None:
    run = evolve(run_of(), attempts=3)
    settings = RunCommandSettings(command=(Template("env"),), attempts=3)
    outcome = judged(run, settings, command_of(run, settings, {}), Ended(), 0.0)
    assert isinstance(outcome, Outcome)
    assert (outcome.state, outcome.detail) == (
        "failed", "nobody knows how /usr/bin/env ended: the process that looked after it was killed",
    )  # fmt: skip
