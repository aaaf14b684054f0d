"""``duct-tape simulate``: the server's own decision, and nothing done."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tests.server_support import Checked

from duct_tape.api import (
    Decision,
    Event,
    Ignored,
    PlannedRun,
    RawDelivery,
    Receiver,
    ReceiverRoute,
    Runs,
    UnsupportedMediaError,
)
from duct_tape_github.sample import ping_payload, release_payload

Cli = Callable[..., Any]
Configure = Callable[..., Path]
Offer = Callable[..., None]


@pytest.fixture
def payload(folder: Path) -> Callable[..., str]:
    def payload(**changes: Any) -> str:
        (folder / "payload.json").write_text(json.dumps(release_payload("acme/site", **changes)))
        return "payload.json"

    return payload


def test_a_release_that_would_be_deployed(cli: Cli, configure: Configure, folder: Path, payload: Any) -> None:
    configure()
    before = sorted(path for path in folder.rglob("*"))
    ended = cli("simulate", "github", "release", payload(tag="v1.2.3", release_id=7))
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0].startswith("accepted: release:")
    assert lines[0].endswith(":7:v1.2.3")
    assert lines[1:3] == ["run for site.example.com by trigger deploy", "  flag: site.example.com"]
    assert json.loads(lines[3].removeprefix("  content: "))["tag"] == "v1.2.3"
    after = sorted(path for path in folder.rglob("*"))
    assert [path.name for path in after if path not in before] == ["payload.json"]


def test_json(cli: Cli, configure: Configure, payload: Any) -> None:
    configure()
    result = json.loads(cli("simulate", "github", "release", payload(), "--json").out)
    assert result["status"] == "accepted"
    assert result["version"] == "2026-01-02T03:04:05Z"
    assert result["runs"][0]["preview"]["flag"] == "site.example.com"


def test_standard_input(cli: Cli, configure: Configure) -> None:
    configure()
    ended = cli("simulate", "github", "ping", "-", stdin=json.dumps(ping_payload("acme/site")).encode())
    assert (ended.code, ended.out) == (0, "pong: releases of acme/site deploy site.example.com\n")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"draft": True}, "ignored: the release is a draft\n"),
        ({"action": "deleted"}, "ignored: the release was `deleted`: only a published release is deployed\n"),
    ],
)
def test_a_release_that_would_be_ignored_is_fine(
    cli: Cli, configure: Configure, payload: Any, changes: dict[str, Any], text: str
) -> None:
    configure()
    ended = cli("simulate", "github", "release", payload(**changes))
    assert (ended.code, ended.out) == (0, text)


@pytest.mark.parametrize(
    ("event", "body", "text"),
    [
        ("release", b"", "malformed: the body is not JSON in UTF-8\n"),
        ("release", b"\xff", "malformed: the body is not JSON in UTF-8\n"),
        ("release", b"{}", "malformed: `repository.id` is missing or is not a whole number\n"),
        ("re\nlease", b"{}", "malformed: the header X-GitHub-Event is missing or not as the sender sends it\n"),
    ],
)
def test_a_delivery_that_would_be_refused(cli: Cli, configure: Configure, event: str, body: bytes, text: str) -> None:
    configure()
    ended = cli("simulate", "github", event, "-", stdin=body)
    assert (ended.code, ended.out, ended.err) == (1, text, "")


def test_a_run_that_would_fail(cli: Cli, configure: Configure, payload: Any) -> None:
    path = configure()
    path.write_text(path.read_text().replace('"touch-file"\n', '"touch-file"\nfilename = "{{ release.tag }}"\n'))
    ended = cli("simulate", "github", "release", payload(tag="a/\x1b[2Jb"))
    assert ended.code == 1
    assert "  would fail: 'a/\\x1b[2Jb' is not a safe file name: it holds a slash\n" in ended.out
    assert "\x1b" not in ended.out
    result = json.loads(cli("simulate", "github", "release", "payload.json", "--json").out)
    assert "is not a safe file name" in result["runs"][0]["error"]


def test_what_a_stranger_wrote_stays_on_its_lines(cli: Cli, configure: Configure, payload: Any) -> None:
    path = configure()
    path.write_text(
        path.read_text().replace('"touch-file"\n', '"touch-file"\ncontent = "{{ release.name }}\\nend\\n"\n')
    )
    ended = cli("simulate", "github", "release", payload(tag="\x1b]0;x\x07"))
    assert ended.out.endswith("  content: Release \\x1b]0;x\\x07\n    end\n")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("gitlab", "error: there is no `gitlab` under [plugins]; there are: touch-file, github\n"),
        ("touch-file", "error: plugin touch-file receives no webhooks\n"),
    ],
)
def test_what_is_no_integration(cli: Cli, configure: Configure, name: str, text: str) -> None:
    configure()
    ended = cli("simulate", name, "release", "-")
    assert (ended.code, ended.out, ended.err) == (1, "", text)


def test_a_wrong_configuration_decides_nothing(cli: Cli, configure: Configure) -> None:
    configure("[server]\nbnid = 1\n")
    ended = cli("simulate", "github", "release", "-")
    assert ended.code == 1
    assert ended.err == "error: unknown key `bnid` in server (conf/duct_tape.toml); did you mean `bind`?\n"


def parse(delivery: RawDelivery) -> Event:
    return Event(name="push", delivery="d")


def simulated(name: str, body: bytes) -> RawDelivery:
    return RawDelivery.build({}, body)


def integration(decide: Callable[[Event], Decision]) -> Any:
    receiver = Receiver(verifier=Checked(lambda delivery: None), parse=parse, decide=decide, simulated=simulated)
    return lambda: [ReceiverRoute(receiver)]


def test_an_integration_that_fails_is_answered_as_by_the_server(cli: Cli, configure: Configure, offer: Offer) -> None:
    def decide(event: Event) -> Decision:
        raise KeyError("boom")

    offer(routes=integration(decide))
    configure("[plugins.x]\n")
    ended = cli("simulate", "x", "push", "-")
    assert (ended.code, ended.out) == (1, "malformed: the integration cannot read it (KeyError)\n")


def test_an_integration_without_keys(cli: Cli, configure: Configure, offer: Offer) -> None:
    offer(routes=integration(lambda event: Runs(runs=(PlannedRun(application="a", trigger="deploy"),))))
    configure('[plugins.x]\n[plugins.touch-file]\n[triggers.deploy]\naction = "touch-file"\n')
    ended = cli("simulate", "x", "push", "-")
    assert ended.code == 0
    assert ended.out.startswith("accepted: the runs have no key\nrun for a by trigger deploy\n  flag: a\n")


def test_an_unsupported_media_type(cli: Cli, configure: Configure, offer: Offer) -> None:
    def decide(event: Event) -> Decision:
        raise UnsupportedMediaError("only JSON is read")

    offer(routes=integration(decide))
    configure("[plugins.x]\n")
    ended = cli("simulate", "x", "push", "-")
    assert (ended.code, ended.out) == (1, "unsupported media type: only JSON is read\n")


def test_an_integration_that_is_off(cli: Cli, configure: Configure, offer: Offer) -> None:
    def setup() -> None:
        raise RuntimeError("boom")

    offer(setup=setup)
    configure("[plugins.x]\n")
    ended = cli("simulate", "x", "push", "-")
    assert (ended.code, ended.err) == (1, "error: plugin x is off: setup: RuntimeError: boom\n")


def test_reasons_are_sentences(cli: Cli, configure: Configure, offer: Offer) -> None:
    offer(routes=integration(lambda event: Ignored(reason="nothing\nto do")))
    configure("[plugins.x]\n")
    assert cli("simulate", "x", "push", "-").out == "ignored: nothing\\nto do\n"


def test_the_integration_is_found_behind_other_routes(cli: Cli, configure: Configure, offer: Offer) -> None:
    async def page(request: Request) -> Response:
        return Response()

    behind = integration(lambda event: Ignored(reason="no"))
    offer(routes=lambda: [Route("/page", page), *behind()])
    configure("[plugins.x]\n")
    assert cli("simulate", "x", "push", "-").out == "ignored: no\n"
