"""The admin socket: everything for operators, nothing without the token."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from starlette.testclient import TestClient
from tests.server_support import event, plugin, run

from duct_tape import __version__
from duct_tape.api import Run, Secret
from duct_tape.assembly import assemble
from duct_tape.errors import JournalError
from duct_tape.web.admin import build_admin

TOKEN = {"Authorization": "Bearer a token"}


class Journal:
    """A journal with one run."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    async def counts(self) -> dict[str, int]:
        if self._error:
            raise self._error
        return {"done": 1}

    async def recent(self, limit: int) -> list[Run]:
        if self._error:
            raise self._error
        return [run(created_at=1.5), run(2, event=evolve(event(), release=None))]


@pytest.fixture
def client(tmp_path: Path) -> Callable[..., TestClient]:
    def build(error: Exception | None = None) -> TestClient:
        (tmp_path / "volume").mkdir()
        path = tmp_path / "duct_tape.toml"
        path.write_text(f'[volume]\npath = "{tmp_path}/volume"\n[plugins.mine]')
        journal: Any = Journal(error)
        app = build_admin(assemble(path, {"mine": plugin()}), journal, Secret("a test", b"a token"))
        return TestClient(app, follow_redirects=False)

    return build


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer a tokem"},
        {"Authorization": "bearer a token"},
        {"Authorization": "a token"},
        {"Authorization": "Bearer "},
        {"Authorization": b"Bearer \xff"},
        [("Authorization", "Bearer a token"), ("Authorization", "Bearer a token")],
    ],
)
def test_without_the_token_there_is_nothing(client: Callable[..., TestClient], headers: Any) -> None:
    found = client()
    for path in ("/", "/runs", "/unknown"):
        answer = found.get(path, headers=headers)
        assert (answer.status_code, answer.json()) == (401, {"status": "unauthorized"})


def test_the_status(client: Callable[..., TestClient]) -> None:
    assert client().get("/", headers=TOKEN).json() == {
        "name": "duct-tape",
        "version": __version__,
        "ready": True,
        "checks": [
            {"name": "volume", "healthy": True, "detail": ""},
            {"name": "journal", "healthy": True, "detail": ""},
            {"name": "plugin mine", "healthy": True, "detail": ""},
        ],
        "runs": {"done": 1},
    }


def test_the_plugins(client: Callable[..., TestClient]) -> None:
    (row,) = client().get("/plugins", headers=TOKEN).json()["plugins"]
    assert (row["instance"], row["error"]) == ("mine", None)


def test_the_runs(client: Callable[..., TestClient]) -> None:
    first, second = client().get("/runs", headers=TOKEN).json()["runs"]
    assert first == {
        "id": "run-1", "state": "accepted", "application": "app", "trigger": "deploy", "integration": "sender",
        "repository": "acme/site", "tag": "v1", "attempts": 0, "detail": "", "created_at": 1.5,
        "exit_code": None, "duration": None, "output": None,
    }  # fmt: skip
    assert second["tag"] is None


@pytest.mark.parametrize(("method", "path", "code"), [("GET", "/x", 404), ("GET", "/runs/", 404), ("POST", "/", 405)])
def test_anything_else_is_refused(client: Callable[..., TestClient], method: str, path: str, code: int) -> None:
    assert client().request(method, path, headers=TOKEN).status_code == code


def test_a_journal_that_fails_is_503_with_the_reason(client: Callable[..., TestClient]) -> None:
    found = client(JournalError("the disk is gone"))
    for path in ("/", "/runs"):
        answer = found.get(path, headers=TOKEN)
        assert (answer.status_code, answer.json()) == (503, {"status": "unavailable", "reason": "the disk is gone"})
    assert found.get("/plugins", headers=TOKEN).status_code == 200
