"""The admin socket: details for operators, behind a token, on an address of its own."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from attrs import asdict
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from duct_tape import __version__
from duct_tape.assembly import Assembly
from duct_tape.errors import JournalError
from duct_tape.health import Health
from duct_tape.journal import Journal
from duct_tape.runs import Run
from duct_tape.secret import Secret
from duct_tape.web.answers import answer, http_error
from duct_tape.web.gate import Gate


def build_admin(
    assembly: Assembly, journal: Journal, token: Secret, shared: Callable[[], Health | None] = lambda: None
) -> ASGIApp:
    """The application that the admin socket serves.

    :param shared: the public application's checks, once it has begun.
    """
    own = Health(assembly, journal)

    async def status(request: Request) -> Response:
        checks = await (shared() or own).checks()
        return JSONResponse(
            {
                "name": "duct-tape",
                "version": __version__,
                "ready": all(check.healthy for check in checks),
                "checks": [asdict(check) for check in checks],
                "runs": await journal.counts(),
            }
        )

    async def plugins(request: Request) -> Response:
        return JSONResponse({"plugins": [instance.status() for instance in assembly.registry]})

    async def runs(request: Request) -> Response:
        return JSONResponse({"runs": [_row(run) for run in await journal.recent(100)]})

    routes = [Route("/", status), Route("/plugins", plugins), Route("/runs", runs)]
    app = Starlette(routes=routes, exception_handlers={HTTPException: http_error, JournalError: _no_journal})
    app.router.redirect_slashes = False
    return _TokenRequired(Gate(app), token)


async def _no_journal(request: Request, error: Exception) -> Response:
    return answer(503, "unavailable", reason=str(error))


class _TokenRequired:
    def __init__(self, app: ASGIApp, token: Secret) -> None:
        self._app = app
        self._expected = b"Bearer " + token.reveal()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] == "http":
            given = [value for name, value in scope["headers"] if name == b"authorization"]
            if len(given) != 1 or not hmac.compare_digest(given[0], self._expected):
                app = answer(401, "unauthorized")
        await app(scope, receive, send)


def _row(run: Run) -> dict[str, object]:
    return {
        "id": run.id,
        "state": run.state,
        "application": run.application,
        "trigger": run.trigger,
        "integration": run.instance,
        "repository": run.event.repository,
        "tag": run.event.release.tag if run.event.release else None,
        "attempts": run.attempts,
        "detail": run.detail,
        "exit_code": run.result.exit_code if run.result else None,
        "duration": run.result.duration if run.result else None,
        "output": run.result.output if run.result else None,
        "created_at": run.created_at,
    }
