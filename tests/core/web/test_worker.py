"""What the server asks of the operating system before it takes connections."""

from __future__ import annotations

import ctypes
import resource

import pytest

from duct_tape.web.worker import OTHER_FILES, allow_files, return_memory

INFINITE = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("limits", "wanted", "warned"),
    [
        ((1024, INFINITE), (1000 + OTHER_FILES, INFINITE), False),
        ((1024, 4096), (1000 + OTHER_FILES, 4096), False),
        ((256, 1024), (1024, 1024), True),
        ((65536, 65536), None, False),
        ((INFINITE, INFINITE), None, False),
    ],
)
def test_so_many_files_may_be_open_as_there_may_be_connections(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    limits: tuple[int, int],
    wanted: tuple[int, int] | None,
    warned: bool,
) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda kind: limits)
    monkeypatch.setattr(resource, "setrlimit", lambda kind, pair: asked.append(pair))
    allow_files(1000)
    assert asked == ([wanted] if wanted else [])
    assert [record.getMessage() for record in caplog.records] == (
        [
            "only 1024 files may be open, too few for 1000 connections: raise the limit (`ulimit -n`), or lower "
            "`server.max_connections`"
        ]
        if warned
        else []
    )


def test_a_c_library_without_that_setting_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    return_memory()
