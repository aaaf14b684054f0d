"""What may have been missed: chosen and put into the form of a delivery, by pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duct_tape.api import Check, MalformedError
from duct_tape_github import answers, missed, receive
from duct_tape_github.answers import Delivered, Hook

if TYPE_CHECKING:
    from tests.plugins.github.conftest import GitHub

URL = "https://hooks.example.com/integrations/github"
SINCE = "2026-06-01T00:00:00Z"


def hook(**members: Any) -> Hook:
    given: dict[str, Any] = {
        "id": 7,
        "url": URL,
        "active": True,
        "events": ("release",),
        "content_type": "json",
        "insecure": False,
        "secret": True,
        "status": 202,
        "message": "OK",
    }
    return Hook(**{**given, **members})


def item(number: int = 1, **members: Any) -> Delivered:
    given: dict[str, Any] = {
        "id": number,
        "guid": f"guid-{number}",
        "at": "2026-06-02T00:00:00Z",
        "event": "release",
        "action": "published",
        "ok": False,
    }
    return Delivered(**{**given, **members})


@pytest.mark.parametrize(
    ("url", "found"),
    [
        (URL, True),
        ("https://HOOKS.example.com:443/integrations/github/", True),
        ("https://hooks.example.com/integrations/github-next", False),
        ("https://hooks.example.com:8443/integrations/github", False),
        ("http://hooks.example.com/integrations/github", False),
        ("https://other.example.com/integrations/github", False),
        ("https://[", False),
        ("", False),
    ],
)
def test_a_webhook_is_known_by_its_address(url: str, found: bool) -> None:
    assert (missed.matching_hook([hook(url=url)], URL, None) is not None) is found


def test_a_webhook_is_known_by_its_number() -> None:
    hooks = [hook(), hook(id=8, url="https://proxy.example.com/")]
    assert missed.matching_hook(hooks, URL, 8) == hooks[1]
    assert missed.matching_hook(hooks, URL, 9) is None
    assert missed.matching_hook(hooks, None, None) is None


def test_a_good_webhook_is_well() -> None:
    assert missed.hook_checks("acme/site", hook()) == [
        Check(name="webhook of acme/site", healthy=True, detail=URL),
        Check(name="last delivery of acme/site", healthy=True, detail="its last delivery was answered 202 (OK)"),
    ]


@pytest.mark.parametrize("events", [("release",), ("*",), ("push", "release")])
def test_a_webhook_may_send_more(events: tuple[str, ...]) -> None:
    assert missed.hook_checks("acme/site", hook(events=events))[0].healthy


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"active": False}, "it is not active"),
        ({"events": ("push",)}, "it does not send releases: edit it and select *Releases*"),
        ({"events": ()}, "it does not send releases"),
        ({"secret": False}, "it has no secret"),
        ({"insecure": True}, "it does not verify the server's certificate"),
        ({"content_type": "form"}, "its content type is not JSON"),
    ],
)
def test_each_fault_of_a_webhook_is_named(members: dict[str, Any], words: str) -> None:
    check, _ = missed.hook_checks("acme/site", hook(**members))
    assert not check.healthy
    assert words in check.detail


@pytest.mark.parametrize(
    ("status", "healthy", "detail"),
    [
        (None, True, "no delivery yet"),
        (0, False, "its last delivery was answered by nobody (Invalid)"),
        (401, False, "its last delivery was answered 401 (Invalid)"),
        (502, False, "its last delivery was answered 502 (Invalid)"),
    ],
)
def test_the_last_delivery_is_told(status: int | None, healthy: bool, detail: str) -> None:
    _, check = missed.hook_checks("acme/site", hook(status=status, message="Invalid"))
    assert (check.healthy, check.detail) == (healthy, detail)


@pytest.mark.parametrize(
    "other",
    [
        {"event": "push"},
        {"action": "created"},
        {"action": "edited"},
        {"at": "2026-05-31T23:59:59Z"},
        {"guid": "known"},
    ],
)
def test_deliveries_that_cannot_deploy_are_not_fetched(other: dict[str, Any]) -> None:
    assert missed.candidates([item(), item(2, **other)], SINCE, ["known"]) == [item()]


def test_a_redelivery_counts_with_the_first_one() -> None:
    again = item(2, guid="guid-1", ok=True)
    assert missed.candidates([again, item()], SINCE, []) == [again]
    assert missed.candidates([item(), again], SINCE, []) == [again]


def test_a_listed_release_is_the_same_event_as_its_webhook(github: GitHub) -> None:
    payload = github.release(tag="v1.2.3")
    delivery = missed.release_delivery(payload["release"], payload["repository"])
    found = missed.understood(delivery, github.conf())
    sent = github.decide(payload)
    assert found is not None
    assert found.decision == sent
    assert found.version == payload["release"]["published_at"]
    assert found.event.payload.keys() == payload.keys()


def test_the_id_of_a_listed_release_is_the_same_each_time_and_another_for_another_tag(github: GitHub) -> None:
    def number(**settings: Any) -> str:
        payload = github.release(**settings)
        return missed.release_delivery(payload["release"], payload["repository"]).values(receive.DELIVERY)[0]

    ids = [number(), number(), number(tag="v2", release_id=1), number(tag="v3", release_id=1)]
    assert len(set(ids)) == 3
    assert ids[0] == ids[1]


@pytest.mark.parametrize("settings", [{"draft": True}, {"prerelease": True}, {"action": "edited"}])
def test_what_deploys_nothing_was_not_missed(github: GitHub, settings: dict[str, Any]) -> None:
    delivery = missed.delivery("release", "d-1", github.release(**settings))
    assert missed.understood(delivery, github.conf()) is None


json_values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KEYS = ["id", "tag_name", "draft", "prerelease", "published_at", "html_url", "author", "name", "target_commitish"]


@given(st.dictionaries(st.sampled_from(KEYS), json_values), st.dictionaries(st.text(), json_values, max_size=2))
def test_any_list_of_releases_is_read(release: dict[str, Any], repository: dict[str, Any]) -> None:
    from tests.plugins.github.conftest import GitHub

    assert isinstance(missed.published_at(release), str)
    try:
        found = missed.understood(missed.release_delivery(release, repository), GitHub().conf())
    except MalformedError:
        found = None
    assert found is None


@given(st.lists(st.builds(item, st.integers(), at=st.text(), event=st.text(), action=st.text(), ok=st.booleans())))
def test_any_deliveries_are_chosen_from(items: list[Delivered]) -> None:
    assert set(missed.candidates(items, SINCE, [])) <= set(items)


@given(json_values)
def test_any_webhook_is_judged(value: Any) -> None:
    config = {"url": URL, "content_type": "json", "insecure_ssl": value}
    for found in answers.hooks([{"id": 1, "active": True, "events": value, "config": config, "last_response": value}]):
        assert len(missed.hook_checks("acme/site", found)) == 2
