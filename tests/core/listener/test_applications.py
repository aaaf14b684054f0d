from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.listener_support import Host

from duct_tape.listener.applications import Applications


def test_an_application(host: Host, applications: Applications) -> None:
    host.application("app 1")

    assert applications.problem("app 1") is None
    assert applications.deployable() == ["app 1"]
    assert applications.script("app 1") == applications.folder("app 1") / "bin" / "deploy"


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../app", "app/bin", "app/", "-n", ".app", "app ", "App", "app\n", "\udcff"]
)
def test_only_the_exact_name_counts(host: Host, applications: Applications, name: str) -> None:
    host.application("app")

    assert applications.problem(name)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(name=st.text())
def test_no_other_name_is_an_application_and_none_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "app" / "bin").mkdir(parents=True, exist_ok=True)
    (tmp_path / "app" / "bin" / "deploy").touch(mode=0o755)

    assert (Applications(tmp_path).problem(name) is None) == (name == "app")


def test_why_an_application_cannot_be_deployed(host: Host, applications: Applications) -> None:
    (host.applications / "file").touch()
    (host.applications / "bare").mkdir()
    (host.applications / "empty" / "bin").mkdir(parents=True)
    (host.applications / "folder" / "bin" / "deploy").mkdir(parents=True)
    host.application("off").joinpath("bin/deploy").chmod(0o644)
    (host.applications / "link").symlink_to(host.application("real"))
    (host.applications / "linked-bin").mkdir()
    (host.applications / "linked-bin" / "bin").symlink_to(host.applications / "real" / "bin")

    problems = {name: applications.problem(name) or "" for name in ("file", "bare", "empty", "folder", "off", "link")}

    assert "not a folder" in problems["file"]
    assert "not a folder" in problems["link"]
    assert "no folder bin" in problems["bare"]
    assert "no folder bin" in (applications.problem("linked-bin") or "")
    assert "no bin/deploy" in problems["empty"]
    assert "not a regular file" in problems["folder"]
    assert "not executable" in problems["off"]
    assert applications.deployable() == ["real"]


def test_an_applications_folder_that_is_away_is_no_answer(host: Host, applications: Applications) -> None:
    host.applications.rmdir()

    with pytest.raises(FileNotFoundError):
        applications.problem("app")
