"""Nothing accepted is lost when the power fails: ``scripts/prove power`` in short, and the disk behind it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.e2e.prove_support import needs_compiler, prove

from proofs.bad_disk import compiled
from proofs.books import Row
from proofs.crash import Names, after
from proofs.outcome import ProofError
from proofs.power import flagless


@needs_compiler
def test_nothing_accepted_is_lost_when_the_power_fails() -> None:
    result = prove("power", "--failures", "3")
    assert (result["lost"], result["flagless"], result["stale"], result["integrity"]) == (0, 0, 0, "ok")
    assert result["accepted"] > 0


@needs_compiler
@pytest.mark.parametrize("whose", ["journal", "flags"])
def test_syncs_that_do_nothing_are_found_out(whose: str) -> None:
    result = prove("power", "--failures", "2", "--sabotage", whose, code=1)
    assert result["lost" if whose == "journal" else "flagless"] > 0


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> str:
    return compiled(tmp_path_factory.mktemp("library"))


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    for name in ("shadow/blob", "disk", "left"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path / "disk"


def left(disk: Path, library: str, script: str) -> dict[str, str]:
    """What is on the disk after a script and a power failure; folders hold no text."""
    base, shadow, target = Names(disk), disk.parent / "shadow", disk.parent / "left"
    variables = {"DISK_ROOT": f"{disk}", "DISK_SHADOW": f"{shadow}", "LD_PRELOAD": library}
    script = f"{FUNCTIONS}fault = {f'{shadow}/fault'!r}\n{script}"
    subprocess.run([sys.executable, "-c", script], cwd=disk, env={**os.environ, **variables}, check=True, timeout=60)
    after(base, (shadow / "log").read_bytes()).write(shadow / "blob", target)
    paths = sorted(target.rglob("*"))
    return {f"{path.relative_to(target)}": path.read_text() if path.is_file() else "" for path in paths}


FUNCTIONS = """
import os

def write(name, text, sync=True):
    handle = os.open(name, os.O_RDWR | os.O_CREAT)
    os.write(handle, text)
    if sync:
        os.fsync(handle)
    os.close(handle)

def sync(name="."):
    handle = os.open(name, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)

"""


@needs_compiler
@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("write('a', b'1')", {}),
        ("write('a', b'1', False); sync()", {"a": ""}),
        ("write('a', b'1'); sync()", {"a": "1"}),
        ("write('a', b'1'); sync(); write('a', b'2', False)", {"a": "1"}),
        ("write('a', b'1'); sync(); os.rename('a', 'b')", {"a": "1"}),
        ("write('a', b'1'); sync(); os.rename('a', 'b'); sync()", {"b": "1"}),
        ("write('a', b'1'); sync(); os.unlink('a')", {"a": "1"}),
        ("write('a', b'1'); sync(); os.unlink('a'); sync()", {}),
        ("write('a', b'1'); sync(); os.unlink('a'); write('b', b'2')", {"a": "1"}),
        ("write('a', b'1'); write('b', b'2'); os.rename('a', 'b'); sync()", {"b": "1"}),
        ("os.mkdir('f'); write('f/a', b'1'); sync()", {"f": ""}),
        ("os.mkdir('f'); write('f/a', b'1'); sync('f')", {"f": "", "f/a": "1"}),
        ("os.mkdir('f'); write('f/a', b'1'); os.rename('f', 'g'); sync()", {"g": "", "g/a": "1"}),
    ],
)
def test_what_a_power_failure_leaves(disk: Path, library: str, script: str, found: dict[str, str]) -> None:
    assert left(disk, library, script) == found


@needs_compiler
def test_a_sync_that_failed_is_not_made_good_by_the_next_one(disk: Path, library: str) -> None:
    script = """
write('a', b'1'); sync()
open(fault, 'w').write(f'5 s {os.getcwd()}')
try:
    write('a', b'2')
except OSError as error:
    assert error.errno == 5
else:
    raise AssertionError
os.unlink(fault)
handle = os.open('a', os.O_RDWR)
os.fsync(handle)
assert os.read(handle, 9) == b'2'
"""
    assert left(disk, library, script) == {"a": "1"}
    assert (disk / "a").read_text() == "2"


def test_what_the_model_does_not_know_is_said() -> None:
    with pytest.raises(ProofError, match="knows nothing of this: /disk/a a link"):
        after(Names(Path("/nowhere")), b"X\t/disk/a\ta link\n")


def test_a_flag_is_missed_unless_a_newer_one_is_there() -> None:
    rows = [Row("2", "shop", "flagged", 1, "v2", ""), Row("1", "shop", "superseded", 1, "v1", "")]
    assert flagless(rows, {"shop": "2"}) == flagless(rows, {"shop": "3"}) == set()
    assert flagless(rows, {"shop": "1"}) == flagless(rows, {}) == {"2"}
