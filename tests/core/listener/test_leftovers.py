from __future__ import annotations

import subprocess
from pathlib import Path

from duct_tape.listener.leftovers import end_left_overs


def test_only_the_processes_of_that_claim_are_ended() -> None:
    ours = subprocess.Popen(
        ["/bin/sh", "-c", "/bin/sleep 100 & wait"],
        env={"DUCT_TAPE_CLAIM": "lost"},
        start_new_session=True,
    )
    other = subprocess.Popen(["/bin/sleep", "100"], env={"DUCT_TAPE_CLAIM": "lost-not"}, start_new_session=True)
    try:
        assert end_left_overs("lost") == 1
        assert ours.wait(10) == -9
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_listener_that_a_deploy_has_started_does_not_end_itself() -> None:
    with subprocess.Popen(["/bin/sleep", "100"], env={"DUCT_TAPE_CLAIM": "self"}) as beside:
        assert end_left_overs("self") == 0
        assert beside.poll() is None
        beside.kill()


def test_without_proc_nothing_is_found(tmp_path: Path) -> None:
    (tmp_path / "999999999").mkdir()
    (tmp_path / "999999999" / "environ").write_bytes(b"DUCT_TAPE_CLAIM=gone\0")
    (tmp_path / "1").mkdir()

    assert end_left_overs("gone", tmp_path) == 0
    assert end_left_overs("gone", tmp_path / "none") == 0
