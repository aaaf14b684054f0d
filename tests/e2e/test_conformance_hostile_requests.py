"""The listener's contract, in both of its forms: what lies in the folder of requests is never followed or believed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.listener_support import Host


def test_whatever_a_stranger_leaves_there_is_harmless(host: Host) -> None:
    outside = host.root / "outside"
    outside.mkdir()
    (outside / "run-v1").touch()
    host.application("app1", "sleep 1.5")
    host.cancel("else")
    folder = host.volume / ".cancel"
    (folder / "run-v1").symlink_to(outside / "run-v1")
    (folder / "run-v2").mkdir()
    (folder / "run-v2" / "full").touch()
    os.mkfifo(folder / "run-v3")
    names = [b"a\nb", b"-rf", b"*", b"a[$(touch pwned)]", b"@", b" ", b"\xff", b"1 a[$(touch pwned)]", b"x" * 255]
    for name in names:
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).touch()
        os.utime(os.fsencode(folder) + b"/" + name, (1, 1))
    for number in range(3000):
        (folder / f"forged-{number}").touch()
    listener = host.start()
    for number in (1, 2, 3):
        host.application(f"app{number}-", "sleep 1.5")
        host.flag(f"app{number}-", f"v{number}")

    for number in (1, 2, 3):
        host.state(f"run-v{number}", "deployed")
    assert (outside / "run-v1").exists()
    assert not list(host.root.rglob("pwned"))
    assert listener.log().count("warning") == 0
    assert "run-v2" in host.requests()


@pytest.mark.parametrize("kind", ["link", "file", "pipe", "closed"])
def test_the_folder_of_requests_is_not_what_a_stranger_made_of_it(host: Host, kind: str) -> None:
    outside = host.root / "outside"
    outside.mkdir()
    (outside / "run-v1").touch()
    folder = host.volume / ".cancel"
    if kind == "link":
        folder.symlink_to(outside)
    elif kind == "file":
        folder.touch()
    elif kind == "pipe":
        os.mkfifo(folder)
    else:
        folder.mkdir(mode=0)
    host.application("app1")
    host.flag("app1", "v1")

    assert host.once()[0] == 0

    assert host.result("run-v1")["state"] == "deployed"
    assert (outside / "run-v1").exists()
    if kind != "closed" or os.getuid() != 0:  # Nothing is closed to root.
        assert folder.stat().st_mode & 0o7777 == 0o2770
    host.cancel("run-v2")
    host.flag("app1", "v2")
    host.once()
    assert host.result("run-v2")["state"] == "cancelled"
