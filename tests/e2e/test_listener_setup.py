"""What an operator runs once: the shared folder's command, and what the two units of the listener share."""

from __future__ import annotations

import grp
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.listener_support import ROOT

SETUP = ROOT / "scripts" / "setup-volume"
UNITS = sorted((ROOT / "scripts" / "systemd").glob("duct-tape-listen*.service"))


def setup(*words: str, uid: int = 0, tools: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Call the script as it is, with programs in ``tools`` in place of the system's."""
    path = os.environ["PATH"]
    if tools:
        (tools / "id").write_text(f"#!/bin/sh\n[ $1 = -u ] && echo {uid} || echo {os.getgid()}\n")
        (tools / "id").chmod(0o755)
        path = f"{tools}:{path}"
    return subprocess.run(
        [SETUP, *words], env={"PATH": path}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    (tmp_path / "tools").mkdir()
    return tmp_path / "tools"


def test_the_folder_is_made_and_a_second_time_changes_nothing(tmp_path: Path, tools: Path) -> None:
    group = grp.getgrgid(os.getgid()).gr_name
    volume = tmp_path / "a volume"
    first = setup(str(volume), group, tools=tools)
    (volume / "flag").touch(mode=0o600)
    second = setup(str(volume), group, tools=tools)

    assert (first.returncode, second.returncode) == (0, 0), first.stdout + second.stdout
    assert volume.stat().st_mode & 0o7777 == 0o2770
    assert volume.stat().st_gid == os.getgid()
    assert (volume / "flag").stat().st_mode & 0o7777 == 0o600
    assert f"made the folder {volume}" in first.stdout
    assert "made the folder" not in second.stdout
    assert f"DUCT_TAPE_GID={os.getgid()}" in second.stdout


def test_a_group_is_made_with_its_number(tmp_path: Path, tools: Path) -> None:
    made = tmp_path / "made"
    for name, script in {
        "groupadd": f'echo "$@" >{made}',
        "getent": f"[ -e {made} ] && echo some:x:4242:; exit 0",
        "chgrp": "exit 0",
    }.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)

    done = setup(str(tmp_path / "volume"), "some", "4242", tools=tools)

    assert done.returncode == 0, done.stdout
    assert made.read_text() == "--system --gid 4242 some\n"
    assert "made the group some with the number 4242" in done.stdout


def test_without_root_it_says_what_can_be_done(tmp_path: Path, tools: Path) -> None:
    done = setup(str(tmp_path / "volume"), uid=1000, tools=tools)

    assert done.returncode == 1
    assert f"sudo {SETUP} {tmp_path / 'volume'}" in done.stdout
    assert "Without root" in done.stdout
    assert not (tmp_path / "volume").exists()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["/etc"], 1, "not a folder of Duct Tape's own"),
        (["/usr/../home/"], 1, "not a folder of Duct Tape's own"),
        (["x", "-n"], 1, "cannot be the name of a group"),
        (["x", "g", "12a"], 1, "GID is a number"),
        (["x", "root", "12"], 1, "has the number 0 already"),
        (["x", "g", "1", "more"], 2, "setup-volume DIR"),
        (["--wrong"], 2, "setup-volume DIR"),
        ([], 0, "setup-volume DIR"),
    ],
)
def test_wrong_words(words: list[str], code: int, message: str) -> None:
    done = setup(*words)

    assert (done.returncode, message in done.stdout) == (code, True), done.stdout


def test_links_and_files_are_no_volumes(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path)

    assert "is not a folder" in setup(str(tmp_path / "file")).stdout
    assert "is a link" in setup(str(tmp_path / "link")).stdout


@pytest.mark.parametrize("name", ["listen", "deploy-containers", "setup-volume"])
def test_shellcheck_has_nothing_to_say(name: str) -> None:
    shellcheck = shutil.which("shellcheck")
    assert shellcheck, "shellcheck is missing: apt-get install shellcheck"
    done = subprocess.run(
        [shellcheck, "-x", "-P", ROOT, ROOT / "scripts" / name], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_units_differ_in_what_they_start_alone() -> None:
    services = [_service(unit) for unit in UNITS]
    started = [[line for line in lines if line.startswith("ExecStart=")] for lines in services]

    assert started == [
        ["ExecStart=/srv/duct-tape/scripts/listen"],
        ["ExecStart=/srv/duct-tape/.venv/bin/duct-tape listen"],
    ]
    assert set(services[0]) - set(started[0]) == set(services[1]) - set(started[1])


def _service(unit: Path) -> list[str]:
    section = unit.read_text().partition("[Service]\n")[2].partition("[Install]")[0]
    return [line for line in section.split("\n") if line and not line.startswith("#")]
