"""Answers: JSON with a ``status``."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response


def answer(code: int, status: str, **members: Any) -> JSONResponse:
    """An answer in the words of the HTTP contract."""
    headers = {"Retry-After": "30"} if code == 503 else None
    return JSONResponse({"status": status, **members}, code, headers=headers)


def unauthorized() -> JSONResponse:
    """The one answer to whoever has not proven who they are. Their body may not have been read to the end."""
    refused = answer(401, "unauthorized")
    refused.headers["Connection"] = "close"
    return refused


def too_many(seconds: int) -> JSONResponse:
    """The answer to an address that was refused too often. Its body is not read."""
    refused = answer(429, "too many requests")
    refused.headers.update({"Retry-After": str(seconds), "Connection": "close"})
    return refused


async def http_error(request: Request, error: Exception) -> Response:
    """Starlette's own refusals (404, 405) in the same form."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    status = {404: "not found", 405: "method not allowed"}.get(error.status_code, "refused")
    return JSONResponse({"status": status}, error.status_code, headers=error.headers)
