"""The client: what GitHub gets to see, and what no answer can do to it. All over a socket."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from tests.plugins.github.fake_github import TOKEN, Answer, FakeGitHub
from tests.plugins.github.fake_server import serving
from tests.server_support import free_port

from duct_tape.api import Secret
from duct_tape_github import rest
from duct_tape_github.errors import ApiError, Limited, Refused, explained
from duct_tape_github.rest import Api

SITE = "/repos/acme/site"


@pytest.fixture
def api(fake: FakeGitHub) -> Api:
    return Api(fake.url, Secret("file token", TOKEN.encode()))


def asking(api: Api, ask: Callable[[Api], Awaitable[Any]]) -> Any:
    async def asked() -> Any:
        async with api:
            return await ask(api)

    return asyncio.run(asked())


def get(api: Api, path: str = SITE) -> Any:
    return asking(api, lambda api: api.get(path))


async def listed(api: Api, path: str = f"{SITE}/releases", limit: int = 100, **query: Any) -> list[Any]:
    return [item async for page in api.pages(path, limit, **query) for item in page.items]


def fails(api: Api, kind: type[ApiError] = ApiError) -> str:
    with pytest.raises(kind) as caught:
        get(api)
    assert TOKEN not in str(caught.value)
    return str(caught.value)


def test_a_request_bears_what_github_wants(fake: FakeGitHub, api: Api) -> None:
    assert get(api)["full_name"] == "acme/site"
    [asked] = fake.asked
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert asked.headers["user-agent"] == "duct-tape"
    assert asked.headers["x-github-api-version"] == "2022-11-28"


def test_the_token_is_in_no_representation(api: Api) -> None:
    assert TOKEN not in repr(api)


@pytest.mark.parametrize("base", ["", "/", "/api/v3"])
def test_the_address_may_have_a_path(fake: FakeGitHub, base: str) -> None:
    api = Api(f"{fake.url}{base}", Secret("file token", TOKEN.encode()))
    path = f"{base.rstrip('/')}{SITE}"
    fake.script = {path: [Answer(200, {"mine": True})]}
    assert get(api) == {"mine": True}


def test_an_answer_that_still_holds_is_not_sent_again(fake: FakeGitHub, api: Api) -> None:
    async def twice(api: Api) -> Any:
        return await api.get(SITE), await api.get(SITE)

    fake.limit = 2
    one, other = asking(api, twice)
    assert one == other
    assert fake.asked[1].headers["if-none-match"].startswith('W/"')
    # And counts for nothing.
    assert fake.limit == 1


def test_only_so_many_answers_are_remembered(fake: FakeGitHub, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "MAX_REMEMBERED", 1)

    async def thrice(api: Api) -> None:
        for path in (SITE, f"{SITE}/hooks", SITE):
            await api.get(path)

    asking(api, thrice)
    assert "if-none-match" not in fake.asked[2].headers


def test_pages_are_followed_to_the_end(fake: FakeGitHub, api: Api) -> None:
    for number in range(250):
        fake.release("acme/site", f"v{number}", "2026-01-01T00:00:00Z")
    found = asking(api, lambda api: listed(api, per_page=10))
    assert len({item["tag_name"] for item in found}) == 250
    assert len(fake.asked) == 25


def test_a_list_without_an_end_ends(fake: FakeGitHub, api: Api) -> None:
    again = {"Link": f'<{fake.url}{SITE}/releases?page=2>; rel="next"'}
    fake.script = {f"{SITE}/releases": [Answer(200, [{}], again)] * 50}
    assert len(asking(api, lambda api: listed(api, limit=7))) == 7
    assert len(fake.asked) == 7


def test_the_next_page_on_another_server_is_not_asked_for(fake: FakeGitHub, other: FakeGitHub, api: Api) -> None:
    away = {"Link": f'<{other.url}{SITE}/releases?page=2>; rel="next"'}
    fake.script = {f"{SITE}/releases": [Answer(200, [{}], away)]}
    assert len(asking(api, listed)) == 1
    assert other.asked == []


def test_a_renamed_repository_is_found(fake: FakeGitHub, api: Api) -> None:
    fake.script = {SITE: [Answer(301, {}, {"Location": f"{fake.url}/repositories/1"})]}
    fake.script["/repositories/1"] = [Answer(200, {"full_name": "acme/shop"})]
    assert get(api) == {"full_name": "acme/shop"}


@pytest.fixture
def other() -> Iterator[FakeGitHub]:
    """Somebody else's server."""
    with serving(FakeGitHub()) as fake:
        yield fake


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_the_token_goes_to_no_other_server(fake: FakeGitHub, other: FakeGitHub, api: Api, status: int) -> None:
    fake.script = {SITE: [Answer(status, {}, {"Location": f"{other.url}{SITE}"})]}
    assert fails(api) == "GitHub redirects to another server, where the token does not belong"
    assert other.asked == []


@pytest.mark.parametrize("location", ["http://[", "https://api.github.com:x/", "//evil.example/", "file:///etc/passwd"])
def test_an_odd_redirect_is_not_followed(fake: FakeGitHub, api: Api, location: str) -> None:
    fake.script = {SITE: [Answer(301, {}, {"Location": location})]}
    assert fails(api).startswith("GitHub redirects")


def test_redirects_in_a_circle_end(fake: FakeGitHub, api: Api) -> None:
    fake.script = {SITE: [Answer(301, {}, {"Location": SITE})] * 20}
    assert fails(api) == "GitHub redirects in a circle"
    assert len(fake.asked) == 4


def test_an_order_is_not_repeated_elsewhere(fake: FakeGitHub, api: Api) -> None:
    fake.script = {f"{SITE}/deployments": [Answer(307, {}, {"Location": f"{fake.url}/repositories/1/deployments"})]}
    with pytest.raises(Refused, match="the repository was renamed or moved"):
        asking(api, lambda api: api.post(f"{SITE}/deployments", {"ref": "v1"}))
    assert len(fake.asked) == 1


def test_an_answer_that_is_too_large_is_not_read(fake: FakeGitHub, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "MAX_BYTES", 1024 * 1024)
    fake.script = {SITE: [Answer(200, b"[" + b" " * 2 * 1024 * 1024 + b"]")]}
    assert fails(api) == "GitHub's answer is larger than 1 MiB"


def test_an_answer_that_would_unpack_is_not_unpacked(fake: FakeGitHub, api: Api) -> None:
    packed = gzip.compress(json.dumps({"a": "b"}).encode())
    fake.script = {SITE: [Answer(200, packed, {"Content-Encoding": "gzip"})]}
    assert fails(api) == "GitHub sends a compressed answer, which was not asked for"


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b'{"a": NaN}', b"[" * 1000, b'{"a": 1, "a": 2}', b"\xff\xfe"])
def test_what_is_not_json_is_an_error(fake: FakeGitHub, api: Api, body: bytes) -> None:
    fake.script = {SITE: [Answer(200, body)]}
    assert fails(api) == "GitHub's answer is not JSON"


def test_what_is_not_a_list_is_no_page(fake: FakeGitHub, api: Api) -> None:
    with pytest.raises(ApiError, match="GitHub answered something else than a list"):
        asking(api, lambda api: listed(api, SITE))


@pytest.mark.parametrize("status", [500, 502, 503])
def test_githubs_own_trouble_passes(fake: FakeGitHub, api: Api, status: int) -> None:
    fake.script = {SITE: [Answer(status, b"<html>a unicorn</html>")]}
    assert fails(api) == f"GitHub answers {status}"
    assert get(api)["full_name"] == "acme/site"


def test_a_slow_answer_is_given_up(fake: FakeGitHub, api: Api) -> None:
    fake.gates = {SITE: threading.Event()}
    api.seconds = 0.1
    assert fails(api) == "GitHub did not answer within 0.1 seconds"


def test_nobody_there_is_an_error_in_words() -> None:
    api = Api(f"http://127.0.0.1:{free_port()}", Secret("file token", TOKEN.encode()))
    assert fails(api).startswith("GitHub cannot be reached (ConnectError: ")


def test_a_connection_that_is_not_open_is_an_error(api: Api) -> None:
    with pytest.raises(ApiError, match="not open"):
        asyncio.run(api.get(SITE))


def test_a_limit_keeps_the_next_request_from_being_made(fake: FakeGitHub, api: Api) -> None:
    async def twice(api: Api) -> None:
        with pytest.raises(Limited):
            await api.get(SITE)
        with pytest.raises(Limited):
            await api.get(f"{SITE}/hooks")

    fake.limit = 0
    asking(api, twice)
    assert [asked.path for asked in fake.asked] == [SITE]


def test_a_refusal_has_githubs_words_and_what_to_do(fake: FakeGitHub, api: Api) -> None:
    fake.token = "another"
    with pytest.raises(Refused) as caught:
        get(api)
    assert str(caught.value) == "GitHub answers 401 (Bad credentials)"
    told = explained(caught.value, "the webhooks of acme/site", "*Webhooks: read*", "file token")
    assert told == (
        "GitHub does not accept the token in the file token: it is wrong, expired or revoked; make a new one"
    )


def test_a_permission_that_is_missing_is_named(fake: FakeGitHub, api: Api) -> None:
    fake.permissions = set()
    with pytest.raises(Refused) as caught:
        get(api, f"{SITE}/hooks")
    assert explained(caught.value, "the webhooks of acme/site", "*Webhooks: read*", "file token") == (
        "the token in the file token cannot reach the webhooks of acme/site: GitHub answers 403 (Resource not "
        "accessible by personal access token); it needs the permission *Webhooks: read* for this repository, and the "
        "repository has to exist under this name"
    )


@pytest.mark.parametrize(
    ("body", "words"), [({"message": 1}, ""), ([], ""), (b"<p>", ""), ({"message": "No"}, " (No)")]
)
def test_any_refusal_is_told(fake: FakeGitHub, api: Api, body: Any, words: str) -> None:
    fake.script = {SITE: [Answer(422, body)]}
    assert fails(api, Refused) == f"GitHub answers 422{words}"


def test_other_errors_are_told_as_they_are() -> None:
    assert explained(ApiError("GitHub answers 500"), "the releases of a/b", "x", "file t") == (
        "the releases of a/b cannot be read at the moment: GitHub answers 500"
    )
    assert explained(Refused(422, "No"), "the deployments of a/b", "x", "file t") == (
        "the deployments of a/b: GitHub answers 422 (No)"
    )
