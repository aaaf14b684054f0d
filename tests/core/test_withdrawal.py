"""Withdrawal: a flag is taken back or left alone, whatever happens in the same moment."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from duct_tape import withdrawal
from duct_tape.flags import Flag
from duct_tape.volume import Volume

RENAME = os.rename


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    return Volume(tmp_path)


def line(run: str) -> bytes:
    return Flag(run=run, application="app").to_line().encode()


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None], *, after: bool = False) -> None:
    """Let something happen just before, or after, the flag is renamed away."""

    def rename(source: str, target: str, **handles: int) -> None:
        monkeypatch.setattr(os, "rename", RENAME)
        if not after:
            happens()
        RENAME(source, target, **handles)
        if after:
            happens()

    monkeypatch.setattr(os, "rename", rename)


@pytest.mark.parametrize("name", ["app", "app--v1.2.3", "*", "a\nb"])
def test_a_flag_is_taken_back_whatever_its_name(volume: Volume, name: str) -> None:
    (volume.path / name).write_bytes(line("run-1"))
    (volume.path / "other").write_bytes(line("run-2"))
    assert volume.holds("run-1")
    assert volume.withdraw("run-1")
    assert not volume.withdraw("run-1")
    assert not volume.holds("run-1")
    assert os.listdir(volume.path) == ["other"]


def test_only_regular_files_at_the_top_are_flags(volume: Volume, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "flag"
    outside.write_bytes(line("run-1"))
    (volume.path / "link").symlink_to(outside)
    os.mkfifo(volume.path / "pipe")
    (volume.path / "folder").mkdir()
    (volume.path / ".hidden").write_bytes(line("run-1"))
    (volume.path / "huge").write_bytes(b" " * 70_000 + line("run-1"))
    (volume.path / "empty").touch()
    assert not volume.withdraw("run-1")
    assert len(os.listdir(volume.path)) == 6


def test_the_search_is_bounded(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(withdrawal, "MOST_LOOKED_AT", 3)
    for number in range(3):
        (volume.path / f"forged-{number}").touch()
    assert not volume.withdraw("run-1")
    (volume.path / "app").write_bytes(line("run-1"))
    assert volume.holds("run-1", "app")
    assert volume.withdraw("run-1", "app")
    (volume.path / "forged-0").write_bytes(line("run-1"))
    assert volume.withdraw("run-1")


def test_the_listener_may_be_quicker(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    (volume.path / "app").write_bytes(line("run-1"))
    meanwhile(monkeypatch, (volume.path / "app").unlink)
    assert not volume.withdraw("run-1")
    assert os.listdir(volume.path) == []


def test_a_newer_flag_that_was_taken_by_mistake_is_put_back(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    (volume.path / "app").write_bytes(line("run-1"))
    meanwhile(monkeypatch, lambda: replaced(volume, "run-2"))
    assert not volume.withdraw("run-1")
    assert (volume.path / "app").read_bytes() == line("run-2")
    assert os.listdir(volume.path) == ["app"]


def test_nothing_newer_is_replaced_by_what_is_put_back(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    (volume.path / "app").write_bytes(line("run-1"))
    meanwhile(monkeypatch, lambda: replaced(volume, "run-2"))
    monkeypatch.setattr(withdrawal, "_asks_for", newer_comes(volume))
    assert not volume.withdraw("run-1")
    assert (volume.path / "app").read_bytes() == line("run-3")
    assert os.listdir(volume.path) == ["app"]


def test_a_flag_that_comes_after_it_was_taken_back_stays(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    (volume.path / "app").write_bytes(line("run-1"))
    meanwhile(monkeypatch, lambda: replaced(volume, "run-2"), after=True)
    assert volume.withdraw("run-1")
    assert (volume.path / "app").read_bytes() == line("run-2")


def test_a_newer_flag_is_put_back_also_when_the_command_is_interrupted(
    volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks_for = withdrawal._asks_for

    def interrupted(folder: int, name: str, run: str) -> bool:
        if name.startswith(".tmp-"):
            raise KeyboardInterrupt
        return asks_for(folder, name, run)

    (volume.path / "app").write_bytes(line("run-1"))
    meanwhile(monkeypatch, lambda: replaced(volume, "run-2"))
    monkeypatch.setattr(withdrawal, "_asks_for", interrupted)
    with pytest.raises(KeyboardInterrupt):
        volume.withdraw("run-1")
    assert (volume.path / "app").read_bytes() == line("run-2")
    assert os.listdir(volume.path) == ["app"]


@pytest.mark.parametrize("newer", [False, True])
def test_where_there_are_no_links_it_is_put_back_all_the_same(
    volume: Volume, monkeypatch: pytest.MonkeyPatch, newer: bool
) -> None:
    def link(*_: object, **__: object) -> None:
        if newer:
            volume.put("app", line("run-3"))
        raise OSError(errno.EPERM, "no links here")

    (volume.path / "app").write_bytes(line("run-1"))
    meanwhile(monkeypatch, lambda: replaced(volume, "run-2"))
    monkeypatch.setattr(os, "link", link)
    assert not volume.withdraw("run-1")
    assert (volume.path / "app").read_bytes() == line("run-3" if newer else "run-2")


def test_a_release_in_the_same_moment_is_never_lost(volume: Volume) -> None:
    for number in range(300):
        run, newer = f"run-{number}", f"newer-{number}"
        volume.put("app", line(run))
        beside = threading.Thread(target=volume.put, args=("app", line(newer)))
        beside.start()
        volume.withdraw(run)
        beside.join()
        assert volume.read("app") == line(newer)
    assert os.listdir(volume.path) == ["app"]


def replaced(volume: Volume, run: str) -> None:
    (volume.path / "app").write_bytes(line(run))


def newer_comes(volume: Volume) -> Callable[[int, str, str], bool]:
    """The look at a flag; a newer one appears when the one that was taken is looked at."""
    asks_for = withdrawal._asks_for

    def look(folder: int, name: str, run: str) -> bool:
        if name.startswith(".tmp-"):
            replaced(volume, "run-3")
        return asks_for(folder, name, run)

    return look
