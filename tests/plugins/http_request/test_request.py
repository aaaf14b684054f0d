"""What is sent for a run, and what of it is shown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve
from tests.server_support import run

from duct_tape.api import PermanentError, Release, Secret, Template
from duct_tape_http_request.conf import HttpRequestConf, HttpRequestSettings
from duct_tape_http_request.request import Request, preview, request_of

TOKEN = Secret("file token", b"t0psecret-token-of-this-test\n")
CONF = HttpRequestConf(hosts=("ci.example.com",))


def settings_of(url: str = "https://ci.example.com/jobs", **given: Any) -> HttpRequestSettings:
    headers = {name: Template(value) for name, value in given.pop("headers", {}).items()}
    if "body" in given:
        given["body"] = Template(given["body"])
    return HttpRequestSettings(url=Template(url), headers=headers, **given)


def made(url: str = "https://ci.example.com/jobs", tag: str = "v1", **given: Any) -> Request:
    event = evolve(run().event, release=Release(id="1", tag=tag))
    return request_of(run(event=event), settings_of(url, **given), CONF)


def test_without_a_word_a_run_is_posted_as_the_line_of_a_flag() -> None:
    request = made()
    assert (request.method, request.address.url) == ("POST", "https://ci.example.com/jobs")
    assert request.headers == {
        "User-Agent": "duct-tape",
        "Accept": "*/*",
        "Idempotency-Key": '"run-1"',
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",
    }
    members = json.loads(request.body)
    assert list(members) == (
        "run application trigger integration delivery repository tag prerelease url commit requested_at".split()
    )
    assert (members["run"], members["application"], members["tag"]) == ("run-1", "app", "v1")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_some_methods_send_nothing_unless_told(method: str) -> None:
    request = made(method=method)
    assert not request.body
    assert "Content-Type" not in request.headers
    assert made(method=method, body="x").body == b"x"


def test_templates_make_url_headers_and_body() -> None:
    request = made(
        "https://ci.example.com/{{ application }}?ref={{ release.tag | urlencode }}",
        "v1 ä&x=y",
        headers={"X-Tag": " {{ application }} ", "content-type": "text/plain", "Idempotency-Key": "mine"},
        body="{{ release.tag }}",
    )
    assert request.address.url == "https://ci.example.com/app?ref=v1%20%C3%A4%26x%3Dy"
    assert request.body.decode() == "v1 ä&x=y"
    assert request.headers["X-Tag"] == "app"
    assert request.headers["content-type"] == "text/plain"
    assert request.headers["Idempotency-Key"] == "mine"
    assert "Content-Type" not in request.headers
    assert request.shown == "https://ci.example.com/app"


@pytest.mark.parametrize("tag", ["a\r\nX-Admin: 1", "a\nb", "a\x00b", "ä", "\x7f", "a" * 8193])
def test_a_value_that_is_no_header_fails_the_run(tag: str) -> None:
    with pytest.raises(PermanentError, match="the header `X-Tag` cannot hold this value"):
        made(tag=tag, headers={"X-Tag": "x{{ release.tag }}x"})


@pytest.mark.parametrize("tag", ["../../admin", "a b", "x#y", "\r\n", "a\\b", "ä"])
def test_a_tag_cannot_lead_elsewhere(tag: str) -> None:
    with pytest.raises(PermanentError):
        made("https://ci.example.com/{{ release.tag }}", tag=tag)


@pytest.mark.parametrize("tag", ["evil.example/x", ".evil.example", "@evil.example/", ":8443/"])
def test_a_tag_cannot_be_a_part_of_the_host(tag: str) -> None:
    with pytest.raises(PermanentError):
        made("https://ci.example.com{{ release.tag }}", tag=tag)
    with pytest.raises(PermanentError):
        made("{{ release.tag }}", tag=f"https://{tag}")


def test_secrets_are_sent_and_never_shown() -> None:
    request = made(
        token=TOKEN,
        secret_headers={"X-Key": Secret("file key", b"Basic an0ther-secret-of-this-test")},
        headers={"X-Plain": "plain"},
    )
    assert request.headers["Authorization"] == "Bearer t0psecret-token-of-this-test"
    assert request.headers["X-Key"] == "Basic an0ther-secret-of-this-test"
    shown = preview(request)
    assert shown["headers"].splitlines()[-4:] == [
        "X-Plain: plain", "X-Key: (hidden)", "Authorization: Bearer (hidden)", "Accept-Encoding: identity",
    ]  # fmt: skip
    assert "secret" not in f"{request!r}{shown}"
    said = "you sent Basic an0ther-secret-of-this-test, an0ther-secret-of-this-test and t0psecret-token-of-this-test"
    assert request.masked(said) == "you sent (hidden), (hidden) and (hidden)"


@pytest.mark.parametrize("value", [b"two\nlines of a secret", b"w\xc3\xa4rter-of-a-secret", b"\xff-broken-of-a-secret"])
def test_a_secret_that_cannot_be_sent_is_not_shown_either(value: bytes) -> None:
    with pytest.raises(PermanentError) as caught:
        made(secret_headers={"X-Key": Secret("file key", value)})
    assert "of-a-secret" not in str(caught.value)
    assert "`X-Key`" in str(caught.value)


def test_a_secret_url_shows_its_host_and_no_more() -> None:
    url = Secret("file url", b"https://ci.example.com/build_hooks/5f3a9c1b2d4e?token=abcdefghij\n")
    request = request_of(run(), HttpRequestSettings(secret_url=url), CONF)
    assert request.address.url == "https://ci.example.com/build_hooks/5f3a9c1b2d4e?token=abcdefghij"
    assert preview(request)["request"] == "POST https://ci.example.com/…"
    assert request.masked("see /build_hooks/5f3a9c1b2d4e, abcdefghij") == "see /(hidden)/(hidden), (hidden)"
    assert "5f3a" not in repr(request)


def test_a_secret_url_outside_of_the_list_is_not_shown() -> None:
    url = Secret("file url", b"https://evil.example/5f3a9c1b2d4e")
    with pytest.raises(PermanentError) as caught:
        request_of(run(), HttpRequestSettings(secret_url=url), CONF)
    assert "5f3a" not in str(caught.value)


def test_the_preview_is_what_is_sent() -> None:
    shown = preview(
        made("https://ci.example.com/jobs?tag={{ release.tag }}", body='{"tag": {{ release.tag | tojson }}}')
    )
    assert shown["request"] == "POST https://ci.example.com/jobs?tag=v1"
    assert shown["body"] == '{"tag": "v1"}'
