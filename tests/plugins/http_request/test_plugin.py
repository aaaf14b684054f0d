"""The action http-request: from a signed release to what another system hears, and what becomes of the run."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from tests.plugins.http_request.far import Far, status
from tests.server_support import free_port

from duct_tape.api import Run
from duct_tape.assembly import assemble
from duct_tape.cli import group
from duct_tape.cli.check import check
from duct_tape.testing import Harness
from duct_tape_github.sample import release_payload
from signing import github_signature

if TYPE_CHECKING:
    import httpx2

SECRET = "4f1d0c5a9b3e4c7d8a6f"
TOKEN = "t0psecret-token-of-the-other-system"
CONFIGURATION = """
[triggers.tell]
action = "http-request"
TRIGGER
[plugins.http-request]
hosts = ["HOST", "localhost:1"]
MORE
[plugins.github]
secrets = [{ file = "FOLDER/secret" }]
triggers = ["tell"]
[plugins.github.repositories."acme/site"]
application = "site.example.com"
"""
URL = 'url = "http://HOST/jobs"'

Text = Callable[..., str]


@pytest.fixture
def text(tmp_path: Path) -> Text:
    """A configuration that calls a host."""
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "token").write_text(f"{TOKEN}\n")

    def made(host: str, trigger: str = URL, more: str = "") -> str:
        found = CONFIGURATION.replace("TRIGGER", trigger).replace("MORE", more).replace("HOST", host)
        return found.replace("FOLDER", str(tmp_path))

    return made


def deliver(harness: Harness, tag: str = "v1") -> httpx2.Response:
    body = json.dumps(release_payload("acme/site", tag=tag)).encode()
    headers = {
        "X-GitHub-Event": "release",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": github_signature(SECRET.encode(), body),
    }
    return harness.post("github", body, headers)


def carried_out(folder: Path, configuration: str, tag: str = "v1") -> Run:
    """The run of a release, once it is over."""
    with Harness(folder, configuration) as harness:
        assert deliver(harness, tag).status_code == 202
        harness.settle()
        (run,) = harness.runs()
    return run


def test_a_signed_release_is_told_to_another_system(far: Far, text: Text, tmp_path: Path) -> None:
    far.replies = [status(201, body='{"job": 7}')]
    trigger = f'{URL}\ntoken = {{ file = "FOLDER/token" }}\nheaders = {{ X-Tag = "{{{{ release.tag }}}}" }}'
    run = carried_out(tmp_path, text(far.host, trigger), "v1.2.3")
    (request,) = far.requests
    assert request.line == "POST /jobs HTTP/1.1"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["idempotency-key"] == f'"{run.id}"'
    assert request.headers["x-tag"] == "v1.2.3"
    assert json.loads(request.body) == json.loads(run.flag().to_line())
    assert (run.state, run.detail) == ("done", f"POST http://{far.host}/jobs → 201")
    assert run.result
    assert run.result.output == '{"job": 7}'


@pytest.mark.parametrize("code", [500, 502, 503, 429])
def test_what_may_pass_is_tried_again_with_the_same_key(far: Far, text: Text, tmp_path: Path, code: int) -> None:
    far.replies = [status(code, "Retry-After: 3600"), status(code)]
    run = carried_out(tmp_path, text(far.host))
    assert (run.state, run.attempts) == ("done", 3)
    assert {request.headers["idempotency-key"] for request in far.requests} == {f'"{run.id}"'}
    assert len(far.requests) == 3


def test_it_is_given_up_after_so_many_attempts(far: Far, text: Text, tmp_path: Path) -> None:
    far.replies = [status(500), status(503, body="busy"), status(200)]
    run = carried_out(tmp_path, text(far.host, f"{URL}\nattempts = 2"))
    assert (run.state, run.attempts) == ("failed", 2)
    assert run.detail == f"POST http://{far.host}/jobs → 503; given up after 2 attempts"
    assert run.result
    assert run.result.output == "busy"
    assert len(far.requests) == 2


def test_nobody_there_is_given_up_too(text: Text, tmp_path: Path) -> None:
    run = carried_out(tmp_path, text(f"127.0.0.1:{free_port()}", f"{URL}\nattempts = 2"))
    assert (run.state, run.attempts) == ("failed", 2)
    assert "cannot be reached (ConnectError" in run.detail
    assert run.detail.endswith("given up after 2 attempts")


@pytest.mark.parametrize("code", [400, 401, 404, 409, 422])
def test_a_refusal_is_not_tried_again(far: Far, text: Text, tmp_path: Path, code: int) -> None:
    far.replies = [status(code, body="no such job")]
    run = carried_out(tmp_path, text(far.host))
    assert (run.state, run.detail, run.attempts) == ("failed", f"POST http://{far.host}/jobs → {code}", 1)
    assert run.result
    assert run.result.output == "no such job"
    assert len(far.requests) == 1


def test_a_redirect_is_a_failure_that_says_so(far: Far, text: Text, tmp_path: Path) -> None:
    far.replies = [status(302, f"Location: http://{far.host}/login?{TOKEN}")]
    run = carried_out(tmp_path, text(far.host))
    assert run.state == "failed"
    assert run.detail.endswith("302: redirects are not followed; let `url` name the place itself")
    assert far.connections == 1


@pytest.mark.parametrize(
    ("code", "state", "attempts"), [(409, "done", 1), (200, "failed", 1), (500, "failed", 2), (503, "done", 1)]
)
def test_what_is_good_can_be_said(far: Far, text: Text, tmp_path: Path, code: int, state: str, attempts: int) -> None:
    far.replies = [status(code), status(code)]
    run = carried_out(tmp_path, text(far.host, f"{URL}\nexpect = [409, 503]\nattempts = 2"))
    assert (run.state, run.attempts) == (state, attempts)


def test_another_host_is_never_called(far: Far, text: Text, tmp_path: Path) -> None:
    trigger = 'url = "http://127.0.0.1:{{ release.tag }}/"'
    run = carried_out(tmp_path, text("localhost:1", trigger), far.host.partition(":")[2])
    assert (run.state, run.detail) == ("failed", f"http://{far.host} is not called: it is not in `hosts`")
    assert far.connections == 0


def test_no_secret_gets_out(
    far: Far, text: Text, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also not by way of a server that sends back what it was sent, and not at the level "debug"."""
    caplog.set_level(logging.DEBUG)
    far.replies = [
        f"HTTP/1.1 503 {TOKEN}\r\n{TOKEN}: {TOKEN}\r\nContent-Length: 0\r\n\r\n".encode(),
        f"HTTP/1.1 200 OK\r\n{TOKEN}\r\n\r\n".encode(),
        status(400, f"X-Echo: {TOKEN}", body="x" * 1990 + TOKEN),
    ]
    trigger = f'{URL}\ntoken = {{ file = "FOLDER/token" }}\nsecret_headers = {{ X-Key = {{ file = "FOLDER/token" }} }}'
    run = carried_out(tmp_path, text(far.host, trigger))
    assert [TOKEN in request.headers["authorization"] for request in far.requests] == [True] * 3
    assert run.state == "failed"
    assert run.result
    assert run.result.output == "x" * 1990 + "(hidden)"
    assert b"t0psecret" not in (tmp_path / "var/journal.sqlite3").read_bytes()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "payload.json").write_text(json.dumps(release_payload("acme/site")))
    commands = ("check --explain", "simulate github release payload.json", f"runs show {run.id}", "runs list --json")
    shown = [CliRunner().invoke(group, line.split()) for line in commands]
    assert [item.exit_code for item in shown] == [0, 0, 0, 0], [item.output for item in shown]
    assert "Bearer (hidden)" in shown[1].output
    everything = "".join([caplog.text, repr(run), *(item.output for item in shown)])
    assert "t0psecret" not in everything


def test_checking_warns_of_a_host_that_is_not_on_the_list(text: Text, tmp_path: Path) -> None:
    (tmp_path / "duct_tape.toml").write_text(text("ci.example.com", 'url = "https://other.example.com/"'))
    (problem,) = check(assemble(tmp_path / "duct_tape.toml"))
    assert "https://other.example.com is not called: it is not in `hosts`" in str(problem)


def test_certificates_that_cannot_be_used_switch_the_plugin_off(far: Far, text: Text, tmp_path: Path) -> None:
    for content, why in ((None, "No such file or directory"), ("no certificate", "it holds no certificate")):
        if content:
            (tmp_path / "ca.pem").write_text(content)
        (tmp_path / "duct_tape.toml").write_text(text(far.host, more='ca = "FOLDER/ca.pem"'))
        instance = assemble(tmp_path / "duct_tape.toml").instance("http-request")
        assert instance
        assert instance.failed_stage == "setup"
        assert why in instance.failure


def test_it_works_over_tls_with_an_authority_of_ones_own(
    far_tls: Far, certificate: Path, text: Text, tmp_path: Path
) -> None:
    more = f'ca = "{certificate}"'
    run = carried_out(tmp_path, text(far_tls.host, 'url = "https://HOST/"', more))
    assert (run.state, run.detail) == ("done", f"POST https://{far_tls.host}/ → 200")


def test_a_server_that_is_stopped_sends_again_after_its_start(far: Far, text: Text, tmp_path: Path) -> None:
    far.replies = ["…".encode()]
    configuration = text(far.host)
    with Harness(tmp_path, f"[server]\nshutdown_timeout = 0.1\n{configuration}") as harness:
        deliver(harness)
        deadline = time.monotonic() + 10
        while not far.requests:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    with Harness(tmp_path, configuration) as harness:
        harness.settle()
        (run,) = harness.runs()
    assert (run.state, run.attempts) == ("done", 1)
    assert [request.headers["idempotency-key"] for request in far.requests] == [f'"{run.id}"'] * 2


def imported(statement: str) -> set[str]:
    script = f"{statement}; import json, sys; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, check=True, timeout=60, env={})
    modules: list[Any] = json.loads(done.stdout)
    return set(modules)


def test_whoever_calls_nobody_does_not_pay_for_the_client() -> None:
    modules = imported("import duct_tape_http_request.plugin")
    assert "duct_tape_http_request.client" in modules
    assert not modules & {"httpx2", "httpcore2", "certifi", "truststore"}
