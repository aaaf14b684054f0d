"""Where the two forms of the listener differ, and what only one of them does."""

from __future__ import annotations

from pathlib import Path

from tests.listener_support import Host

from duct_tape.flags import Flag


def test_a_flag_with_another_name_counts_for_its_application(tmp_path: Path) -> None:
    host = Host(tmp_path, "python")
    host.application("app1")
    host.flag("app1--v1", content=Flag(run="r1", application="app1", tag="v1").to_line().encode())
    host.flag("app2--v1", content=Flag(run="r2", application="../app1", tag="v1").to_line().encode())

    assert host.once()[0] == 1

    assert host.runs("app1") == ["v1"]
    assert host.result("r1")["state"] == "deployed"
    assert host.result("r2")["state"] == "refused"


def test_the_shell_goes_by_the_name_alone(tmp_path: Path) -> None:
    host = Host(tmp_path, "shell")
    host.application("app1")
    host.flag("app1--v1", content=Flag(run="r1", application="app1", tag="v1").to_line().encode())

    assert host.once()[0] == 1
    assert host.runs("app1") == []


def test_the_shell_works_without_inotifywait(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for folder in ("/usr/bin", "/bin"):
        for tool in Path(folder).iterdir():
            if tool.name != "inotifywait" and not (tools / tool.name).exists():
                (tools / tool.name).symlink_to(tool)
    host = Host(tmp_path, "shell")
    host.application("app1")
    host.start(PATH=str(tools))
    host.flag("app1", "v1")

    host.state("run-v1", "deployed")
    host.close()
