"""The public application and what lives as long as it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from duct_tape import __version__
from duct_tape.assembly import Assembly
from duct_tape.dispatch import Dispatcher
from duct_tape.follow import Follower
from duct_tape.health import Health
from duct_tape.journal import Journal
from duct_tape.observers import Observers
from duct_tape.plugins.lifespan import plugin_lifespan
from duct_tape.plugins.mounts import InstanceMount
from duct_tape.retry import RETRY, Retry
from duct_tape.upkeep import upkeep
from duct_tape.web.answers import answer, http_error
from duct_tape.web.gate import Gate
from duct_tape.web.receive import Intake
from duct_tape.web.strangers import Strangers

log = logging.getLogger("duct_tape")


def build_app(assembly: Assembly, journal: Journal, retry: Retry = RETRY) -> Starlette:
    """The application that the public socket serves. It closes the journal when it ends.

    What keeps it from starting or from ending well is in ``state.failure``; ASGI passes on only text.
    """
    routes: list[BaseRoute] = [
        Route("/", _name, methods=["GET"]),
        Route("/healthz", _healthz, methods=["GET"]),
        Route("/readyz", _readyz, methods=["GET"]),
        *(InstanceMount(instance) for instance in assembly.registry),
    ]

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        try:
            async with running(assembly, journal, retry) as (intake, health):
                app.state.intake, app.state.health = intake, health
                yield
        except Exception as error:
            app.state.failure = error
            raise

    strangers = Strangers(assembly.configuration.core.server)
    # Exactly one spelling of each URL: no redirects to or from a trailing slash.
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Gate, strangers=strangers)],
        lifespan=lifespan,
        exception_handlers={HTTPException: http_error},
    )
    app.router.redirect_slashes = False
    app.state.strangers = strangers
    return app


@asynccontextmanager
async def running(assembly: Assembly, journal: Journal, retry: Retry) -> AsyncIterator[tuple[Intake, Health]]:
    """Observers, dispatcher and the plugins' lifespans, started in order and ended in reverse."""
    seconds = assembly.configuration.core.server.shutdown_timeout / 2
    observers = Observers(assembly.registry)
    follower = Follower(assembly.volume, journal, observers, assembly.configuration.core.volume)
    dispatcher = Dispatcher(assembly, journal, observers, retry, follower.flagged)
    intake = assembly.host = Intake(assembly, journal, dispatcher)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(journal.close)
        stack.callback(setattr, assembly, "host", None)
        for instance in assembly.registry:
            await stack.enter_async_context(plugin_lifespan(assembly.registry, instance, seconds / 2))
        telling = asyncio.create_task(observers.work(), name="observers")
        stack.push_async_callback(_cancel, telling)
        stack.push_async_callback(observers.drain, 1.0)
        stack.push_async_callback(dispatcher.close, seconds)
        await follower.recover()
        following = asyncio.create_task(follower.work(), name="follower")
        stack.push_async_callback(_cancel, following)
        if recovered := await dispatcher.recover():
            log.info("taking up %d runs that were not finished", recovered)
        attending = asyncio.create_task(dispatcher.attend(), name="attendant")
        stack.push_async_callback(_cancel, attending)
        tidying = asyncio.create_task(upkeep(journal, assembly.configuration.core.journal), name="upkeep")
        stack.push_async_callback(_cancel, tidying)
        yield intake, Health(assembly, journal, follower)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _name(request: Request) -> Response:
    return JSONResponse({"name": "duct-tape", "version": __version__})


async def _healthz(request: Request) -> Response:
    return answer(200, "ok")


async def _readyz(request: Request) -> Response:
    health: Health = request.app.state.health
    return answer(200, "ready") if await health.ready() else answer(503, "not ready")
