"""The action ``http-request``: tells another system, and no other than the operator named."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from typing import Any

from duct_tape.api import (
    Action,
    Context,
    Outcome,
    PermanentError,
    PluginError,
    Result,
    Run,
    RunState,
    TransientError,
    hookimpl,
)
from duct_tape_http_request.client import Answer, exchange, trusted
from duct_tape_http_request.conf import HttpRequestConf, HttpRequestSettings
from duct_tape_http_request.request import Request, preview, request_of

DUCT_TAPE_API = (1, 0)

# Of an answer, for people.
MAX_SHOWN = 2000


@hookimpl
def ducttape_config_class() -> type:
    """The plugin's configuration."""
    return HttpRequestConf


@hookimpl
def ducttape_setup(ctx: Context) -> None:
    """Look whether the certificates are there that the operator named."""
    if ctx.config.ca is not None:
        try:
            trusted(ctx.config.ca)
        except OSError as error:
            why = "it holds no certificate in PEM form" if isinstance(error, ssl.SSLError) else error.strerror
            raise PluginError(f"`ca` cannot be used: {ctx.config.ca}: {why}") from None


@hookimpl
def ducttape_actions(ctx: Context) -> Mapping[str, Action[Any]]:
    """The one action of this plugin."""

    async def perform(run: Run, settings: HttpRequestSettings) -> Outcome:
        begun = time.time()
        request = request_of(run, settings, ctx.config)
        last = run.attempts + 1 >= settings.attempts
        try:
            answer = await exchange(request, settings.timeout, ctx.config.ca)
        except TransientError as error:
            if last:
                raise PermanentError(f"{error}; given up after {run.attempts + 1} attempts") from None
            raise
        return judged(run, settings, request, answer, begun)

    def previewed(run: Run, settings: HttpRequestSettings) -> Mapping[str, str]:
        return preview(request_of(run, settings, ctx.config))

    return {"http-request": Action(settings=HttpRequestSettings, perform=perform, preview=previewed)}


def judged(run: Run, settings: HttpRequestSettings, request: Request, answer: Answer, begun: float) -> Outcome:
    """What an answer makes of the run.

    :param begun: seconds since the epoch.
    :raises TransientError: the other side may think better of it.
    """
    detail = f"{request.method} {request.shown} → {answer.status}"
    good = answer.status in settings.expect if settings.expect else 200 <= answer.status <= 299
    if good:
        return Outcome(detail=detail, result=_result(run, request, answer, begun, good))
    if 300 <= answer.status <= 399:
        detail += ": redirects are not followed; let `url` name the place itself"
    if answer.status == 429 or answer.status >= 500:
        if run.attempts + 1 < settings.attempts:
            raise TransientError(detail, after=answer.after)
        detail += f"; given up after {run.attempts + 1} attempts"
    return Outcome(state=RunState.FAILED, detail=detail, result=_result(run, request, answer, begun, good))


def _result(run: Run, request: Request, answer: Answer, begun: float, good: bool) -> Result:
    # Some servers send back what they were sent. First without secrets and then cut, so that no half of one is left.
    text = request.masked(answer.body.decode("utf-8", "replace"))[:MAX_SHOWN]
    return Result.ended(run.flag(), "deployed" if good else "failed", begun, output=text)
