from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from duct_tape import files


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[int]:
    handle = os.open(tmp_path, os.O_RDONLY)
    yield handle
    os.close(handle)


def test_a_file_appears_whole_and_is_readable_for_the_group(tmp_path: Path, parent: int) -> None:
    before = os.umask(0o077)
    try:
        files.write(parent, "a", b"one", durable=True)
        files.write(parent, "a", b"two")
    finally:
        os.umask(before)

    assert (tmp_path / "a").read_bytes() == b"two"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["a"]


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path, parent: int) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)

    with pytest.raises(OSError, match="directory"):
        files.write(parent, "a", b"one")

    assert os.listdir(tmp_path) == ["a"]


def test_a_link_is_replaced_and_not_followed(tmp_path: Path, parent: int) -> None:
    (tmp_path / "target").write_text("dear")
    (tmp_path / "a").symlink_to("target")

    files.write(parent, "a", b"one")

    assert (tmp_path / "target").read_text() == "dear"
    with pytest.raises(FileExistsError):
        files.create(parent, "a")


def test_only_regular_files_are_read_and_only_their_start(tmp_path: Path, parent: int) -> None:
    (tmp_path / "file").write_bytes(b"x" * 10)
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    before = len(os.listdir("/proc/self/fd"))

    assert files.read(parent, "file", 4) == b"xxxx"
    for name in ("link", "pipe", "folder"):
        with pytest.raises(OSError, match=r"regular file|symbolic links"):
            files.read(parent, name, 4)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_file_is_read_from_its_middle(tmp_path: Path, parent: int) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    assert files.read(parent, "file", 3, 8) == b"89"
    assert files.read(parent, "file", 3, 11) == b""


@pytest.mark.parametrize(
    ("kind", "mode"), [({"private": True}, 0o700), ({}, 0o750), ({"shared": True}, 0o770)], ids=str
)
def test_an_own_folder_is_made_with_its_mode_whatever_the_umask(
    tmp_path: Path, parent: int, kind: dict[str, bool], mode: int
) -> None:
    tmp_path.chmod(0o2770)
    before = os.umask(0o077)
    try:
        with files.own_folder(parent, ".own", **kind) as handle:
            made = os.fstat(handle).st_ino
    finally:
        os.umask(before)
    with files.own_folder(parent, ".own", **kind) as handle:
        assert os.fstat(handle).st_ino == made

    assert (tmp_path / ".own").stat().st_mode & 0o7777 == 0o2000 | mode


def test_what_bears_the_name_of_an_own_folder_goes_out_of_the_way(tmp_path: Path, parent: int) -> None:
    (tmp_path / ".link").symlink_to("/")
    (tmp_path / ".file").touch()

    for name in (".link", ".file"):
        with files.own_folder(parent, name) as handle:
            assert os.listdir(handle) == []


def test_a_private_folder_that_others_can_enter_keeps_its_content_elsewhere(tmp_path: Path, parent: int) -> None:
    (tmp_path / ".own").mkdir()
    (tmp_path / ".own").chmod(0o777)
    (tmp_path / ".own" / "dear").touch()

    with files.own_folder(parent, ".own", private=True) as handle:
        assert os.listdir(handle) == []

    assert len(list(tmp_path.glob(".foreign-*/dear"))) == 1


def test_opened_follows_no_link(tmp_path: Path, parent: int) -> None:
    (tmp_path / "link").symlink_to("/")

    with pytest.raises(NotADirectoryError), files.opened(parent, "link"):
        pass
