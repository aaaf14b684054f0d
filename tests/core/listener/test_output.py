from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duct_tape.listener import output
from duct_tape.listener.output import MAX_TAIL_BYTES, MAX_TAIL_LINES, Log, Output, last_lines


def opened(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT)


def test_a_log_takes_what_fits_and_says_where_it_ends(tmp_path: Path) -> None:
    log = Log(opened(tmp_path / "log"), limit=5)
    log.write(b"123")
    log.write(b"456")
    log.write(b"789")
    log.close()

    assert (tmp_path / "log").read_bytes() == b"12345\n[the log is limited in size and ends here; the script goes on]\n"


def test_a_log_that_is_exactly_full_is_not_cut(tmp_path: Path) -> None:
    log = Log(opened(tmp_path / "log"), limit=3)
    log.write(b"123")
    log.close()

    assert (tmp_path / "log").read_bytes() == b"123"


def test_without_a_log_nothing_is_written() -> None:
    log = Log(None)
    log.write(b"123")
    log.close()


def test_a_full_disk_ends_the_log_and_nothing_else() -> None:
    log = Log(os.open("/dev/full", os.O_WRONLY))
    log.write(b"123")
    log.write(b"456")
    log.close()


def test_what_comes_goes_to_the_log_and_its_end_is_kept(tmp_path: Path) -> None:
    async def run() -> str:
        out = Output(Log(opened(tmp_path / "log")))
        os.write(out.writer, b"one\ntwo\n")
        await asyncio.sleep(0)
        out.handed_over()
        return out.finish()

    assert asyncio.run(run()) == "one\ntwo"
    assert (tmp_path / "log").read_text() == "one\ntwo\n"


def test_what_comes_after_the_end_is_drained_but_not_kept(tmp_path: Path) -> None:
    async def run() -> str:
        out = Output(Log(opened(tmp_path / "log")))
        os.write(out.writer, b"one\n")
        text = out.finish()
        os.set_blocking(out.writer, False)
        for _ in range(5):  # More than a pipe holds.
            os.write(out.writer, b"x" * 60_000)
            await asyncio.sleep(0.01)
        out.handed_over()
        await asyncio.sleep(0.01)
        out.close()
        return text

    assert asyncio.run(run()) == "one"
    assert (tmp_path / "log").read_text() == "one\n"


def test_a_flood_at_the_end_is_not_drunk_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "MAX_LOG_BYTES", output._CHUNK)

    async def run() -> None:
        out = Output(Log(None))
        os.set_blocking(out.writer, False)
        assert os.write(out.writer, b"x" * 65536) == 65536
        assert out.finish() == "x" * MAX_TAIL_BYTES
        out.handed_over()
        out.close()

    asyncio.run(run())


def test_the_last_lines_are_whole_lines() -> None:
    assert last_lines(b"\xff\n\n") == "\N{REPLACEMENT CHARACTER}"
    assert last_lines(b"x" * MAX_TAIL_BYTES) == "x" * MAX_TAIL_BYTES
    assert last_lines((b"a" * MAX_TAIL_BYTES + b"\nb\n")[-MAX_TAIL_BYTES:]) == "b"


@given(st.binary(max_size=MAX_TAIL_BYTES))
def test_the_last_lines_are_few_whatever_came(tail: bytes) -> None:
    assert len(last_lines(tail).split("\n")) <= MAX_TAIL_LINES
