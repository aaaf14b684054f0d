"""The listener's contract, in both of its forms: what a script meets, and how it ends."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from tests.listener_support import HOLD, Host, runs, until

from duct_tape.flags import Flag
from duct_tape.listener.names import is_claim_id


def test_the_environment_is_clean_and_says_what_the_flag_says(host: Host) -> None:
    host.application("app1", "env; umask")
    flag = Flag(
        run="r1",
        application="app1",
        trigger="deploy",
        integration="github",
        delivery="72d3162e-cc78-11e3-81ab-4c9367dc0958",
        repository="tomkersten/duct_tape",
        tag="v1.0.0+build/1",
        prerelease=True,
        url="https://github.com/tomkersten/duct_tape/releases/tag/v1.0.0",
        commit="9f1c4e0d",
        requested_at="2026-11-23T16:14:05Z",
    )
    host.flag("app1", content=flag.to_line().encode())
    ours = {"SECRET": "s", "LANG": "C.UTF-8", "DOCKER_HOST": "unix:///d", "XDG_RUNTIME_DIR": "/run/user/7"}

    host.once(**ours)

    lines = host.result("r1")["output"].splitlines()
    seen = dict(line.split("=", 1) for line in lines if "=" in line)
    assert is_claim_id(seen.pop("DUCT_TAPE_CLAIM"))
    assert {name: value for name, value in seen.items() if name.startswith("DUCT_TAPE_")} == {
        "DUCT_TAPE_RUN": "r1",
        "DUCT_TAPE_APPLICATION": "app1",
        "DUCT_TAPE_TRIGGER": "deploy",
        "DUCT_TAPE_INTEGRATION": "github",
        "DUCT_TAPE_DELIVERY": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "DUCT_TAPE_REPOSITORY": "tomkersten/duct_tape",
        "DUCT_TAPE_TAG": "v1.0.0+build/1",
        "DUCT_TAPE_PRERELEASE": "true",
        "DUCT_TAPE_URL": "https://github.com/tomkersten/duct_tape/releases/tag/v1.0.0",
        "DUCT_TAPE_COMMIT": "9f1c4e0d",
        "DUCT_TAPE_REQUESTED_AT": "2026-11-23T16:14:05Z",
    }
    assert seen["DOCKER_HOST"] == "unix:///d"
    assert seen["XDG_RUNTIME_DIR"] == "/run/user/7"
    assert "SECRET" not in seen
    assert "PYTHONPATH" not in seen
    assert seen.keys() <= {
        *(name for name in seen if name.startswith("DUCT_TAPE_")),
        *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR", "XDG_RUNTIME_DIR", "DOCKER_HOST"),
        *("PWD", "SHLVL", "_", "OLDPWD"),
    }
    assert lines[-1] == f"{_umask():04o}"


def test_the_flag_is_standard_input_and_no_other_flag_is_eaten(host: Host) -> None:
    line = Flag(run="r1", application="a", tag="v1").to_line()
    for name in ("a", "b", "c", "d"):
        host.application(name, "cat")
    host.flag("a", content=line.encode())
    host.flag("b", content=b"anything \0 else\n")
    (host.volume / "c").touch()
    (host.volume / "d").touch()

    assert host.once("--concurrency", "1")[0] == 0

    assert (host.volume / ".results" / "r1.log").read_text() == line
    others = {result["application"]: result for result in host.results()}
    assert (host.volume / ".results" / f"{others['b']['run']}.log").read_bytes() == b"anything \0 else\n"
    made = json.loads(others["c"]["output"])
    assert made["application"] == "c"
    assert made["run"] == others["c"]["run"]
    assert host.runs("d") == ["none"]


def test_a_failing_script_is_remembered_and_not_repeated(host: Host) -> None:
    host.application("app1", "echo before; echo wrong >&2; exit 3")
    listener = host.start()
    host.flag("app1", "v1")
    result = host.state("run-v1", "failed")
    host.flag("app1", "v2")
    host.state("run-v2", "failed")

    assert result["exit_code"] == 3
    assert result["output"] == "before\nwrong"
    assert host.runs("app1") == ["v1", "v2"]
    until(lambda: "failed" in listener.log())
    until(lambda: host.claims() == [])


def test_a_script_without_a_first_line_that_names_a_shell(host: Host) -> None:
    script = host.application("app1").joinpath("bin/deploy")
    script.write_text("echo plain\n")
    host.flag("app1", "v1")

    assert host.once()[0] == 0
    assert host.result("run-v1")["output"] == "plain"


@pytest.mark.parametrize("first", ["#!/nowhere/sh\n", "#!/bin/sh\r\n"])
def test_a_script_whose_interpreter_is_missing_fails_with_the_cause(host: Host, first: str) -> None:
    host.application("my app").joinpath("bin/deploy").write_text(first)
    host.flag("my app", "v1")

    code, log = host.once(LC_ALL="C")

    cause = "bin/deploy cannot be started: No such file or directory; is the interpreter in its first line there?"
    result = host.result("run-v1")
    assert code == 1
    assert (result["state"], result["exit_code"], result["output"]) == ("failed", 127, cause)
    assert result["started_at"]
    assert "No such file" in (host.volume / ".results" / "run-v1.log").read_text()
    lines = [line for line in log.splitlines() if not line.startswith("answering ")]
    assert lines[0] == "my app: deploying v1 (run run-v1)"
    assert lines[1].startswith("warning: my app: failed v1 (run run-v1) with exit code 127 after ")
    assert lines[1].endswith(f" s: {cause}")
    assert len(lines) == 2
    until(lambda: host.claims() == [])


def test_a_command_that_is_missing_is_the_scripts_own_affair(host: Host) -> None:
    host.application("app1", "nowhere-to-be-found")
    host.flag("app1", "v1")

    code, log = host.once()

    assert code == 1
    assert host.result("run-v1")["exit_code"] == 127
    assert log.endswith(" s; its output is in .results/run-v1.log\n")


@pytest.mark.parametrize("number", ["KILL", "SEGV", "USR1"])
def test_a_script_that_a_signal_ends_is_told_in_our_words(host: Host, number: str) -> None:
    host.application("app1", f"ulimit -c 0; kill -{number} $$; sleep 5")
    host.flag("app1", "v1")

    code, log = host.once()

    assert code == 1
    assert host.result("run-v1")["exit_code"] > 128
    kinds = [line.partition(": ")[0] for line in log.splitlines() if not line.startswith("answering ")]
    assert kinds == ["app1", "warning"], log


def test_a_result_that_cannot_be_written_is_one_sentence_and_leaves_nothing(host: Host) -> None:
    host.application("app1")
    (host.volume / ".results" / "run-v1.json").mkdir(parents=True)
    (host.volume / ".results" / "run-v1.log").mkdir()
    host.flag("app1", "v1")

    code, log = host.once()

    assert code == 0
    assert host.runs("app1") == ["v1"]
    assert host.claims() == []
    assert sorted(os.listdir(host.volume / ".results")) == ["run-v1.json", "run-v1.log"]
    assert log.count("warning: app1: its result") == 2
    assert all(line.startswith(("answering ", "warning: ", "app1: ")) for line in log.splitlines()), log


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_a_script_gets_no_open_file_but_its_own_three(host: Host) -> None:
    script = host.application("app1") / "bin" / "deploy"
    # Not a shell, which opens files of its own; the fourth is the one that lists them.
    script.write_text(f"#!{sys.executable}\nimport os\nprint(*os.listdir('/proc/self/fd'))\n")
    host.flag("app1", "v1")

    assert host.once()[0] == 0
    assert sorted(host.result("run-v1")["output"].split()) == ["0", "1", "2", "3"]


def test_a_background_process_that_holds_the_output_is_not_waited_for(host: Host) -> None:
    app = host.application("app1", f"({HOLD}; echo still here >alive) & echo started")
    host.start()
    host.flag("app1", "v1")

    assert host.state("run-v1", "deployed", seconds=5)["output"] == "started"
    host.flag("app1", "v2")
    host.state("run-v2", "deployed", seconds=5)
    (app / "go").touch()
    until(lambda: (app / "alive").exists())


def test_a_hung_deploy_is_in_nobodys_way(host: Host) -> None:
    app = host.application("hung", HOLD)
    host.application("quick")
    host.start()
    host.flag("hung", "v1")
    host.state("run-v1", "deploying")
    host.flag("quick", "v2")

    host.state("run-v2", "deployed")
    assert host.result("run-v1")["state"] == "deploying"
    (app / "go").touch()


def test_no_more_deploys_at_once_than_wanted(host: Host) -> None:
    first = host.application("first", HOLD)
    host.application("second")
    host.start("--concurrency", "1")
    host.flag("first", "v1")
    host.state("run-v1", "deploying")
    host.flag("second", "v2")
    until(lambda: host.at_top() == [])

    assert host.runs("second") == []
    (first / "go").touch()
    host.state("run-v2", "deployed")


def test_the_time_limit_ends_the_whole_process_group(host: Host) -> None:
    app = host.application(
        "app1",
        """sh -c 'trap "" TERM; echo $$ >stubborn; while :; do sleep 0.05; done' &
        trap 'echo cleaned >cleaned' TERM
        sleep 1000 & wait; wait""",
    )
    listener = host.start("--timeout", "0.5", "--kill-after", "1")
    host.flag("app1", "v1")

    result = host.state("run-v1", "timed out")

    assert result["exit_code"] is None
    assert (app / "cleaned").exists()
    assert all(line.startswith(("answering ", "warning: app1: ", "app1: ")) for line in listener.log().splitlines())
    pid = int((app / "stubborn").read_text())
    until(lambda: not runs(pid))
    until(lambda: host.claims() == [])


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
