from __future__ import annotations

import pytest
from tests.listener_support import Host

from duct_tape.listener import aside, claims
from duct_tape.listener.spool import Spool


def test_things_of_any_kind_are_moved(host: Host, spool: Spool) -> None:
    (host.volume / "-rf\n").touch()
    (host.volume / "folder" / "full").mkdir(parents=True)
    (host.volume / "link").symlink_to("/")

    for name in host.at_top():
        assert aside.set_aside(spool, name) in host.aside()

    assert host.at_top() == []


def test_a_claim_is_moved_and_forgotten(host: Host, spool: Spool) -> None:
    (host.volume / "app").write_text("content")
    claim = claims.take(spool, "app", "")
    assert claim

    name = aside.set_claim_aside(spool, claim)

    assert host.claims() == []
    assert (host.volume / ".set-aside" / name).read_text() == "content"


def test_the_oldest_make_room(host: Host, spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside, "KEEP", 3)
    (host.volume / "empty").mkdir()
    aside.set_aside(spool, "empty")
    for number in range(5):
        (host.volume / f"f{number}").touch()
        aside.set_aside(spool, f"f{number}")

    assert [name[-2:] for name in host.aside()] == ["f2", "f3", "f4"]


def test_folders_that_hold_something_are_never_deleted(
    host: Host, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "KEEP", 2)
    for number in range(3):
        (host.volume / f"d{number}" / "dear").mkdir(parents=True)
    aside.set_aside(spool, "d0")
    aside.set_aside(spool, "d1")

    with pytest.raises(OSError, match="too many folders"):
        aside.set_aside(spool, "d2")

    assert host.at_top() == ["d2"]
    assert len(host.aside()) == 2


def test_a_folder_full_of_a_strangers_files_is_emptied_bit_by_bit(
    host: Host, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "KEEP", 3)
    monkeypatch.setattr(aside, "MOST_LISTED", 50)
    folder = host.volume / ".set-aside"
    folder.mkdir()
    for number in range(100):
        (folder / f"{number}").touch()
    left = []
    for number in range(8):
        (host.volume / f"f{number}").touch()
        aside.set_aside(spool, f"f{number}")
        left.append(len(host.aside()))
    assert left[0] == 81
    assert left[-1] == 3
