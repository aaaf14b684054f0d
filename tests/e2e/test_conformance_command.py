"""The listener's contract, in both of its forms: what an operator sees of the command itself."""

from __future__ import annotations

import json

import pytest
from tests.listener_support import COMMANDS, ROOT, Host, until


@pytest.mark.parametrize("second", sorted(COMMANDS))
def test_a_second_listener_refuses_in_one_sentence(host: Host, second: str) -> None:
    host.start()
    other = host.launch(form=second)

    assert other.process.wait(10) == 1
    assert other.log() == f"error: another listener already answers the flags in {host.volume}\n"


def test_the_heartbeat(host: Host) -> None:
    host.application("b app")
    host.application("a")
    host.application("off").joinpath("bin/deploy").chmod(0o644)
    listener = host.start()
    beat = json.loads((host.volume / ".listener.json").read_text())

    assert list(beat) == ["version", "pid", "started", "last_scan", "applications"]
    assert beat["pid"] == listener.process.pid
    assert beat["applications"] == ["a", "b app"]
    assert beat["started"] <= beat["last_scan"]

    if host.form == "shell":  # It takes five seconds; in Python, a test with a faster heart has seen it.
        until(lambda: json.loads((host.volume / ".listener.json").read_text())["last_scan"] != beat["last_scan"])


def test_once_without_flags_is_fine(host: Host) -> None:
    assert host.once()[0] == 0


def test_once_answers_what_is_there(host: Host) -> None:
    host.application("a")
    host.application("b", "exit 1")
    host.flag("a", "v1")
    assert host.once()[0] == 0
    host.flag("a", "v2")
    host.flag("b", "v3")
    assert host.once()[0] == 1
    assert host.runs("a") == ["v1", "v2"]


def test_folders_that_are_missing_are_one_sentence(host: Host) -> None:
    host.volume.rmdir()
    code, log = host.once()
    assert code == 1
    assert log == f"error: the shared volume {host.volume} does not exist: create it, or correct --volume\n"

    host.make_volume()
    host.applications.rmdir()
    code, log = host.once()
    assert code == 1
    assert log.startswith(f"error: the applications folder {host.applications} does not exist")
    assert log.count("\n") == 1


def test_applications_below_the_volume_are_refused(host: Host) -> None:
    host.applications.rmdir()
    (host.volume / "apps").mkdir()
    host.applications.symlink_to(host.volume / "apps")
    code, log = host.once()

    assert code == 1
    assert "keep them apart" in log


@pytest.mark.parametrize(
    ("option", "values"),
    [
        ("--concurrency", ["none", "0", "65", "-1", "1.5", ""]),
        ("--timeout", ["0", "0.0", "-1", "nan", "inf", "1h", ""]),
        ("--grace", ["-1", "nan", "soon", ""]),
        ("--kill-after", ["-1", "inf", "soon", ""]),
    ],
)
def test_wrong_numbers(host: Host, option: str, values: list[str]) -> None:
    listeners = [host.launch("--once", option, value) for value in values]

    assert [listener.process.wait(20) for listener in listeners] == [2] * len(values)
    assert all(option in listener.log() for listener in listeners)


def test_right_numbers(host: Host) -> None:
    options = ("--concurrency", "64", "--timeout", "0.5", "--grace", "08", "--kill-after", "0")

    assert host.once(*options)[0] == 0


def test_numbers_from_the_environment_are_looked_at_too(host: Host) -> None:
    assert host.once(DUCT_TAPE_TIMEOUT="0")[0] == 2


def test_both_forms_have_the_same_version() -> None:
    from duct_tape import __version__

    assert f"VERSION={__version__} " in (ROOT / "scripts" / "listener.bash").read_text()
