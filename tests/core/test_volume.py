"""The shared volume: atomic, durable, and not to be led astray by what the other side leaves there."""

from __future__ import annotations

import errno
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duct_tape import volume as module
from duct_tape.errors import PermanentError, StartupError, VolumeError
from duct_tape.volume import MAX_LOG_PART, MAX_NAME_BYTES, Volume, name_problem, safe_name


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "volume"
    path.mkdir()
    return path


def handles() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_a_flag_appears_and_the_newest_wins(folder: Path) -> None:
    volume = Volume(folder)
    assert volume.put("site.example.com", b"one") is None
    assert volume.put("site.example.com", b"two") == b"one"
    assert (folder / "site.example.com").read_bytes() == b"two" == volume.read("site.example.com")
    assert os.listdir(folder) == ["site.example.com"]
    assert (folder / "site.example.com").stat().st_mode & 0o777 == 0o640 & ~current_umask()


def current_umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def test_what_was_replaced_and_what_is_read_is_bounded(folder: Path) -> None:
    volume = Volume(folder)
    volume.put("a", b"x" * 100_000)
    assert volume.read("a") == b"x" * 65536
    assert volume.read("a", limit=3) == b"xxx"
    assert volume.put("a", b"") == b"x" * 65536
    assert volume.put("a", b"y") == b""
    assert volume.read("missing") is None


def link(path: Path) -> None:
    path.symlink_to(path.parent.parent / "victim")


def dangling(path: Path) -> None:
    path.symlink_to(path.parent.parent / "nowhere")


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def listening(path: Path) -> None:
    # A path of a socket may have no more than about 100 bytes.
    handle = os.open(path.parent, os.O_DIRECTORY)
    with socket.socket(socket.AF_UNIX) as item:
        item.bind(f"/proc/self/fd/{handle}/{path.name}")
    os.close(handle)


@pytest.mark.parametrize("make", [link, dangling, endless, os.mkfifo, listening])
def test_what_is_in_the_way_is_replaced_and_never_followed(folder: Path, make: Callable[[Path], None]) -> None:
    victim = folder.parent / "victim"
    victim.write_bytes(b"precious")
    make(folder / "name")
    volume, before = Volume(folder), handles()
    assert volume.read("name") is None
    assert volume.put("name", b"flag") is None
    assert handles() == before
    assert not (folder / "name").is_symlink()
    assert volume.read("name") == b"flag"
    assert victim.read_bytes() == b"precious"
    assert sorted(os.listdir(folder.parent)) == ["victim", "volume"]


@pytest.mark.parametrize("content", [[], ["file"]])
def test_a_folder_in_the_way_is_left_alone(folder: Path, content: list[str]) -> None:
    (folder / "name").mkdir()
    for name in content:
        (folder / "name" / name).touch()
    volume, before = Volume(folder), handles()
    assert volume.read("name") is None
    with pytest.raises(PermanentError, match=rf"^'name' in {re.escape(str(folder))} is a folder: no flag can be left$"):
        volume.put("name", b"flag")
    assert handles() == before
    assert os.listdir(folder) == ["name"]


def test_a_file_that_cannot_be_written_leaves_nothing_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    volume = Volume(folder)
    volume.put("name", b"old")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            volume.put("name", b"new")
    assert os.listdir(folder) == ["name"]
    assert volume.read("name") == b"old"


def test_a_folder_that_nobody_may_write_is_a_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(handle: int) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    volume = Volume(folder)
    monkeypatch.setattr(os, "fsync", refused)
    sentence = rf"^the shared volume {re.escape(str(folder))} cannot be written by user \d+ \(Permission denied\): give"
    with pytest.raises(VolumeError, match=sentence):
        volume.put("name", b"flag")
    assert os.listdir(folder) == []
    with pytest.raises(StartupError, match=sentence):
        volume.check()


def test_the_folder_may_be_taken_away_and_made_again(folder: Path) -> None:
    volume = Volume(folder)
    volume.put("name", b"one")
    shutil.rmtree(folder)
    sentence = rf"^the shared volume {re.escape(str(folder))} does not exist: mount it, or set `path` under \[volume\]$"
    for use in (lambda: volume.put("name", b"two"), lambda: volume.read("name"), lambda: volume.withdraw("r1")):
        with pytest.raises(VolumeError, match=sentence):
            use()
    folder.mkdir()
    assert volume.put("name", b"three") is None
    assert volume.read("name") == b"three"


def test_a_reader_never_sees_half_a_file(folder: Path) -> None:
    volume, ended = Volume(folder), threading.Event()
    contents = [bytes([65 + number]) * size for number, size in enumerate((1, 10, 70_000, 300, 200_000))]
    volume.put("name", contents[0])
    seen: set[bytes] = set()

    def look() -> None:
        while not ended.is_set():
            seen.add((folder / "name").read_bytes())

    reader = threading.Thread(target=look)
    reader.start()
    try:
        for content in contents * 40:
            volume.put("name", content)
    finally:
        ended.set()
        reader.join()
    assert seen <= set(contents)


def test_writers_beside_each_other_do_no_harm(folder: Path) -> None:
    volume = Volume(folder)
    threads = [threading.Thread(target=volume.put, args=("name", b"%d" % number * 1000)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert os.listdir(folder) == ["name"]
    assert volume.read("name") in [b"%d" % number * 1000 for number in range(8)]


def test_a_flag_is_on_the_disk_before_it_has_its_name(folder: Path) -> None:
    code = "import sys, pathlib, duct_tape.volume as v; v.Volume(pathlib.Path(sys.argv[1])).put('flag', b'x')"
    trace = folder.parent / "trace"
    calls = "trace=openat,fsync,fdatasync,rename,renameat,renameat2"
    command = ["strace", "-f", "-o", str(trace), "-e", calls, sys.executable, "-c", code, str(folder)]
    # A measured process would open files of its own.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    subprocess.run(command, check=True, capture_output=True, timeout=60, env=environment)
    # What comes after the folder was opened; each call with its first argument, the others and its result.
    done = trace.read_text().partition(f'"{folder}"')[2]
    steps = re.findall(r"(openat|f\w*sync|rename)\w*\((\w+)(.*) = (\d+)", done)
    flags, handle = next((rest, result) for call, _, rest, result in steps if call == "openat" and ".tmp-" in rest)
    assert "O_EXCL" in flags
    assert "O_NOFOLLOW" in flags
    folder_handle = next(first for call, first, *_ in steps if call == "rename")
    assert [(call, first) for call, first, *_ in steps[-3:]] == [
        ("fsync", handle),
        ("rename", folder_handle),
        ("fsync", folder_handle),
    ]


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", ".results/x", "a\0b"])
def test_only_the_top_of_the_volume_is_read(folder: Path, name: str) -> None:
    with pytest.raises(PermanentError, match=r"is not the name of a file$"):
        Volume(folder).read(name)


def test_the_listeners_files_can_be_read_and_not_written(folder: Path) -> None:
    (folder / ".listener.json").write_bytes(b"{}")
    assert Volume(folder).read(".listener.json") == b"{}"
    with pytest.raises(PermanentError, match=r"it begins with '\.'"):
        Volume(folder).put(".listener.json", b"")


def test_check_finds_nothing_wrong_and_leaves_nothing(folder: Path) -> None:
    Volume(folder).check()
    assert os.listdir(folder) == []


def test_check_says_what_to_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing, file = folder / "missing", folder / "file"
    file.touch()
    with pytest.raises(StartupError, match=r"missing does not exist: mount it, or set `path` under \[volume\]$"):
        Volume(missing).check()
    with pytest.raises(StartupError, match=r"file is not a folder: set `path` under \[volume\] to one$"):
        Volume(file).check()

    def denied(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(module, "_write", denied)
    expected = rf"cannot be written by user {os.getuid()} \(Permission denied\): give the folder to a group"
    with pytest.raises(StartupError, match=expected):
        Volume(folder).check()


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "it is empty or begins or ends with a blank"),
        (" a", "it is empty or begins or ends with a blank"),
        ("a\n", "it is empty or begins or ends with a blank"),
        ("a\u3000", "it is empty or begins or ends with a blank"),
        ("a/b", "it holds a slash"),
        ("/", "it holds a slash"),
        (".", "it begins with '.'"),
        ("..", "it begins with '.'"),
        (".tmp-x", "it begins with '.'"),
        ("-rf", "it begins with '-'"),
        ("a\0b", "it holds a control character"),
        ("a\nb", "it holds a control character"),
        ("a\x1b[2Jb", "it holds a control character"),
        ("a\x9bb", "it holds a control character"),
        ("a\u2028b", "it holds a control character"),
        ("a\u202egnp.b", "it holds a control character"),
        ("\ud800", "it is not valid Unicode"),
        ("x" * 201, "it is longer than 200 bytes"),
        ("ü" * 101, "it is longer than 200 bytes"),
    ],
)
def test_unsafe_names_are_refused_not_repaired(folder: Path, name: str, problem: str) -> None:
    assert name_problem(name) == problem
    with pytest.raises(PermanentError) as caught:
        Volume(folder).put(name, b"")
    assert str(caught.value) == f"{name[:100]!r} is not a safe file name: {problem}"
    assert os.listdir(folder) == []


@pytest.mark.parametrize("name", ["a", "site.example.com", "a b", "ü🚀", "x" * 200, "$(id)", "a--v1", "~", "*", "a:b"])
def test_safe_names_are_kept(folder: Path, name: str) -> None:
    assert safe_name(name) == name
    Volume(folder).put(name, b"")
    assert os.listdir(folder) == [name]


@given(st.text(st.characters(categories=None), max_size=250))
def test_a_name_is_refused_or_one_component(name: str) -> None:
    if name_problem(name) is None:
        assert os.path.normpath(f"/volume/{name}") == f"/volume/{name}"
        assert len(os.fsencode(name)) <= MAX_NAME_BYTES
        assert name.splitlines() == [name]
    else:
        with pytest.raises(PermanentError):
            safe_name(name)


def test_old_temporary_files_are_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "flag").touch()
    (tmp_path / ".tmp-new").touch()
    (tmp_path / ".tmp-folder").mkdir()
    (tmp_path / ".tmp-old").touch()
    (tmp_path / ".tmp-link").symlink_to(tmp_path / "flag")
    for name in ("flag", ".tmp-folder", ".tmp-old"):
        os.utime(tmp_path / name, (0, 0))
    Volume(tmp_path).clean()
    assert sorted(os.listdir(tmp_path)) == [".tmp-folder", ".tmp-link", ".tmp-new", "flag"]


def results(folder: Path) -> Path:
    path = folder / ".results"
    path.mkdir()
    return path


def test_a_log_is_read_in_parts(folder: Path) -> None:
    volume = Volume(folder)
    assert volume.read_log("run-1") is None
    log = results(folder) / "run-1.log"
    log.write_bytes(b"0123456789")
    assert volume.read_log("run-1", 4, 3) == b"456"
    assert volume.read_log("run-1", 10) == b""
    assert volume.read_log("run-1", 1000) == b""
    log.write_bytes(b"x" * 1_000_000)
    assert volume.read_log("run-1", limit=1_000_000) == b"x" * MAX_LOG_PART


@pytest.mark.parametrize("make", [link, dangling, endless, os.mkfifo, listening, Path.mkdir])
def test_what_is_no_log_is_not_read(folder: Path, make: Callable[[Path], None]) -> None:
    (folder.parent / "victim").write_bytes(b"secret")
    make(results(folder) / "run-1.log")
    volume, before = Volume(folder), handles()
    assert volume.read_log("run-1") is None
    assert handles() == before


def test_a_request_is_there_for_both_sides(folder: Path) -> None:
    folder.chmod(0o2770)
    volume, before = Volume(folder), os.umask(0o077)
    try:
        for _ in range(2):
            volume.request_cancel("run-1")
    finally:
        os.umask(before)
    assert os.listdir(folder / ".cancel") == ["run-1"]
    assert (folder / ".cancel").stat().st_mode & 0o7777 == 0o2770
    volume.forget_cancel("run-1")
    volume.forget_cancel("run-1")
    assert os.listdir(folder / ".cancel") == []


@pytest.mark.parametrize("make", [link, dangling, os.mkfifo, listening, Path.mkdir])
def test_what_is_in_the_way_of_a_request_makes_room(folder: Path, make: Callable[[Path], None]) -> None:
    victim = folder.parent / "victim"
    victim.write_bytes(b"precious")
    volume = Volume(folder)
    if make is not Path.mkdir:
        make(folder / ".cancel")
    volume.request_cancel("other")
    make(folder / ".cancel" / "run-1")
    volume.request_cancel("run-1")
    assert (folder / ".cancel" / "run-1").is_file()
    assert not (folder / ".cancel" / "run-1").is_symlink()
    assert victim.read_bytes() == b"precious"


@pytest.mark.parametrize("run", ["../run", ".run", "", "a/b", "a\0b"])
def test_a_request_is_one_safe_name(folder: Path, run: str) -> None:
    with pytest.raises(PermanentError):
        Volume(folder).request_cancel(run)


def test_two_that_ask_at_once_both_have_asked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    volume = Volume(folder)
    volume.request_cancel("run-1")
    monkeypatch.setattr(module, "_is_file", lambda *_: False)
    monkeypatch.setattr("duct_tape.files.clear", lambda *_: None)
    volume.request_cancel("run-1")
    assert os.listdir(folder / ".cancel") == ["run-1"]
