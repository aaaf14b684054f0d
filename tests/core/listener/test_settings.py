from __future__ import annotations

import pytest
from tests.listener_support import Host

from duct_tape.errors import StartupError
from duct_tape.listener.settings import Settings


def test_two_separate_folders_are_fine(host: Host) -> None:
    Settings(volume=host.volume, applications=host.applications).check()


def test_the_volume_may_lie_in_an_application(host: Host) -> None:
    (host.applications / "duct-tape" / "shared_volume").mkdir(parents=True)
    Settings(volume=host.applications / "duct-tape" / "shared_volume", applications=host.applications).check()


def test_folders_that_are_missing(host: Host) -> None:
    with pytest.raises(StartupError, match=r"shared volume .* does not exist"):
        Settings(volume=host.root / "none", applications=host.applications).check()
    with pytest.raises(StartupError, match=r"applications folder .* does not exist"):
        Settings(volume=host.volume, applications=host.root / "none").check()


def test_applications_in_the_volume_are_refused(host: Host) -> None:
    (host.volume / "apps").mkdir()
    for applications in (host.volume, host.volume / "apps"):
        with pytest.raises(StartupError, match="keep them apart"):
            Settings(volume=host.volume, applications=applications).check()
