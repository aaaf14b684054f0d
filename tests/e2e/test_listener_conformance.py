"""The listener's contract, against both of its forms: ``duct-tape listen`` and ``scripts/listen``.

Each of the seed pipeline's faults has a test here: fired twice, lost during a run, lost while down, names as words,
options, patterns and paths, standard input eaten, one hung deploy in the way of all others, …
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.listener_support import COMMANDS, ROOT, Host, until

from duct_tape.flags import Flag

HOLD = "until [ -e go ]; do sleep 0.02; done"
KEYS = [
    "run",
    "application",
    "tag",
    "state",
    "exit_code",
    "started_at",
    "finished_at",
    "duration",
    "output",
]


@pytest.fixture(params=sorted(COMMANDS))
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Host]:
    host = Host(tmp_path, request.param)
    yield host
    host.close()


# --- how flags come ---------------------------------------------------------------------------------------------------


def test_touch_is_enough(host: Host) -> None:
    host.application("app1", 'echo "hello from $PWD"')
    host.start()
    (host.volume / "app1").touch()

    until(lambda: [result for result in host.results() if result["state"] == "deployed"])

    assert host.runs("app1") == ["none"]
    assert host.at_top() == []
    until(lambda: host.claims() == [])
    (result,) = host.results()
    assert list(result) == KEYS
    assert result["application"] == "app1"
    assert result["exit_code"] == 0
    assert result["output"] == f"hello from {host.applications / 'app1'}"
    log = host.volume / ".results" / f"{result['run']}.log"
    assert log.read_text() == f"hello from {host.applications / 'app1'}\n"


def test_a_file_that_is_written_in_place_deploys_once(host: Host) -> None:
    host.application("app1")
    host.start()
    (host.volume / "app1").write_text("v1\n")

    until(lambda: host.results() and host.results()[0]["state"] == "deployed")
    host.flag("app1", "last")
    host.state("run-last", "deployed")

    assert host.runs("app1") == ["none", "last"]


def test_a_file_that_is_renamed_into_place_deploys(host: Host) -> None:
    host.application("app1")
    host.start()
    host.flag("app1", "v1")

    result = host.state("run-v1", "deployed")

    assert host.runs("app1") == ["v1"]
    assert result["tag"] == "v1"
    assert result["duration"] >= 0


def test_flags_of_the_time_when_it_was_down_are_answered(host: Host) -> None:
    host.application("app1")
    host.application("app2")
    host.flag("app1", "v1")
    host.flag("app1", "v2")
    (host.volume / "app2").touch()
    os.utime(host.volume / "app2")  # What a second touch of a standing flag is.

    host.start()
    host.state("run-v2", "deployed")
    until(lambda: len(host.results()) == 2)

    assert host.runs("app1") == ["v2"]
    assert host.runs("app2") == ["none"]


def test_a_release_during_a_deploy_is_deployed_after_it(host: Host) -> None:
    app = host.application("app1", f"mkdir alone || exit 1; {HOLD}; rmdir alone")
    host.start()
    host.flag("app1", "v1")
    host.state("run-v1", "deploying")
    host.flag("app1", "v2")
    until(lambda: host.at_top() == [])
    (app / "go").touch()

    host.state("run-v1", "deployed")
    host.state("run-v2", "deployed")

    assert host.runs("app1") == ["v1", "v2"]


def test_of_those_that_wait_only_the_newest_is_deployed(host: Host) -> None:
    app = host.application("app1", HOLD)
    host.start()
    for tag in ("v1", "v2", "v3"):
        host.flag("app1", tag)
        until(lambda: host.at_top() == [])
        until(lambda: host.result("run-v1").get("state") == "deploying")

    superseded = host.state("run-v2", "superseded")
    (app / "go").touch()
    host.state("run-v3", "deployed")

    assert host.runs("app1") == ["v1", "v3"]
    assert superseded["exit_code"] is None
    assert superseded["started_at"] is None
    assert "newer" in superseded["output"]
    until(lambda: host.claims() == [])


def test_a_burst_loses_nothing_and_doubles_nothing(host: Host) -> None:
    names = [f"app{number}" for number in range(12)]
    for name in names:
        host.application(name)
    host.start("--concurrency", "3")
    for name in names:
        host.flag(name, "v1", run=name)

    for name in names:
        host.state(name, "deployed")

    assert {name: host.runs(name) for name in names} == {name: ["v1"] for name in names}


# --- names and kinds --------------------------------------------------------------------------------------------------


def test_an_application_whose_name_holds_a_space(host: Host) -> None:
    host.application("my app", 'echo "<$DUCT_TAPE_APPLICATION>"')
    host.application("my")
    host.start()
    host.flag("my app", "v1")

    assert host.state("run-v1", "deployed")["output"] == "<my app>"
    assert host.runs("my") == []


@pytest.mark.parametrize("name", ['it\'s "quoted" $(touch pwned)', "ünïcödé", "@", "[a]*"])
def test_an_application_with_an_odd_name_of_its_own(host: Host, name: str) -> None:
    host.application(name)
    host.application("other")
    host.start()
    host.flag(name, "v1")

    assert host.state("run-v1", "deployed")["application"] == name
    assert host.runs("other") == []
    assert name in json.loads((host.volume / ".listener.json").read_text())["applications"]


def test_names_are_never_words_options_patterns_or_paths(host: Host) -> None:
    evil = host.root / "evil" / "bin" / "deploy"
    evil.parent.mkdir(parents=True)
    evil.write_text(f"#!/bin/sh\ntouch '{host.root}/pwned'\n")
    evil.chmod(0o755)
    host.application("a")
    host.application("-n")
    names = [
        b"*",
        b"?",
        b"-n",
        b"-rf",
        b" a",
        b"a ",
        b"a\nb CREATE a",
        b"a\\",
        b"$(touch pwned)",
        b"\xff\xfe",
        b"unknown",
    ]
    for name in [*names, b"x" * 255]:
        Path(os.fsdecode(os.fsencode(host.volume) + b"/" + name)).write_text('{"run": "r", "application": "../evil"}')

    listener = host.start()
    host.flag("a", "good")
    host.state("run-good", "deployed")

    assert host.at_top() == []
    assert len(host.aside()) == len(names) + 1
    assert host.runs("a") == ["good"]
    assert host.runs("-n") == []
    assert not (host.root / "pwned").exists()
    assert listener.log().count("set aside") == len(names) + 1
    assert all(line.isprintable() for line in listener.log().splitlines())


def test_what_is_no_file_is_set_aside_and_never_in_the_way(host: Host) -> None:
    for name in ("folder", "link", "pipe", "socket", "huge", "dangling"):
        host.application(name)
    (host.volume / "folder" / "full").mkdir(parents=True)
    (host.volume / "link").symlink_to("/etc/passwd")
    (host.volume / "dangling").symlink_to("nowhere")
    os.mkfifo(host.volume / "pipe")
    (host.volume / "huge").write_bytes(b" " * (64 * 1024 + 1))
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(host.volume / "socket"))
    (host.volume / ".hidden").touch()
    host.application("good")

    listener = host.start()
    host.flag("good", "v1")
    host.state("run-v1", "deployed")

    assert host.at_top() == []
    assert len(host.aside()) == 6
    assert (host.volume / ".hidden").exists()
    for name in ("folder", "link", "pipe", "socket", "huge", "dangling"):
        assert host.runs(name) == []
        assert f"-{name}: " in listener.log()


def test_what_is_set_aside_is_bounded_and_full_folders_are_kept(host: Host) -> None:
    (host.volume / "folder" / "dear").mkdir(parents=True)
    for number in range(130):
        (host.volume / f"zz-unknown{number}").touch()

    assert host.once()[0] == 1

    assert host.at_top() == []
    assert len(host.aside()) == 100
    assert any(name.endswith("-folder") for name in host.aside())


def test_only_real_applications_count(host: Host) -> None:
    outside = host.root / "outside"
    host.application("real").rename(outside)
    (host.applications / "linked").symlink_to(outside)
    (host.applications / "linked-script" / "bin").mkdir(parents=True)
    (host.applications / "linked-script" / "bin" / "deploy").symlink_to(outside / "bin" / "deploy")
    host.application("no-exec").joinpath("bin/deploy").chmod(0o644)
    (host.applications / "folder-deploy" / "bin" / "deploy").mkdir(parents=True)
    (host.applications / "bare").mkdir()
    (host.applications / "file").touch()
    names = ["linked", "linked-script", "no-exec", "folder-deploy", "bare", "file"]
    for name in names:
        host.flag(name, "v1")

    code, log = host.once()

    assert code == 1
    assert len(host.aside()) == len(names)
    assert not (outside / "runs").exists()
    assert log.count("warning: set aside") == len(names)


def test_duct_tapes_own_folders_are_not_what_a_stranger_made_of_them(host: Host) -> None:
    target = host.root / "target"
    target.mkdir(mode=0o777)
    for name in (".results", ".running", ".set-aside"):
        (host.volume / name).symlink_to(target)
    (host.volume / ".listener.lock").mkdir()
    host.application("app1")
    host.flag("app1", "v1")
    (host.volume / "unknown").touch()

    host.once()

    assert host.result("run-v1")["state"] == "deployed"
    assert list(target.iterdir()) == []
    assert (host.volume / ".running").stat().st_mode & 0o077 == 0


def test_a_run_id_that_is_a_path_is_never_a_file_name(host: Host) -> None:
    host.application("app1", 'echo "$DUCT_TAPE_RUN"')
    host.flag("app1", "v1", run="../../escaped")

    assert host.once()[0] == 0

    (result,) = host.results()
    assert result["run"].startswith("local-")
    assert result["output"] == result["run"]
    assert not list(host.root.glob("escaped*"))


# --- what a script meets ----------------------------------------------------------------------------------------------


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
        requested_at="2026-11-23T16:14:05Z",
    )
    host.flag("app1", content=flag.to_line().encode())
    ours = {"SECRET": "s", "LANG": "C.UTF-8", "DOCKER_HOST": "unix:///d", "XDG_RUNTIME_DIR": "/run/user/7"}

    host.once(**ours)

    lines = host.result("r1")["output"].splitlines()
    seen = dict(line.split("=", 1) for line in lines if "=" in line)
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


def test_a_script_whose_interpreter_is_missing(host: Host) -> None:
    host.application("app1").joinpath("bin/deploy").write_text("#!/nowhere/sh\n")
    host.flag("app1", "v1")

    assert host.once()[0] == 1
    assert host.result("run-v1")["state"] == "failed"
    assert "No such file" in host.result("run-v1")["output"]
    until(lambda: host.claims() == [])


def test_the_log_grows_while_the_script_runs(host: Host) -> None:
    app = host.application("app1", f"echo first; {HOLD}; echo second")
    host.start()
    host.flag("app1", "v1")
    log = host.volume / ".results" / "run-v1.log"

    until(lambda: log.exists() and log.read_text() == "first\n")
    (app / "go").touch()
    assert host.state("run-v1", "deployed")["output"] == "first\nsecond"


def test_a_flood_of_output_is_cut_and_does_not_stop_the_script(host: Host) -> None:
    host.application("app1", "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo end >end; printf '\\377\\033[31m\"'")
    host.flag("app1", "v1")

    assert host.once()[0] == 0

    log = (host.volume / ".results" / "run-v1.log").read_bytes()
    assert (host.applications / "app1" / "end").exists()
    assert log.startswith(b"xxxx")
    assert len(log) < 1024 * 1024 + 200
    assert b"limited in size" in log[-200:]
    assert len(host.result("run-v1")["output"]) <= 8192


def test_hostile_output_makes_a_valid_result(host: Host) -> None:
    host.application("app1", r"""printf 'a"b\\c\td\001\377\033[31m\r\nend\n'""")
    host.flag("app1", "v1")

    assert host.once()[0] == 0
    output = host.result("run-v1")["output"]
    assert output.startswith('a"b\\c\td')
    assert output.endswith("\nend")


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
    host.start("--timeout", "0.5", "--kill-after", "1")
    host.flag("app1", "v1")

    result = host.state("run-v1", "timed out")

    assert result["exit_code"] is None
    assert (app / "cleaned").exists()
    pid = int((app / "stubborn").read_text())
    until(lambda: not _runs(pid))
    until(lambda: host.claims() == [])


# --- the listener itself ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("second", sorted(COMMANDS))
def test_a_second_listener_refuses_in_one_sentence(host: Host, second: str) -> None:
    host.start()
    other = host.launch(form=second)

    assert other.process.wait(10) == 1
    assert other.log() == f"error: another listener already answers the flags in {host.volume}\n"


def test_a_volume_that_is_made_anew_is_answered_again(host: Host) -> None:
    host.application("app1")
    listener = host.start()
    host.flag("app1", "v1")
    host.state("run-v1", "deployed")

    shutil.rmtree(host.volume)
    until(lambda: "waiting for that to change" in listener.log())
    host.make_volume()
    until(lambda: (host.volume / ".listener.json").exists())
    host.flag("app1", "v2")

    host.state("run-v2", "deployed")
    assert host.runs("app1") == ["v1", "v2"]
    assert listener.log().count("waiting for that to change") == 1


def test_an_application_that_deploys_duct_tape_itself(host: Host) -> None:
    # What `docker compose down -v && docker compose up` does to the volume below our feet.
    host.application("duct-tape.example.com", f"rm -rf '{host.volume}'; mkdir -m 2770 '{host.volume}'; echo made anew")
    host.start()
    host.flag("duct-tape.example.com", "v1")

    assert host.state("run-v1", "deployed")["tag"] == "v1"
    host.flag("duct-tape.example.com", "v2")
    host.state("run-v2", "deployed")
    assert host.runs("duct-tape.example.com") == ["v1", "v2"]


def test_what_a_crash_interrupted_is_deployed_again(host: Host) -> None:
    app = host.application("app1", f"mkdir alone || echo not alone; {HOLD}; rmdir alone")
    listener = host.start()
    host.flag("app1", "v1")
    host.state("run-v1", "deploying")
    listener.process.kill()
    listener.process.wait()
    assert len(host.claims()) == 1

    (app / "go").touch()
    host.start()
    host.state("run-v1", "deployed")
    until(lambda: host.claims() == [])

    assert set(host.runs("app1")) == {"v1"}
    assert "not alone" not in (host.volume / ".results" / "run-v1.log").read_text() or host.form == "python"


def test_what_a_crash_interrupted_gives_way_to_a_newer_flag(host: Host) -> None:
    host.application("app1")
    _crashed(host, "00000000000000000001-00000001", "app1", "v1")
    _crashed(host, "00000000000000000002-00000001", "app1", "v2")
    host.flag("app1", "v3")

    assert host.once()[0] == 0

    assert [host.result(f"run-{tag}")["state"] for tag in ("v1", "v2", "v3")] == [
        "superseded",
        "superseded",
        "deployed",
    ]
    assert host.runs("app1") == ["v3"]
    until(lambda: host.claims() == [])


def test_a_claim_without_a_run_keeps_its_id(host: Host) -> None:
    host.application("app1")
    _crashed(host, "00000000000000000001-0000000a", "app1", "")

    assert host.once()[0] == 0
    assert host.result("local-00000000000000000001-0000000a")["state"] == "deployed"


def test_the_first_signal_lets_deploys_end_and_claims_no_more(host: Host) -> None:
    app = host.application("app1", HOLD)
    listener = host.start()
    host.flag("app1", "v1")
    host.state("run-v1", "deploying")

    listener.process.send_signal(signal.SIGTERM)
    until(lambda: "stopping" in listener.log())
    host.flag("app1", "v2")
    (app / "go").touch()

    assert listener.process.wait(10) == 0
    assert host.result("run-v1")["state"] == "deployed"
    assert host.at_top() == ["app1"]
    assert host.runs("app1") == ["v1"]


def test_the_second_signal_ends_deploys_which_are_done_again_later(host: Host) -> None:
    app = host.application("app1", HOLD)
    listener = host.start()
    host.flag("app1", "v1")
    host.state("run-v1", "deploying")

    listener.process.send_signal(signal.SIGTERM)
    until(lambda: "stopping" in listener.log())
    listener.process.send_signal(signal.SIGTERM)
    assert listener.process.wait(10) == 0
    assert "interrupted" in listener.log()

    (app / "go").touch()
    assert host.once()[0] == 0
    assert host.result("run-v1")["state"] == "deployed"
    assert host.runs("app1") == ["v1", "v1"]


def test_deploys_that_outlast_the_grace_are_ended(host: Host) -> None:
    host.application("app1", HOLD)
    listener = host.start("--grace", "1")
    host.flag("app1", "v1")
    host.state("run-v1", "deploying")

    assert listener.stop() == 0
    assert len(host.claims()) == 1


def test_the_heartbeat(host: Host) -> None:
    host.application("b app")
    host.application("a")
    host.application("off").joinpath("bin/deploy").chmod(0o644)
    listener = host.start()
    beat = json.loads((host.volume / ".listener.json").read_text())

    assert list(beat) == ["version", "pid", "started", "last_scan", "applications"]
    assert beat["pid"] == listener.process.pid
    assert beat["applications"] == ["a", "b app"]
    assert beat["started"] <= beat["last_scan"]

    if host.form == "shell":  # It takes five seconds; in Python, a test with a faster heart has seen it.
        until(lambda: json.loads((host.volume / ".listener.json").read_text())["last_scan"] != beat["last_scan"])


def test_once_without_flags_is_fine(host: Host) -> None:
    assert host.once()[0] == 0


def test_once_answers_what_is_there(host: Host) -> None:
    host.application("a")
    host.application("b", "exit 1")
    host.flag("a", "v1")
    assert host.once()[0] == 0
    host.flag("a", "v2")
    host.flag("b", "v3")
    assert host.once()[0] == 1
    assert host.runs("a") == ["v1", "v2"]


def test_folders_that_are_missing_are_one_sentence(host: Host) -> None:
    host.volume.rmdir()
    code, log = host.once()
    assert code == 1
    assert log == f"error: the shared volume {host.volume} does not exist: create it, or correct --volume\n"

    host.make_volume()
    host.applications.rmdir()
    code, log = host.once()
    assert code == 1
    assert log.startswith(f"error: the applications folder {host.applications} does not exist")
    assert log.count("\n") == 1


def test_applications_below_the_volume_are_refused(host: Host) -> None:
    host.applications.rmdir()
    (host.volume / "apps").mkdir()
    host.applications.symlink_to(host.volume / "apps")
    code, log = host.once()

    assert code == 1
    assert "keep them apart" in log


def test_wrong_usage(host: Host) -> None:
    listener = host.launch("--concurrency", "none")
    assert listener.process.wait(10) == 2


def test_both_forms_have_the_same_version() -> None:
    from duct_tape import __version__

    assert f"VERSION={__version__} " in (ROOT / "scripts" / "listener.bash").read_text()


# --- where the forms differ -------------------------------------------------------------------------------------------


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


def _crashed(host: Host, claim: str, application: str, tag: str) -> None:
    """What a listener that was killed has left of a claim."""
    running = host.volume / ".running"
    running.mkdir(mode=0o700, exist_ok=True)
    running.chmod(0o700)
    (running / claim).mkdir(mode=0o700)
    line = Flag(run=f"run-{tag}", application=application, tag=tag).to_line() if tag else ""
    (running / claim / application).write_text(line)


def _runs(pid: int) -> bool:
    """Whether a process still runs; one that only waits to be noticed does not."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
