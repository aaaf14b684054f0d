"""The action touch-file: what the flag is called and what it holds, and who is told when nobody listens."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from duct_tape.api import (
    Action,
    Check,
    Event,
    Flag,
    Outcome,
    PermanentError,
    PlannedRun,
    Release,
    Run,
    RunState,
    Template,
)
from duct_tape_github.sample import release_payload
from duct_tape_touch_file.plugin import TouchFileSettings, flag_file, heartbeat_age, preview

if TYPE_CHECKING:
    from tests.plugins.conftest import Configure, Server, Start

RELEASE = Release(id="1", tag="v1.0.0", prerelease=True, url="https://example.com/v1")
GITHUB = '[plugins.github]\nsecrets = [{{ file = "{folder}/secret" }}]\ntriggers = ["TRIGGER"]\n'
SITE = '[plugins.github.repositories."acme/site"]\napplication = "site"\n'


def run_of(release: Release | None = RELEASE, **settings: Any) -> Run:
    event = Event(name="release", delivery="d1", repository="acme/site", release=release, payload={"a": {"b": "c"}})
    known = {"id": "r1", "instance": "github", "application": "site", "trigger": "deploy", "event": event}
    return Run(**{**known, "created_at": 1_700_000_000.25, **settings})


def settings_of(filename: str = "{{ application }}", content: str | None = None) -> TouchFileSettings:
    return TouchFileSettings(filename=Template(filename), content=None if content is None else Template(content))


@pytest.fixture
def action(configure: Configure) -> Action[TouchFileSettings]:
    assembly = configure().require()
    found: Action[TouchFileSettings] = assembly.triggers["deploy"].action
    return found


def perform(action: Action[TouchFileSettings], run: Run, settings: TouchFileSettings | None = None) -> Outcome:
    async def performed() -> Outcome:
        return await action.perform(run, settings or settings_of())

    return asyncio.run(performed())


def test_the_flag_is_one_line_with_exactly_these_members() -> None:
    name, content = flag_file(run_of(), TouchFileSettings())
    assert name == "site"
    assert content.endswith("}\n")
    assert content.count("\n") == 1
    assert list(json.loads(content).items()) == [
        ("run", "r1"),
        ("application", "site"),
        ("trigger", "deploy"),
        ("integration", "github"),
        ("delivery", "d1"),
        ("repository", "acme/site"),
        ("tag", "v1.0.0"),
        ("prerelease", True),
        ("url", "https://example.com/v1"),
        ("commit", ""),
        ("requested_at", "2023-11-14T22:13:20.250+00:00"),
    ]


def test_the_listener_reads_what_the_action_writes() -> None:
    run = run_of()
    assert Flag.parse(flag_file(run, TouchFileSettings())[1].encode()) == run.flag()


@pytest.mark.parametrize("release", [None, Release(id="1", tag="", url=None)])
def test_an_event_may_have_no_release_and_a_release_no_url(release: Release | None) -> None:
    flag = run_of(release).flag()
    assert (flag.tag, flag.prerelease, flag.url) == ("", False, "")


@pytest.mark.parametrize("tag", ["a\nb", 'a"b\\', "\u2028", "ä🎉", "\x1b[31m"])
def test_whatever_the_tag_the_flag_is_one_line(tag: str) -> None:
    content = flag_file(run_of(Release(id="1", tag=tag)), TouchFileSettings())[1]
    assert content.count("\n") == 1
    assert json.loads(content)["tag"] == tag


@pytest.mark.parametrize(
    ("content", "expected"),
    [("{{ release.tag }}\n", "v1.0.0\n"), ("", ""), ("{{ payload.a.b }} {{ vars.x }}", "c y"), ("ä", "ä")],
)
def test_the_content_may_be_a_template(content: str, expected: str) -> None:
    run = run_of(vars={"x": "y"})
    assert flag_file(run, settings_of(content=content)) == ("site", expected)


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("v1.2.3", "site--v1.2.3"),
        ("@acme/web@1.2.3", "site--@acme%2Fweb@1.2.3"),
        ("../../etc", "site--%2E.%2F..%2Fetc"),
        ("-rf", "site--%2Drf"),
        ("{{ 7*7 }}", "site--%7B%7B%207%2A7%20%7D%7D"),
        ("$(id)", "site--%24%28id%29"),
    ],
)
def test_the_filter_makes_any_tag_a_part_of_a_name(tag: str, name: str) -> None:
    settings = settings_of("{{ application }}--{{ release.tag | filename }}")
    assert flag_file(run_of(Release(id="1", tag=tag)), settings)[0] == name


@pytest.mark.parametrize("tag", ["a/b", "..", ".hidden", "-rf", "", " x", "x ", "a\nb", "a\x00b", "é" * 101, "\u2028x"])
def test_an_unsafe_name_is_refused_and_never_repaired(action: Action[TouchFileSettings], tag: str) -> None:
    run = run_of(Release(id="1", tag=tag))
    for attempt in (preview, lambda run, settings: perform(action, run, settings)):
        with pytest.raises(PermanentError, match="is not a safe file name"):
            attempt(run, settings_of("{{ release.tag }}"))


@pytest.mark.parametrize("template", ["{{ release.name }}", "{{ vars.x }}", "{{ payload.x }}", "{{ nothing }}"])
@pytest.mark.parametrize("key", ["filename", "content"])
def test_a_value_that_is_not_there_is_permanent(key: str, template: str) -> None:
    with pytest.raises(PermanentError, match="template"):
        preview(run_of(), settings_of(**{key: template}))


@pytest.mark.parametrize("size", [65_536, 65_537])
def test_no_flag_is_longer_than_what_a_listener_reads(size: int) -> None:
    run = run_of(vars={"x": "é" * (size // 2) + "x" * (size % 2)})
    settings = settings_of(content="{{ vars.x }}")
    if size <= 65_536:
        assert len(flag_file(run, settings)[1].encode()) == size
    else:
        with pytest.raises(PermanentError, match="the flag site would hold more than 64 KiB"):
            flag_file(run, settings)


def test_a_preview_is_what_is_then_done(action: Action[TouchFileSettings], tmp_path: Path) -> None:
    shown = preview(run_of(), settings_of())
    outcome = perform(action, run_of())
    flag = tmp_path / "volume" / shown["flag"]
    assert flag.read_text() == shown["content"]
    assert outcome == Outcome(state=RunState.FLAGGED, detail=f"the flag site is in {tmp_path / 'volume'}")


def test_a_replaced_flag_is_superseded_and_its_own_is_not(action: Action[TouchFileSettings], tmp_path: Path) -> None:
    assert perform(action, run_of(id="old")).supersedes == ()
    assert perform(action, run_of(id="old")).supersedes == ()  # after a crash
    assert perform(action, run_of(id="new")).supersedes == ("old",)
    assert json.loads((tmp_path / "volume/site").read_text())["run"] == "new"


def test_two_applications_with_one_flag_are_told_about(
    action: Action[TouchFileSettings], caplog: pytest.LogCaptureFixture
) -> None:
    one_for_all = settings_of("deploy-it")
    perform(action, run_of(id="old"), one_for_all)
    assert caplog.messages == []
    perform(action, run_of(id="new", application="blog"), one_for_all)
    assert caplog.messages == [
        "the flag deploy-it was for site, which run new of blog replaced: give each application a flag of its own"
    ]


@pytest.mark.parametrize(
    "content", [b"", b"touched by hand", b"\xff" * 100_000, b'{"run": 5, "application": "site"}', b"[]"]
)
def test_a_flag_of_somebody_else_is_replaced(action: Action[TouchFileSettings], tmp_path: Path, content: bytes) -> None:
    (tmp_path / "volume/site").write_bytes(content)
    assert perform(action, run_of()).supersedes == ()
    assert json.loads((tmp_path / "volume/site").read_text())["run"] == "r1"


def test_a_link_is_replaced_and_not_followed(action: Action[TouchFileSettings], tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text('{"run": "stolen", "application": "site"}')
    (tmp_path / "volume/site").symlink_to(tmp_path / "elsewhere")
    assert perform(action, run_of()).supersedes == ()
    assert not (tmp_path / "volume/site").is_symlink()
    assert "stolen" in (tmp_path / "elsewhere").read_text()


def test_a_volume_that_is_away_is_no_permanent_error(action: Action[TouchFileSettings], tmp_path: Path) -> None:
    (tmp_path / "volume").rmdir()
    with pytest.raises(OSError, match=r"the shared volume .*/volume does not exist: mount it, or set `path`"):
        perform(action, run_of())


def test_the_run_behind_a_replaced_flag_ends_superseded(server: Server, tmp_path: Path) -> None:
    for day in (1, 2):
        payload = release_payload("acme/site", tag=f"v{day}", published_at=f"2026-01-0{day}T00:00:00Z")
        assert server.post(payload).status_code == 202
        server.runs()
    old, new = server.runs()
    assert (old.state, new.state) == (RunState.SUPERSEDED, RunState.FLAGGED)
    assert old.detail == f"run {new.id} replaced its flag"
    assert json.loads((server.volume / "site.example.com").read_text())["tag"] == "v2"


def test_an_unsafe_name_fails_the_run_at_once(start: Start) -> None:
    bad = '[triggers.bad]\naction = "touch-file"\nfilename = "{{{{ release.tag }}}}"\n'
    server = start(bad + GITHUB.replace("TRIGGER", "bad") + SITE)
    assert server.post(release_payload("acme/site", tag="a/b")).status_code == 202
    [run] = server.runs()
    assert (run.state, run.attempts) == (RunState.FAILED, 1)
    assert run.detail == "'a/b' is not a safe file name: it holds a slash"
    assert list(server.volume.iterdir()) == []


def test_the_core_previews_by_the_same_code(configure: Configure) -> None:
    assembly = configure().require()
    run = run_of()
    shown = assembly.preview("github", PlannedRun(application="site", trigger="deploy"), run.event)
    assert shown["flag"] == "site"


def checks(configure: Configure, tmp_path: Path, heartbeat: bytes | None, expect: bool = True) -> list[Check]:
    if heartbeat is not None:
        (tmp_path / "volume/.listener.json").write_bytes(heartbeat)
    assembly = configure()
    instance = assembly.instance("touch-file")
    assert instance is not None
    assert instance.context is not None
    object.__setattr__(instance.context, "config", type(instance.config)(expect_listener=expect))
    hook = assembly.registry.hook(instance, "ducttape_health")
    assert hook is not None
    return list(hook())


def heartbeat(age: float) -> bytes:
    return json.dumps({"last_scan": datetime.fromtimestamp(time.time() - age, UTC).isoformat()}).encode()


@pytest.mark.parametrize(
    ("age", "healthy"), [(0, True), (50, True), (70, False), (1e6, False), (-5, True), (-1e6, False)]
)
def test_health_is_the_age_of_the_heartbeat(configure: Configure, tmp_path: Path, age: float, healthy: bool) -> None:
    [check] = checks(configure, tmp_path, heartbeat(age))
    assert (check.name, check.healthy) == ("listener", healthy)
    assert check.detail.startswith("the listener looked ")


@pytest.mark.parametrize("content", [None, b"", b"garbage", b"[]", b"{}", b"\xff\xfe"])
def test_without_a_heartbeat_it_says_what_to_start(configure: Configure, tmp_path: Path, content: bytes | None) -> None:
    [check] = checks(configure, tmp_path, content)
    assert not check.healthy
    assert "no listener has ever looked" in check.detail
    assert "start `duct-tape listen` on the host" in check.detail


def test_whoever_expects_no_listener_is_asked_nothing(configure: Configure, tmp_path: Path) -> None:
    assert checks(configure, tmp_path, None, expect=False) == []


@pytest.mark.parametrize(
    "value", [None, 5, True, "", "now", [], {}, "0001-01-01T00:00:00", "9999-12-31T23:59:59", "2026-13-01T00:00:00Z"]
)
def test_garbage_is_old_or_nothing_and_never_an_error(value: Any) -> None:
    age = heartbeat_age(json.dumps({"last_scan": value}).encode(), time.time())
    assert age is None or age > 60


@pytest.mark.parametrize("content", [None, b"null", b"5", b'"x"', b"[" * 60_000, b'{"last_scan"', b"\x00" * 9])
def test_no_content_at_all_raises(content: bytes | None) -> None:
    assert heartbeat_age(content, time.time()) is None
