from __future__ import annotations

import os
import shutil
import socket

import pytest
from tests.listener_support import Host

from duct_tape.errors import StartupError
from duct_tape.listener.spool import LOCK, Spool


def test_one_process_holds_it(host: Host, spool: Spool) -> None:
    with pytest.raises(StartupError, match="another listener already answers the flags"):
        Spool.open(host.volume)


def test_it_can_be_held_again_after_it_was_closed(host: Host) -> None:
    Spool.open(host.volume).close()
    Spool.open(host.volume).close()


def test_a_volume_that_is_missing_or_no_folder(host: Host) -> None:
    (host.root / "file").touch()

    for name in ("none", "file"):
        with pytest.raises(StartupError, match="cannot be opened"):
            Spool.open(host.root / name)


def test_a_volume_that_cannot_be_written(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root may write everywhere, so the system's answer is given in its place.
    monkeypatch.setattr(os, "access", lambda *_, **__: False)

    with pytest.raises(StartupError, match=r"cannot be written by user .*scripts/setup-volume"):
        Spool.open(host.volume)


@pytest.mark.parametrize("kind", ["pipe", "link", "folder"])
def test_a_lock_that_is_something_else_is_made_anew(host: Host, kind: str) -> None:
    if kind == "pipe":
        os.mkfifo(host.volume / LOCK)
    elif kind == "folder":
        (host.volume / LOCK).mkdir()
    else:
        (host.volume / LOCK).symlink_to(host.root / "made")
    Spool.open(host.volume).close()

    assert (host.volume / LOCK).is_file()
    assert not (host.root / "made").exists()


def test_entries_are_sorted_by_age_and_know_their_kind(host: Host, spool: Spool) -> None:
    (host.volume / "younger").touch()
    os.utime(host.volume / "younger", (2, 2))
    (host.volume / "older").touch()
    os.utime(host.volume / "older", (1, 1))
    (host.volume / "folder").mkdir()
    (host.volume / "link").symlink_to("nowhere")
    os.mkfifo(host.volume / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(host.volume / "socket"))

    entries = spool.entries([*host.at_top(), "gone"])

    assert [entry.name for entry in entries][:2] == ["older", "younger"]
    assert {entry.name: entry.kind for entry in entries} == {
        "older": "",
        "younger": "",
        "folder": "a folder",
        "link": "a link",
        "pipe": "a pipe",
        "socket": "a socket",
    }


def test_a_volume_that_was_made_anew_is_not_this_one(host: Host, spool: Spool) -> None:
    assert spool.is_current()

    shutil.rmtree(host.volume)
    assert not spool.is_current()
    host.make_volume()
    assert not spool.is_current()


def test_without_its_lock_it_is_not_held(host: Host, spool: Spool) -> None:
    (host.volume / LOCK).unlink()
    assert not spool.is_current()


@pytest.mark.parametrize(
    ("mode", "words"),
    [(0o2770, None), (0o777, "open to every user"), (0o755, "not writable by its group"), (0o770, "not setgid")],
)
def test_doubts_about_who_can_leave_flags(host: Host, spool: Spool, mode: int, words: str | None) -> None:
    host.volume.chmod(mode)
    doubt = spool.doubt()

    assert doubt is None if words is None else words in (doubt or "")
