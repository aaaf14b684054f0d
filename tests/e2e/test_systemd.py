"""The units: systemd understands them, and what each leaves open is no more than the documentation says."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.docs.support import after, page, rows
from tests.listener_support import ROOT

SYSTEMD = ROOT / "scripts" / "systemd"
UNITS = sorted(path.name for path in SYSTEMD.glob("*.service"))
DROP_INS = sorted(path.name for path in SYSTEMD.glob("*.conf"))
ANALYZE = shutil.which("systemd-analyze") or ""
SCORES = rows(after(page("how-to/listener.md"), "<!-- table: exposure -->"))

pytestmark = pytest.mark.skipif(not ANALYZE, reason="systemd-analyze is missing: apt-get install systemd")


def installed(folder: Path, unit: str, drop_ins: Sequence[str] = (), **settings: str) -> Path:
    """The unit as an operator installs it.

    :param settings: other values for some of its settings.
    """
    text = (SYSTEMD / unit).read_text()
    for name, value in settings.items():
        text = re.sub(rf"^{name}=.*", f"{name}={value}", text, flags=re.MULTILINE)
    (folder / unit).write_text(text)
    (folder / f"{unit}.d").mkdir()
    for name in drop_ins:
        shutil.copy(SYSTEMD / name, folder / f"{unit}.d")
    return folder / unit


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_understands_the_unit(unit: str, tmp_path: Path) -> None:
    drop_ins = [] if unit == "duct-tape.service" else DROP_INS
    # The program and the user of the example are not on this machine.
    path = installed(tmp_path, unit, drop_ins, ExecStart="/bin/true", User="root", Group="root")
    done = subprocess.run([ANALYZE, "verify", path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def exposure(path: Path) -> float:
    """From 0 to 10, in the words of systemd: how much the service could do."""
    command = [ANALYZE, "security", "--offline=true", "--no-pager", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"exposure level for .*: ([0-9.]+) ", done.stdout)
    if not found:
        pytest.skip(f"systemd-analyze security --offline: {done.stderr.strip()[:200]}")
    return float(found[1])


@pytest.mark.parametrize(("which", "most"), [row[:2] for row in SCORES])
def test_no_unit_is_more_exposed_than_the_page_says(which: str, most: str, tmp_path: Path) -> None:
    unit, *drop_ins = re.findall(r"`([^`]+)`", which)
    assert exposure(installed(tmp_path, unit, drop_ins)) <= float(most)


def test_the_page_knows_every_unit_and_drop_in() -> None:
    named = {name for row in SCORES for name in re.findall(r"`([^`]+)`", row[0])}
    assert named == {*UNITS, *DROP_INS}


@pytest.mark.parametrize("name", [*UNITS, *DROP_INS])
def test_nothing_forbids_the_shared_folder_its_group(name: str) -> None:
    # What is made there keeps the folder's setgid bit, so the server and the listener set it themselves.
    settings = [line for line in (SYSTEMD / name).read_text().splitlines() if not line.startswith("#")]
    assert not any(line.startswith("RestrictSUIDSGID=") for line in settings)


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit != "duct-tape.service"])
def test_without_a_drop_in_a_script_may_still_use_sudo(unit: str) -> None:
    # For a service with User= each of these implies NoNewPrivileges.
    forbidding = ("NoNewPrivileges", "SystemCall", "Restrict", "Lock", "MemoryDeny", "PrivateDevices", "ProtectKernel")
    lines = (SYSTEMD / unit).read_text().splitlines()
    assert [line for line in lines if line.startswith(forbidding)] == []
