"""Every kind of version: mistyped, relabelled, sent twice, in the wrong order; through a whole server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duct_tape.api import Event, Ignored, MalformedError, Runs, Sample, Secret, Template
from duct_tape.events import event_from_json, event_to_json
from duct_tape.testing import Harness
from duct_tape_github import receive
from duct_tape_github.conf import GitHubConf, Repository
from duct_tape_github.plugin import receiver
from duct_tape_github.sample import payload_of, push_payload, workflow_run_payload

if TYPE_CHECKING:
    from tests.plugins.conftest import Start

KINDS = ("release", "tag", "branch", "package", "build")
VALUES: tuple[Any, ...] = (None, True, 0, 1.5, "x", [], {}, "success", "push", "0" * 40)
SETTINGS: Any = {"application": Template("site"), "on": KINDS, "workflows": ("CI",)}
GIVEN: Any = {"secrets": (Secret("test", b"a key"),), "triggers": ("deploy",)}
CONF = GitHubConf(**GIVEN, repositories={"acme/site": Repository(**SETTINGS)})
TABLE = f"""
[plugins.github]
secrets = [{{{{ file = "{{folder}}/secret" }}}}]
triggers = ["deploy"]
[plugins.github.repositories."acme/site"]
application = "site.example.com"
on = {json.dumps(KINDS)}
workflows = ["CI"]
"""


def sample(kind: str, **members: Any) -> tuple[str, dict[str, Any]]:
    tag = "main" if kind in ("branch", "build") else "v1.0.0"
    return payload_of(Sample(repository="acme/site", kind=kind, **{"tag": tag, **members}))


def outcome(event: str, payload: object) -> str:
    try:
        parsed = receive.parse(receive.simulated(event, json.dumps(payload).encode()), CONF.kinds)
        return type(CONF.decide(parsed)).__name__
    except MalformedError:
        return "MalformedError"


def paths(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*path, key)
            yield from paths(item, (*path, key))


def replaced(payload: dict[str, Any], path: tuple[str, ...], change: Callable[[dict[str, Any], str], None]) -> Any:
    result = json.loads(json.dumps(payload))
    table = result
    for key in path[:-1]:
        table = table[key]
    change(table, path[-1])
    return result


def never(value: object) -> bool:
    return False


def number(value: object) -> bool:
    return type(value) is int


def text(value: object) -> bool:
    return isinstance(value, str)


REPOSITORY: dict[str, Callable[[object], bool]] = {"repository": never, "repository.full_name": never}
PUSH: dict[str, Callable[[object], bool]] = {
    **REPOSITORY,
    "ref": never,
    "deleted": never,
    "after": never,
    "repository.id": number,
}
VERSION = "package.package_version"
# What decides whether something is deployed at all, and with which other values it still is.
DECISIVE: dict[str, dict[str, Callable[[object], bool]]] = {
    "tag": PUSH,
    "branch": PUSH,
    "package": {
        "action": never,
        "package": never,
        "package.id": number,
        "package.name": text,
        VERSION: never,
        f"{VERSION}.container_metadata": never,
        f"{VERSION}.container_metadata.tag": never,
        f"{VERSION}.container_metadata.tag.name": text,
        f"{VERSION}.container_metadata.tag.digest": never,
        "repository.id": number,
        "repository.full_name": never,
    },
    "build": {
        **REPOSITORY,
        "action": never,
        "workflow": never,
        "workflow_run": never,
        "workflow_run.id": number,
        "workflow_run.event": lambda value: value == "push",
        "workflow_run.conclusion": lambda value: value == "success",
        "workflow_run.head_branch": never,
        "workflow_run.head_sha": lambda value: value == "0" * 40,
        "workflow_run.head_repository": never,
        "workflow_run.head_repository.id": never,
        "workflow_run.head_repository.full_name": never,
        "repository.id": never,
    },
}


@pytest.mark.parametrize("kind", DECISIVE)
def test_a_mistyped_field_never_deploys(kind: str) -> None:
    event, payload = sample(kind)
    assert outcome(event, payload) == Runs.__name__
    tried = {".".join(path): path for path in paths(payload)}
    for name, good in DECISIVE[kind].items():
        missing = replaced(payload, tried[name], lambda table, key: table.pop(key))
        assert outcome(event, missing) != Runs.__name__, name
        for value in VALUES:
            changed = replaced(payload, tried[name], lambda table, key, value=value: table.update({key: value}))  # type: ignore[misc]
            assert (outcome(event, changed) == Runs.__name__) is good(value), (name, value)


@pytest.mark.parametrize("kind", KINDS)
def test_no_other_event_has_its_shape(kind: str) -> None:
    """GitHub signs the body and not the event's name; who can change that gains nothing."""
    event, payload = sample(kind)
    for other in receive.KINDS:
        if other != event:
            assert outcome(other, payload) in (MalformedError.__name__, Ignored.__name__), other
    for other in ("ping", "create", "star"):
        assert outcome(other, payload) != Runs.__name__


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None)
@given(st.sampled_from(KINDS), st.data())
def test_any_change_gives_a_decision_or_malformed(kind: str, data: st.DataObject) -> None:
    event, payload = sample(kind)
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(list(paths(payload))))
        value = data.draw(json_values)
        payload = replaced(payload, path, lambda table, key, value=value: table.update({key: value}))  # type: ignore[misc]
    assert outcome(event, payload) in (Runs.__name__, Ignored.__name__, MalformedError.__name__)


@settings(deadline=None)
@given(st.sampled_from(sorted(receive.KINDS)), json_values)
def test_anything_at_all_gives_a_decision_or_malformed(event: str, payload: Any) -> None:
    assert outcome(event, payload) in (Ignored.__name__, MalformedError.__name__)
    assert outcome(event, {event: payload, "action": "published"}) != Runs.__name__


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_is_what_the_receiver_deploys(kind: str) -> None:
    tag = "main" if kind in ("branch", "build") else "v1.0.0"
    made = receiver(CONF)
    assert made.sample is not None
    delivery = made.verifier.sign(made.sample(Sample(repository="acme/site", kind=kind, tag=tag)))
    made.verifier.verify(delivery)
    [(event, decision)] = made.understood(delivery)
    assert isinstance(decision, Runs)
    assert event.release is not None
    assert (event.release.kind, event.release.tag) == (kind, tag)
    if kind not in ("tag", "branch"):
        other = made.sample(Sample(repository="acme/site", kind=kind, tag=tag, action="edited"))
        [(_, refused)] = made.understood(other)
        assert isinstance(refused, Ignored)


def test_the_sample_of_a_build_has_the_workflow_that_is_configured() -> None:
    conf = GitHubConf(**GIVEN, repositories={"acme/*": Repository(**{**SETTINGS, "workflows": ("deploy-*.yml",)})})
    made = receiver(conf)
    assert made.sample is not None
    [(_, decision)] = made.understood(made.sample(Sample(repository="acme/x", kind="build", tag="main")))
    assert isinstance(decision, Runs)


@pytest.mark.parametrize("kind", KINDS)
def test_a_signed_delivery_is_deployed_once(start: Start, kind: str) -> None:
    server = start(TABLE)
    event, payload = sample(kind)
    assert server.post(payload, event).json()["status"] == "accepted"
    assert server.post(payload, event).json()["status"] == "duplicate"
    assert server.post(payload, event, secret=b"another secret of a test").status_code == 401
    [run] = server.runs()
    assert run.event.release is not None
    assert (run.event.release.kind, run.application) == (kind, "site.example.com")
    flag = json.loads((server.volume / "site.example.com").read_text())
    assert (flag["repository"], flag["tag"]) == ("acme/site", run.event.release.tag)


def test_both_events_of_an_image_are_one_deploy(start: Start) -> None:
    server = start(TABLE)
    _, payload = sample("package")
    other = {**payload, "registry_package": payload["package"]}
    del other["package"]
    assert server.post(payload, "package").json()["status"] == "accepted"
    assert server.post(other, "registry_package").json()["status"] == "duplicate"


def test_of_several_pushes_the_newest_wins(start: Start) -> None:
    server = start(TABLE)
    new = push_payload("acme/site", commit="b" * 40, pushed_at="2026-01-02T00:00:10Z")
    old = push_payload("acme/site", commit="a" * 40, pushed_at="2026-01-02T00:00:05Z")
    assert server.post(new, "push").json()["status"] == "accepted"
    late = server.post(old, "push").json()
    assert (late["status"], "is older than" in late["reason"]) == ("ignored", True)


def test_of_two_builds_the_later_push_wins_whichever_is_built_faster(start: Start) -> None:
    server = start(TABLE)
    first = workflow_run_payload("acme/site", run_id=1, created_at="2026-01-02T00:00:00Z")
    second = workflow_run_payload("acme/site", run_id=2, created_at="2026-01-02T00:00:30Z")
    assert server.post(second, "workflow_run").json()["status"] == "accepted"
    assert server.post(first, "workflow_run").json()["status"] == "ignored"
    again = workflow_run_payload("acme/site", run_id=2, attempt=2, created_at="2026-01-02T00:00:30Z")
    assert server.post(again, "workflow_run").json()["status"] == "accepted"


def test_a_forks_build_is_answered_and_deploys_nothing(start: Start) -> None:
    server = start(TABLE)
    payload = workflow_run_payload("acme/site", event="pull_request")
    payload["workflow_run"]["head_repository"] = {"id": 5, "full_name": "stranger/site", "fork": True}
    answer = server.post(payload, "workflow_run")
    assert (answer.status_code, answer.json()["status"]) == (200, "ignored")
    assert server.runs() == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_test_kit_plays_github(tmp_path: Path, kind: str) -> None:
    (tmp_path / "secret").write_bytes(b"a secret of this test")
    basics = '[triggers.deploy]\naction = "touch-file"\n[plugins.touch-file]\n'
    tag = "main" if kind in ("branch", "build") else "v1.0.0"
    with Harness(tmp_path, basics + TABLE.format(folder=tmp_path)) as harness:
        sent = Sample(repository="acme/site", kind=kind, tag=tag)
        assert harness.send("github", sent, signed=False).status_code == 401
        assert harness.send("github", sent).status_code == 202
        harness.settle()
        assert json.loads(harness.flags()["site.example.com"])["tag"] == tag


def test_what_the_journal_kept_is_decided_by_todays_configuration(start: Start) -> None:
    """`deliveries replay` asks about the event as it was stored when nobody wanted it."""
    event, payload = sample("branch")
    server = start(TABLE.replace(json.dumps(KINDS), '["release"]'))
    answer = server.post(payload, event).json()
    assert answer["reason"] == "`push` events are not used: the webhook needs to send releases only"
    made = receive.parse(receive.simulated(event, json.dumps(payload).encode()))
    stored = event_from_json(event_to_json(made))
    decision = CONF.decide(stored)
    assert isinstance(decision, Runs)
    assert stored.release is not None
    assert (decision.title, stored.release.tag) == ("main", "main")


def test_an_event_without_its_version_is_read_again() -> None:
    event, payload = sample("release")
    plain = Event(name=event, delivery="1", action="published", repository="acme/site", payload=payload)
    assert isinstance(CONF.decide(plain), Runs)
    with pytest.raises(MalformedError):
        CONF.decide(Event(name=event, delivery="1", payload={}))


@pytest.mark.parametrize("event", receive.KINDS)
@pytest.mark.parametrize("payload", [{}, {"ref": 5}, {"release": [], "package": 1, "workflow_run": None}])
def test_what_nobody_wants_may_be_anything(event: str, payload: dict[str, Any]) -> None:
    only = {"release": "branch"}.get(event, "release")
    conf = GitHubConf(**GIVEN, repositories={"acme/site": Repository(**{**SETTINGS, "on": (only,)})})
    [(_, decision)] = receiver(conf).understood(receive.simulated(event, json.dumps(payload).encode()))
    assert isinstance(decision, Ignored)
    assert decision.reason.startswith(f"`{event}` events are not used")
