"""`allow_from = ["github"]`: GitHub's own list, and nothing before it is known."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.plugins.conftest import SECRET
from tests.plugins.github.api_support import Instance
from tests.plugins.github.fake_github import Answer, FakeGitHub

from duct_tape.addresses import address, within
from duct_tape.testing import Harness
from duct_tape_github import background
from duct_tape_github.addresses import DAY, LATER, SOON, Addresses, networks
from duct_tape_github.errors import ApiError
from duct_tape_github.rest import Api


@pytest.mark.parametrize(
    "answer",
    [
        None, [], {}, {"hooks": []}, {"hooks": "192.30.252.0/22"}, {"hooks": [1]}, {"hooks": [True]},
        {"hooks": ["192.30.252.1/22"]}, {"hooks": ["192.30.252.0/22", "x"]}, {"hooks": ["0.0.0.0/0"]},
        {"hooks": ["::/0"]}, {"hooks": ["192.30.252.0/22"] * 1001}, {"web": ["192.30.252.0/22"]},
    ],
)  # fmt: skip
def test_what_is_no_list_of_networks(answer: Any) -> None:
    with pytest.raises(ApiError, match="GitHub's answer holds"):
        networks(answer)


def asked(fake: FakeGitHub, *script: Answer) -> tuple[list[float], Addresses]:
    """Ask once, and once more for each of these answers; the pauses, and what is known at the end."""

    async def main() -> tuple[list[float], Addresses]:
        async with Api(fake.url, None) as api:
            found = Addresses(Instance(fake).ctx, api)
            pauses = [await found.refresh()]
            for answer in script:
                fake.script["/meta"] = [answer]
                pauses.append(await found.refresh())
            return pauses, found

    return asyncio.run(main())


def test_github_is_asked_once_a_day_without_a_token(fake: FakeGitHub) -> None:
    pauses, found = asked(fake)
    assert pauses == [DAY]
    assert within(address("192.30.255.9"), found.networks or ())
    assert not within(address("192.31.0.1"), found.networks or ())
    assert (found.check().healthy, found.check().detail) == (True, "2 networks")
    assert "authorization" not in fake.asked[0].headers


@pytest.mark.parametrize(
    "bad", [Answer(500), Answer(200, {"hooks": []}), Answer(302, headers={"Location": "http://x/"})]
)
def test_the_last_list_is_kept_when_github_does_not_answer(fake: FakeGitHub, bad: Answer) -> None:
    pauses, found = asked(fake, bad)
    assert pauses == [DAY, LATER]
    assert len(found.networks or ()) == 2
    assert found.check().healthy


def test_without_any_list_github_is_asked_again_soon(fake: FakeGitHub) -> None:
    fake.script["/meta"] = [Answer(503)]
    pauses, found = asked(fake)
    assert pauses == [SOON]
    assert (found.networks, found.check().healthy) == (None, False)


CONFIGURATION = """
[server]
trusted_proxies = ["127.0.0.1"]
[plugins.touch-file]
expect_listener = false
[triggers.deploy]
action = "touch-file"
[plugins.github]
secrets = [{{ file = "{folder}/secret" }}]
api_url = "{url}"
allow_from = ["github"]
"""


def told(harness: Harness) -> bool:
    """What the instance's own check says."""
    context = harness.instance("github").context
    assert context is not None
    [check] = background.health(context)
    return check.healthy


def test_as_long_as_the_list_is_not_known_a_delivery_is_answered_503_and_then_by_its_address(
    tmp_path: Path, fake: FakeGitHub, ducttape: Callable[..., Harness]
) -> None:
    (tmp_path / "secret").write_bytes(SECRET)
    gate = fake.gates["/meta"] = threading.Event()
    harness = ducttape(CONFIGURATION.format(folder=tmp_path, url=fake.url))
    first = harness.post("github", b"{}")
    assert (first.status_code, first.headers["Retry-After"]) == (503, "30")
    assert not told(harness)
    gate.set()

    async def known() -> None:
        [running] = background._RUNNING.values()
        async with asyncio.timeout(10):
            while running.addresses is None or running.addresses.networks is None:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.005)

    harness.call(known)
    assert harness.post("github", b"{}").status_code == 401
    assert told(harness)
