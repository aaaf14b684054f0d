"""A plugin's routes are served under its prefix, in exactly one spelling, and nowhere else."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from duct_tape.conf.model import PluginTable
from duct_tape.plugins.discovery import from_object
from duct_tape.plugins.instance import Instance
from duct_tape.plugins.isolation import PluginFailure
from duct_tape.plugins.mounts import InstanceMount, checked_routes
from duct_tape.plugins.watch import ALARM


async def page(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{request.scope['duct_tape.instance'].name} {request.url.path}")


ROUTES = (Route("/", page, methods=["POST"]), Route("/deep/{x}", page))


def app(instance: Instance) -> TestClient:
    starlette = Starlette(routes=[InstanceMount(instance)])
    starlette.router.redirect_slashes = False
    return TestClient(starlette, follow_redirects=False)


@pytest.fixture
def instance() -> Instance:
    table = PluginTable(instance="mine", plugin="mine", data={})
    return Instance(table=table, installed=from_object("mine", object()), routes=ROUTES)


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("POST", "/integrations/mine", 200),
        ("GET", "/integrations/mine/deep/1", 200),
        ("HEAD", "/integrations/mine/deep/1", 200),
        ("POST", "/integrations/mine/", 404),
        ("GET", "/integrations/mine/deep/1/", 404),
        ("GET", "/integrations/mine//deep/1", 404),
        ("GET", "/integrations/mine/deep", 404),
        ("POST", "/integrations/min", 404),
        ("POST", "/integrations/mines", 404),
        ("POST", "/integrations", 404),
        ("GET", "/deep/1", 404),
        ("GET", "/integrations/mine", 405),
        ("POST", "/integrations/mine/deep/1", 405),
    ],
)
def test_one_spelling_of_each_url(instance: Instance, method: str, path: str, code: int) -> None:
    answer = app(instance).request(method, path)
    assert answer.status_code == code
    if code == 200 and method != "HEAD":
        assert answer.text == f"mine {path}" if path != "/integrations/mine" else "mine"


def test_a_refused_method_names_those_that_are_allowed(instance: Instance) -> None:
    assert app(instance).get("/integrations/mine").headers["Allow"] == "POST"


def test_a_plugin_that_is_off_answers_503(instance: Instance) -> None:
    client = app(instance)
    instance.failure = "broken"
    for path in ("/integrations/mine", "/integrations/mine/anything"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
        assert answer.json() == {"status": "unavailable", "reason": "this integration is off"}


def test_websockets_are_not_served(instance: Instance) -> None:
    with pytest.raises(WebSocketDisconnect), app(instance).websocket_connect("/integrations/mine"):
        pass


@pytest.mark.parametrize(
    ("routes", "text"),
    [
        (3, "ducttape_routes must return Starlette routes"),
        (["/path"], "str is not a starlette Route"),
        ([Mount("/x", routes=[])], "Mount is not a starlette Route"),
        ([Route("/x", "endpoint")], "the endpoint of /x cannot be called"),  # type: ignore[arg-type]
        ([Route("/x", page), Route("/x", page, methods=["GET"])], "two routes answer GET /x"),
    ],
)
def test_junk_routes_are_refused(routes: Any, text: str) -> None:
    with pytest.raises(PluginFailure, match=f"^{text}$"):
        checked_routes(routes)


def test_good_routes_are_kept_in_order() -> None:
    routes = [*ROUTES, Route("/x", page, methods=["PUT"]), Route("/x", page, methods=["DELETE"])]
    assert checked_routes(iter(routes)) == tuple(routes)
    assert checked_routes([Route("/asgi", PlainTextResponse("x"))])


@pytest.mark.parametrize("error", [ValueError("broken"), SystemExit(9), KeyboardInterrupt(), asyncio.CancelledError()])
def test_a_route_that_fails_costs_its_own_request_only(
    instance: Instance, error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(request: Request) -> None:
        raise error

    instance.routes = (*instance.routes, Route("/fails", fails))
    client = app(instance)
    answer = client.get("/integrations/mine/fails")
    reason = "this integration failed on the request"
    assert (answer.status_code, answer.json()) == (500, {"status": "failed", "reason": reason})
    (message,) = [message for message in caplog.messages if "failed on" in message]
    assert message.startswith(f"plugin mine failed on GET /integrations/mine/fails: {type(error).__name__}")
    assert client.get("/integrations/mine/deep/1").status_code == 200


def test_an_answer_that_has_begun_just_ends(instance: Instance, caplog: pytest.LogCaptureFixture) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"one"
        raise ValueError("broken")

    async def streams(request: Request) -> StreamingResponse:
        return StreamingResponse(pieces())

    instance.routes = (Route("/streams", streams),)
    assert app(instance).get("/integrations/mine/streams").content == b"one"
    assert "plugin mine failed on GET /integrations/mine/streams: ValueError: broken" in caplog.messages


def test_a_route_that_keeps_the_event_loop_to_itself_is_interrupted(
    instance: Instance, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def blocks(request: Request) -> None:
        threading.Event().wait()

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/integrations/mine/blocks", "headers": []}
    instance.routes = (Route("/blocks", blocks),)
    mount = InstanceMount(instance)
    scope |= mount.matches(scope)[1]
    monkeypatch.setattr("duct_tape.plugins.watch.BLOCKED_SECONDS", 0.05)
    ALARM.install()
    try:
        asyncio.run(mount.handle(scope, receive, send))
    finally:
        ALARM.uninstall()
    assert sent[0]["status"] == 500
    assert instance.last_failure.endswith(": it kept the event loop to itself for 0.05 seconds")
    assert "plugin mine failed on GET /integrations/mine/blocks: it kept the event loop" in caplog.messages[0]
