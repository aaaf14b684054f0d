from __future__ import annotations

import asyncio
import os
import signal
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
    what: Script, limit: float = 10.0, kill_after: float = 5.0, stop_after: float | None = None
) -> tuple[str, int | None, str]:
    async def inside() -> tuple[str, int | None, str]:
        output, stop = Output(Log(None)), asyncio.Event()
        try:
            started = await start(what, output)
            if stop_after is not None:
                asyncio.get_running_loop().call_later(stop_after, stop.set)
            cause = await wait(started, limit, stop, kill_after)
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


def test_a_group_that_is_gone_already_needs_no_end() -> None:
    async def inside() -> float:
        loop = asyncio.get_running_loop()
        ended = await asyncio.create_subprocess_exec("true", start_new_session=True)
        await ended.wait()
        begun = loop.time()
        await process._end_group(ended.pid, 60)
        return loop.time() - begun

    assert asyncio.run(inside()) < 1


def test_a_process_of_another_user_counts_as_being_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(group: int, number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "killpg", refuse)

    assert process._signal(12345, signal.SIGTERM)
