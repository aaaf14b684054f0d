from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from pathlib import Path

import pytest

from duct_tape.listener import process
from duct_tape.listener.output import Log, Output
from duct_tape.listener.process import Script, exit_code, start, wait


def script(folder: Path, text: str, stdin: bytes = b"") -> Script:
    path = folder / "script"
    path.write_text(text)
    path.chmod(0o755)
    return Script(path=path, folder=folder, environment={b"PATH": os.fsencode(os.environ["PATH"])}, stdin=stdin)


def run(
    what: Script,
    limit: float = 10.0,
    kill_after: float = 5.0,
    stop_after: float | None = None,
    cancel_after: float | None = None,
) -> tuple[str, int | None, str]:
    async def inside() -> tuple[str, int | None, str]:
        output, stop, cancel = Output(Log(None)), asyncio.Event(), asyncio.Event()
        try:
            started = await start(what, output)
            if stop_after is not None:
                asyncio.get_running_loop().call_later(stop_after, stop.set)
            if cancel_after is not None:
                asyncio.get_running_loop().call_later(cancel_after, cancel.set)
            cause = await wait(started, limit, stop, cancel, kill_after)
            return cause, exit_code(started), output.finish()
        finally:
            output.close()

    return asyncio.run(inside())


def test_a_script_reads_its_input_to_the_end_and_runs_in_its_folder(tmp_path: Path) -> None:
    assert run(script(tmp_path, "#!/bin/sh\npwd; cat; cat", b"in")) == ("exit", 0, f"{tmp_path}\nin")


def test_exit_codes(tmp_path: Path) -> None:
    assert run(script(tmp_path, "#!/bin/sh\nexit 3"))[:2] == ("exit", 3)
    assert run(script(tmp_path, "#!/bin/sh\nkill -9 $$"))[:2] == ("exit", 137)


def test_without_a_first_line_it_is_a_shell_script(tmp_path: Path) -> None:
    assert run(script(tmp_path, "echo $0")) == ("exit", 0, str(tmp_path / "script"))


def test_what_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run(script(tmp_path, "#!/nowhere"))


def test_a_script_leads_a_session_of_its_own(tmp_path: Path) -> None:
    cause, code, text = run(script(tmp_path, "#!/bin/sh\nread -r line </proc/$$/stat; set -- $line; echo $1 $5 $6"))

    assert (cause, code) == ("exit", 0)
    assert len(set(text.split())) == 1


def test_the_time_limit_lets_a_script_clean_up(tmp_path: Path) -> None:
    text = "#!/bin/sh\ntrap 'echo cleaned; exit 0' TERM\nsleep 100 & wait"

    assert run(script(tmp_path, text), limit=0.3) == ("timeout", 0, "cleaned")


def test_who_does_not_end_is_killed(tmp_path: Path) -> None:
    text = "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 0.02; done"

    assert run(script(tmp_path, text), limit=0.3, kill_after=0.2)[:2] == ("timeout", 137)


def test_being_told_to_stop_ends_it(tmp_path: Path) -> None:
    assert run(script(tmp_path, "#!/bin/sh\nexec sleep 100"), stop_after=0.1)[:2] == ("stop", 143)


STUBBORN = """#!/bin/sh
echo $$ >group
sh -c 'trap "" TERM; touch child; while :; do sleep 0.02; done' &
until [ -e child ]; do sleep 0.01; done
wait
"""


def group_of(folder: Path) -> int:
    """The group that the script led; it wrote it down."""
    return int((folder / "group").read_text())


def test_being_cancelled_ends_the_whole_group(tmp_path: Path) -> None:
    assert run(script(tmp_path, STUBBORN), cancel_after=0.3, kill_after=0.2)[0] == "cancel"

    assert process._states(group_of(tmp_path)) <= {"Z"}


def test_what_cannot_be_ended_is_waited_for_until_the_listener_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(process, "_LAST_WAIT", 0.1)
    monkeypatch.setattr(process, "_runs", lambda group: True)

    cause, _, _ = run(script(tmp_path, "#!/bin/sh\nexec sleep 100"), cancel_after=0.1, stop_after=0.5)

    assert cause == "stop"
    assert [message.partition(" (")[0] for message in caplog.messages] == [
        "what bin/deploy has started cannot be ended"
    ]


def test_a_process_that_only_waits_to_be_noticed_does_not_run(tmp_path: Path) -> None:
    ended = subprocess.Popen(["/bin/true"], start_new_session=True)
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    assert process._states(ended.pid) == {"Z"}
    assert not process._runs(ended.pid)
    ended.wait()

    assert process._runs(os.getpgrp())
    assert process._states(os.getpgrp(), tmp_path / "no proc") == set()


def test_a_group_that_is_gone_already_needs_no_end() -> None:
    async def inside() -> float:
        loop = asyncio.get_running_loop()
        ended = await asyncio.create_subprocess_exec("true", start_new_session=True)
        await ended.wait()
        begun = loop.time()
        await process._end_group(ended.pid, 60)
        return loop.time() - begun

    assert asyncio.run(inside()) < 20


def test_a_process_of_another_user_counts_as_being_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(group: int, number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "killpg", refuse)

    assert process._signal(12345, signal.SIGTERM)
