"""``scripts/fuzz`` in short, and that it finds what there is to find."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unmeasured_support import unmeasured

from fuzzing import blind, functions
from fuzzing.oracle import Finding, Target, judge
from fuzzing.senders import deployed_by
from fuzzing.server import Fuzzed
from fuzzing.targets import TARGETS

FUZZ = Path(__file__).parents[2] / "scripts" / "fuzz"


def fuzz(folder: Path, *words: str, code: int = 0) -> list[dict[str, Any]]:
    """The rows of a call that ends with this exit code."""
    command = [sys.executable, str(FUZZ), *words, "--folder", str(folder), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=unmeasured())
    assert done.returncode == code, done.stdout + done.stderr
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


@pytest.mark.parametrize("name", TARGETS)
def test_odd_inputs_get_an_answer_or_a_typed_error(name: str, tmp_path: Path) -> None:
    count, found = blind.fuzz(TARGETS[name], 0.7, tmp_path)
    assert found == ""
    assert count > len(list(TARGETS[name].seeds()))


def test_a_server_stays_right_whatever_order_requests_come_in(tmp_path: Path) -> None:
    (row,) = fuzz(tmp_path, "--target", "http", "--seconds", "5")
    assert row["found"] == ""
    assert {"200", "202", "400", "401"} <= row["answers"].keys()


def target(run: Callable[[bytes], object]) -> Target:
    def ran(data: bytes) -> None:
        run(data)

    return Target("test", ran, lambda: [b"one", b"two"])


def test_an_accident_is_found_and_its_input_kept(tmp_path: Path) -> None:
    def broken(data: bytes) -> None:
        data.decode("ascii")

    count, found = blind.fuzz(target(broken), 20, tmp_path)
    (kept,) = tmp_path.iterdir()
    assert "UnicodeDecodeError" in found
    assert str(kept) in found
    assert count > 2
    with pytest.raises(UnicodeDecodeError):
        judge(target(broken), kept.read_bytes())


@pytest.mark.alone
def test_only_what_is_slow_again_and_again_is_a_finding() -> None:
    seconds = iter([0.2, 0.0, 0.0, 0.0])

    def busy(data: bytes) -> None:
        sum(range(int(next(seconds) * 50_000_000)))

    judge(target(busy), b"")
    with pytest.raises(Finding, match="also the third time"):
        judge(target(lambda data: [None for _ in range(3_000_000)].clear()), b"")


def test_memory_that_is_not_given_back_is_found(tmp_path: Path) -> None:
    kept: list[bytes] = []
    (tmp_path / "input").write_bytes(b"x")
    assert functions.memory_left(target(lambda data: kept.append(data * 10**6)), tmp_path) > functions.MOST_LEFT
    assert functions.memory_left(target(lambda data: None), tmp_path) < 10_000


def test_a_flag_that_nobody_asked_for_is_found(tmp_path: Path) -> None:
    server = Fuzzed(tmp_path)
    (server.machine.volume / "app0").write_text('{"application": "app0", "tag": "evil-1"}')
    assert list(server.flags()) == [("app0", "evil-1")]
    with pytest.raises(Finding, match="the server ended"):
        server.look()
    with server, pytest.raises(Finding, match="a flag for app0 evil-1"):
        server.look()


def test_the_model_knows_what_may_be_deployed(tmp_path: Path) -> None:
    server = Fuzzed(tmp_path)
    assert deployed_by(server.payload("app1", "v1")) == ("app1", "v1")
    assert deployed_by(server.payload("app2", "v1", prerelease=True)) == ("app2", "v1")
    assert deployed_by(server.payload("app1", "")) is None
    for wrong in ({"prerelease": True}, {"draft": True}, {"action": "edited"}):
        assert deployed_by(server.payload("app1", "v1", **wrong)) is None
    assert deployed_by([]) is None


def test_a_target_that_is_not_there(tmp_path: Path) -> None:
    command = [sys.executable, str(FUZZ), "--target", "nosuch"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=unmeasured())
    assert done.returncode == 2
    assert "there is no target nosuch; there are: verify, understand" in done.stderr
