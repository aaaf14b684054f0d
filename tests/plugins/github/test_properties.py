"""Properties of verify, parse and decide for any headers and any bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duct_tape.api import (
    Ignored,
    MalformedError,
    Pong,
    RawDelivery,
    Runs,
    Secret,
    SignatureError,
    Template,
    UnsupportedMediaError,
    moment,
)
from duct_tape_github import receive
from duct_tape_github.conf import GitHubConf, Repository
from duct_tape_github.decide import decide
from duct_tape_github.sample import release_payload
from signing import github_signature

KEY = b"a key"
SECRETS = (Secret("test", KEY),)
SITE: Any = {"application": Template("site"), "prereleases": True, "tags": ("*",)}
DEFAULTS: Any = {"secrets": SECRETS, "triggers": ("deploy",)}
CONF = GitHubConf(**DEFAULTS, repositories={"acme/site": Repository(**SITE)})
NAMES = ["Content-Type", "X-GitHub-Event", "X-GitHub-Delivery", "X-Hub-Signature", "X-Hub-Signature-256"]

# Noisy machines are slow now and then; that is no fault of the code.
unhurried = settings(deadline=None)

# Also half characters: header values come from bytes.
texts = st.text(st.characters(codec=None), max_size=80)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
headers = st.lists(
    st.tuples(st.sampled_from(NAMES), texts | st.sampled_from(["release", "application/json"])), max_size=8
)
bodies = st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass"))
releases = st.fixed_dictionaries(
    {},
    optional={
        "action": st.sampled_from(["published", "released", "edited"]) | json_values,
        "repository": st.fixed_dictionaries(
            {}, optional={"id": json_values, "full_name": st.just("acme/site") | json_values}
        ),
        "release": st.fixed_dictionaries(
            {},
            optional={
                "id": st.integers() | json_values,
                "tag_name": texts | json_values,
                "draft": st.booleans() | json_values,
                "prerelease": st.booleans() | json_values,
                "published_at": st.datetimes(timezones=st.timezones()).map(str) | json_values,
                "updated_at": st.datetimes(timezones=st.timezones()).map(str) | json_values,
                "author": json_values,
            },
        ),
        "hook": json_values,
    },
)


def parsed_and_decided(delivery: RawDelivery) -> object:
    try:
        return decide(receive.parse(delivery), CONF)
    except (MalformedError, UnsupportedMediaError) as error:
        return error


@unhurried
@given(headers, bodies)
def test_verify_is_total_and_never_true_by_chance(pairs: list[tuple[str, str]], body: bytes) -> None:
    with pytest.raises(SignatureError):
        receive.verifier(SECRETS).verify(RawDelivery.build(pairs, body))


@unhurried
@given(headers, bodies)
def test_parse_and_decide_are_total(pairs: list[tuple[str, str]], body: bytes) -> None:
    assert isinstance(
        parsed_and_decided(RawDelivery.build(pairs, body)),
        (Ignored, Pong, Runs, MalformedError, UnsupportedMediaError),
    )


@unhurried
@given(st.sampled_from(["release", "ping", "package"]), releases | json_values)
def test_near_releases_never_deploy_what_they_do_not_name(event: str, payload: Any) -> None:
    body = json.dumps(payload).encode("utf-8", "surrogatepass")
    decision = parsed_and_decided(receive.simulated(event, body))
    assert isinstance(decision, (Ignored, Pong, Runs, MalformedError))
    if isinstance(decision, Runs):
        assert event == "release"
        assert payload["action"] in ("published", "released")
        assert payload["release"]["draft"] is False
        assert payload["release"]["tag_name"]
        assert payload["repository"]["full_name"] == "acme/site"


@unhurried
@given(st.binary(max_size=100), st.lists(st.binary(min_size=1, max_size=8), min_size=1, max_size=4), st.data())
def test_any_of_the_secrets_is_good_and_a_changed_byte_is_not(
    body: bytes, keys: list[bytes], data: st.DataObject
) -> None:
    secrets = [Secret("test", key) for key in keys]
    signature = github_signature(data.draw(st.sampled_from(keys)), body)
    receive.verifier(secrets).verify(_signed(body, [signature]))
    position = data.draw(st.integers(0, len(signature) - 1))
    other = data.draw(st.characters(codec="latin-1").filter(lambda character: character != signature[position]))
    for values in ([signature] * 2, [signature[:position]], [signature[:position] + other + signature[position + 1 :]]):
        with pytest.raises(SignatureError):
            receive.verifier(secrets).verify(_signed(body, values))
    with pytest.raises(SignatureError):
        receive.verifier(secrets).verify(_signed(body + b"\n", [signature]))


@unhurried
@given(st.text(min_size=1).filter(lambda tag: "\x00" not in tag))
def test_a_form_says_what_json_says(tag: str) -> None:
    text = json.dumps(release_payload("acme/site", tag=tag), ensure_ascii=False)
    plain = receive.simulated("release", text.encode())
    form = RawDelivery.build(
        [*((name, value) for name, value in plain.headers if name != "content-type"),
         ("Content-Type", "application/x-www-form-urlencoded")],
        f"payload={quote_plus(text)}".encode(),
    )  # fmt: skip
    assert receive.parse(plain) == receive.parse(form)
    assert isinstance(decide(receive.parse(form), CONF), Runs)


@unhurried
@given(st.text(max_size=12))
def test_only_ascii_case_makes_no_difference(name: str) -> None:
    if CONF.repository(f"acme/{name}") is not None:
        assert name.isascii()
        assert name.lower() == "site"


@unhurried
@given(st.datetimes(timezones=st.timezones()), st.datetimes(timezones=st.timezones()))
def test_times_sort_as_they_follow(one: Any, other: Any) -> None:
    try:
        earlier, later = sorted((one, other))
        first, second = (moment({"at": time.isoformat()}, "at") for time in (earlier, later))
    except MalformedError:
        return  # Outside the calendar once it is in UTC.
    assert first is not None
    assert second is not None
    assert first <= second


def _signed(body: bytes, values: Iterable[str]) -> RawDelivery:
    return RawDelivery.build([(receive.SIGNATURE, value) for value in values], body)
