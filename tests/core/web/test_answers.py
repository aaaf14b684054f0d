"""Answers are JSON with a status; a 503 says when to come back."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from duct_tape.web.answers import answer, http_error


def test_an_answer_has_a_status_first() -> None:
    found = answer(202, "accepted", delivery="d-1")
    assert found.body == b'{"status":"accepted","delivery":"d-1"}'
    assert "Retry-After" not in found.headers


def test_unavailable_says_when_to_come_back() -> None:
    assert answer(503, "unavailable").headers["Retry-After"] == "30"


@pytest.mark.parametrize(("code", "status"), [(404, "not found"), (405, "method not allowed"), (418, "refused")])
def test_refusals_of_starlette_look_the_same(code: int, status: str) -> None:
    request: Any = Request({"type": "http"})
    found = asyncio.run(http_error(request, HTTPException(code, headers={"Allow": "POST"})))
    assert (found.status_code, json.loads(bytes(found.body))) == (code, {"status": status})
    assert found.headers["Allow"] == "POST"
