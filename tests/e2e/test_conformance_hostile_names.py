"""The listener's contract, in both of its forms: no name is a word, an option, a pattern or a path."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest
from tests.listener_support import Host


def test_an_application_whose_name_holds_a_space(host: Host) -> None:
    host.application("my app", 'echo "<$DUCT_TAPE_APPLICATION>"')
    host.application("my")
    host.start()
    host.flag("my app", "v1")

    assert host.state("run-v1", "deployed")["output"] == "<my app>"
    assert host.runs("my") == []


@pytest.mark.parametrize("name", ['it\'s "quoted" $(touch pwned)', "ünïcödé", "@", "[a]*"])
def test_an_application_with_an_odd_name_of_its_own(host: Host, name: str) -> None:
    host.application(name)
    host.application("other")
    host.start()
    host.flag(name, "v1")

    assert host.state("run-v1", "deployed")["application"] == name
    assert host.runs("other") == []
    assert name in json.loads((host.volume / ".listener.json").read_text())["applications"]


def test_names_are_never_words_options_patterns_or_paths(host: Host) -> None:
    evil = host.root / "evil" / "bin" / "deploy"
    evil.parent.mkdir(parents=True)
    evil.write_text(f"#!/bin/sh\ntouch '{host.root}/pwned'\n")
    evil.chmod(0o755)
    host.application("a")
    host.application("-n")
    names = [
        b"*",
        b"?",
        b"-n",
        b"-rf",
        b" a",
        b"a ",
        b"a\nb CREATE a",
        b"a\\",
        b"$(touch pwned)",
        b"\xff\xfe",
        b"unknown",
    ]
    for name in [*names, b"x" * 255]:
        Path(os.fsdecode(os.fsencode(host.volume) + b"/" + name)).write_text('{"run": "r", "application": "../evil"}')

    listener = host.start()
    host.flag("a", "good")
    host.state("run-good", "deployed")

    assert host.at_top() == []
    assert len(host.aside()) == len(names) + 1
    assert host.runs("a") == ["good"]
    assert host.runs("-n") == []
    assert not (host.root / "pwned").exists()
    assert listener.log().count("set aside") == len(names) + 1
    assert all(line.isprintable() for line in listener.log().splitlines())


def test_what_is_no_file_is_set_aside_and_never_in_the_way(host: Host) -> None:
    for name in ("folder", "link", "pipe", "socket", "huge", "dangling"):
        host.application(name)
    (host.volume / "folder" / "full").mkdir(parents=True)
    (host.volume / "link").symlink_to("/etc/passwd")
    (host.volume / "dangling").symlink_to("nowhere")
    os.mkfifo(host.volume / "pipe")
    (host.volume / "huge").write_bytes(b" " * (64 * 1024 + 1))
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(host.volume / "socket"))
    (host.volume / ".hidden").touch()
    host.application("good")

    listener = host.start()
    host.flag("good", "v1")
    host.state("run-v1", "deployed")

    assert host.at_top() == []
    assert len(host.aside()) == 6
    assert (host.volume / ".hidden").exists()
    for name in ("folder", "link", "pipe", "socket", "huge", "dangling"):
        assert host.runs(name) == []
        assert f"-{name}: " in listener.log()


def test_what_is_set_aside_is_bounded_and_full_folders_are_kept(host: Host) -> None:
    (host.volume / "folder" / "dear").mkdir(parents=True)
    for number in range(130):
        (host.volume / f"zz-unknown{number}").touch()

    assert host.once()[0] == 1

    assert host.at_top() == []
    assert len(host.aside()) == 100
    assert any(name.endswith("-folder") for name in host.aside())


def test_only_real_applications_count(host: Host) -> None:
    outside = host.root / "outside"
    host.application("real").rename(outside)
    (host.applications / "linked").symlink_to(outside)
    (host.applications / "linked-script" / "bin").mkdir(parents=True)
    (host.applications / "linked-script" / "bin" / "deploy").symlink_to(outside / "bin" / "deploy")
    host.application("no-exec").joinpath("bin/deploy").chmod(0o644)
    (host.applications / "folder-deploy" / "bin" / "deploy").mkdir(parents=True)
    (host.applications / "bare").mkdir()
    (host.applications / "file").touch()
    names = ["linked", "linked-script", "no-exec", "folder-deploy", "bare", "file"]
    for name in names:
        host.flag(name, "v1")

    code, log = host.once()

    assert code == 1
    assert len(host.aside()) == len(names)
    assert not (outside / "runs").exists()
    assert log.count("warning: set aside") == len(names)


def test_duct_tapes_own_folders_are_not_what_a_stranger_made_of_them(host: Host) -> None:
    target = host.root / "target"
    target.mkdir(mode=0o777)
    for name in (".results", ".running", ".set-aside"):
        (host.volume / name).symlink_to(target)
    (host.volume / ".listener.lock").mkdir()
    host.application("app1")
    host.flag("app1", "v1")
    (host.volume / "unknown").touch()

    host.once()

    assert host.result("run-v1")["state"] == "deployed"
    assert list(target.iterdir()) == []
    assert (host.volume / ".running").stat().st_mode & 0o077 == 0


def test_a_run_id_that_is_a_path_is_never_a_file_name(host: Host) -> None:
    host.application("app1", 'echo "$DUCT_TAPE_RUN"')
    host.flag("app1", "v1", run="../../escaped")

    assert host.once()[0] == 0

    (result,) = host.results()
    assert result["run"].startswith("local-")
    assert result["output"] == result["run"]
    assert not list(host.root.glob("escaped*"))
