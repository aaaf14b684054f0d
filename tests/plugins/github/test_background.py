"""The whole server with a token: what was missed comes, GitHub sees how it goes, and webhooks notice nothing."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.plugins.conftest import SECRET
from tests.plugins.github.fake_github import TOKEN, FakeGitHub, ago
from tests.server_support import Recorder

from duct_tape.api import Outcome, Result, Run, RunState
from duct_tape.testing import Harness
from duct_tape_github import background
from duct_tape_github.background import Background
from signing import github_signature

HOUR = 3600.0

CONFIGURATION = """
[server]
public_url = "https://hooks.example.com"
[plugins.touch-file]
[plugins.recorder]
[triggers.deploy]
action = "{action}"
[plugins.github]
secrets = [{{ file = "{folder}/secret" }}]
token = {{ file = "{folder}/token" }}
api_url = "{url}"
triggers = ["deploy"]
{more}
[plugins.github.repositories."acme/site"]
application = "site.example.com"
"""


class Place:
    """Starts servers in one folder, with a recorder as the action."""

    def __init__(self, folder: Path, fake: FakeGitHub, start: Callable[..., Harness]) -> None:
        self.folder, self.fake, self._start = folder, fake, start
        self.recorder = Recorder()
        (folder / "secret").write_bytes(SECRET)
        (folder / "token").write_text(f"{TOKEN}\n")
        # Somebody listens, so that /readyz tells of GitHub only.
        (folder / "shared_volume").mkdir()
        (folder / "shared_volume/.listener.json").write_text(json.dumps({"last_scan": ago(-60)}))

    def start(self, more: str = "", action: str = "record") -> Harness:
        return self._start(self.text(more, action), plugins={"recorder": self.recorder.module})

    def server(self, more: str = "", action: str = "record") -> Harness:
        """One that the test itself starts and stops."""
        return Harness(self.folder, self.text(more, action), plugins={"recorder": self.recorder.module})

    def text(self, more: str, action: str) -> str:
        return CONFIGURATION.format(folder=self.folder, url=self.fake.url, more=more, action=action)


@pytest.fixture
def place(tmp_path: Path, fake: FakeGitHub, ducttape: Callable[..., Harness]) -> Place:
    return Place(tmp_path, fake, ducttape)


def running() -> Background:
    [found] = background._RUNNING.values()
    return found


def looked(harness: Harness) -> list[str]:
    """Wait until a round is over and all that it brought is done; the problems that it told."""
    reconciler = running().reconciler
    assert reconciler is not None

    async def over() -> None:
        async with asyncio.timeout(10):
            while not reconciler.standings:  # noqa: ASYNC110 - a round tells nobody
                await asyncio.sleep(0.005)

    harness.call(over)
    harness.settle()
    return [standing.problem for standing in reconciler.standings.values()]


def caught_up(harness: Harness) -> None:
    """The same where all goes well."""
    assert looked(harness) == [""]


def told(harness: Harness) -> None:
    """Wait until GitHub knows everything."""
    harness.settle()
    reporter = running().reporter
    assert reporter is not None
    harness.call(lambda: reporter.drain(10.0))


def post(harness: Harness, payload: dict[str, Any], guid: str = "", event: str = "release") -> Any:
    content = json.dumps(payload).encode()
    headers = {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": guid or str(uuid.uuid4()),
        "X-Hub-Signature-256": github_signature(SECRET, content),
    }
    return harness.post("github", content, headers)


def test_a_release_that_was_missed_is_deployed_once_after_the_start(
    place: Place, fake: FakeGitHub, hook: dict[str, Any]
) -> None:
    payload = fake.release("acme/site", "v1.2.3", ago(HOUR))
    for action in ("created", "published", "released"):
        fake.delivered(hook, {**payload, "action": action})
    with place.server() as harness:
        caught_up(harness)
        assert [(run.event.release.tag, run.state) for run in harness.runs() if run.event.release] == [
            ("v1.2.3", "done")
        ]
    with place.server() as harness:
        caught_up(harness)
        assert len(harness.runs()) == 1
    assert len(place.recorder.runs) == 1


def test_what_came_by_webhook_as_well_is_not_deployed_twice(
    place: Place, fake: FakeGitHub, hook: dict[str, Any]
) -> None:
    fake.gates["/repos/acme/site/hooks"] = threading.Event()
    payload = fake.release("acme/site", "v1.2.3", ago(HOUR))
    failed = fake.delivered(hook, payload)
    harness = place.start()
    assert post(harness, {**payload, "action": "released"}).status_code == 202
    fake.gates["/repos/acme/site/hooks"].set()
    caught_up(harness)
    assert post(harness, payload, failed["guid"]).json()["status"] == "duplicate"
    assert len(harness.runs()) == 1


def test_the_webhook_comes_after_the_catching_up(place: Place, fake: FakeGitHub, hook: dict[str, Any]) -> None:
    payload = fake.release("acme/site", "v1.2.3", ago(HOUR))
    fake.delivered(hook, payload)
    harness = place.start()
    caught_up(harness)
    assert post(harness, payload).json()["status"] == "duplicate"
    assert len(harness.runs()) == 1


def test_a_listed_release_and_its_webhook_are_one(place: Place, fake: FakeGitHub, hook: dict[str, Any]) -> None:
    with place.server() as harness:
        caught_up(harness)
        assert post(harness, fake.release("acme/site", "v1.0.0", ago(2 * HOUR))).status_code == 202
    payload = fake.release("acme/site", "v1.1.0", ago(HOUR))
    harness = place.start()
    caught_up(harness)
    assert post(harness, payload).json()["status"] == "duplicate"
    assert [run.event.release.tag for run in harness.runs() if run.event.release] == ["v1.0.0", "v1.1.0"]


def test_a_failed_run_is_not_repeated_by_the_timer(place: Place, fake: FakeGitHub, hook: dict[str, Any]) -> None:
    def fails(run: Run) -> Outcome:
        return Outcome(state=RunState.FAILED, detail="no luck")

    place.recorder = Recorder(fails)
    payload = fake.release("acme/site", "v1.2.3", ago(HOUR))
    fake.delivered(hook, payload)
    for _ in range(2):
        with place.server() as harness:
            caught_up(harness)
            reconciler = running().reconciler
            assert reconciler is not None
            harness.call(reconciler.look)
            harness.settle()
            assert [run.state for run in harness.runs()] == ["failed"]


def test_an_old_release_is_no_surprise(place: Place, fake: FakeGitHub, hook: dict[str, Any]) -> None:
    fake.release("acme/site", "v0.9.0", ago(100 * 24 * HOUR))
    fake.release("acme/site", "v1.0.0", ago(HOUR))
    harness = place.start()
    caught_up(harness)
    assert harness.runs() == []


def test_a_github_that_hangs_delays_no_webhook_and_no_end(place: Place, fake: FakeGitHub, hook: dict[str, Any]) -> None:
    for path in ("/repos/acme/site/hooks", "/repos/acme/site/releases", "/repos/acme/site/deployments"):
        fake.gates[path] = threading.Event()
    with place.server("deployments = true") as harness:
        began = time.monotonic()
        assert post(harness, fake.release("acme/site", "v1.2.3", ago(HOUR))).status_code == 202
        harness.settle()
        assert [run.state for run in harness.runs()] == ["done"]
        assert harness.client.get("/readyz").status_code == 200
        assert time.monotonic() - began < 5
        leaving = time.monotonic()
    assert time.monotonic() - leaving < 5
    assert harness.instance("github").on


def test_a_token_that_is_refused_turns_readyz_red_and_nothing_else(place: Place, fake: FakeGitHub) -> None:
    fake.token = "revoked"
    harness = place.start()
    assert "does not accept the token" in looked(harness)[0]
    assert harness.client.get("/readyz").status_code == 503
    assert post(harness, fake.release("acme/site", "v1.2.3", ago(HOUR))).status_code == 202


def test_states_of_a_run_appear_as_deployment_statuses_in_order(
    place: Place, fake: FakeGitHub, hook: dict[str, Any]
) -> None:
    harness = place.start('deployments = true\nenvironment = "{{ application }}"', action="touch-file")
    accepted = post(harness, fake.release("acme/site", "v1.2.3", ago(HOUR))).json()
    told(harness)
    [number] = (run["id"] for run in accepted["runs"])
    for state, output, expected in (
        ("deploying", "", ["queued", "in_progress"]),
        ("failed", "no such host\n", ["queued", "in_progress", "failure"]),
    ):
        result(harness, number, state=state, output=output)
        fake.wait_for(lambda: fake.states() == expected)  # noqa: B023
    [deployment] = fake.deployments
    assert (deployment["ref"], deployment["environment"]) == ("v1.2.3", "site.example.com")
    last = fake.statuses[1][-1]
    assert last["description"] == "failed with exit code 3 after 1.5 s: no such host"
    assert last["log_url"] == "https://hooks.example.com"


def test_a_run_that_was_reported_in_progress_gets_its_end_after_a_restart(
    place: Place, fake: FakeGitHub, hook: dict[str, Any]
) -> None:
    with place.server("deployments = true", "touch-file") as harness:
        accepted = post(harness, fake.release("acme/site", "v1.2.3", ago(HOUR))).json()
        told(harness)
        [number] = (run["id"] for run in accepted["runs"])
        result(harness, number, state="deploying", output="")
        fake.wait_for(lambda: fake.states() == ["queued", "in_progress"])
    result(harness, number, state="deployed", output="all good\n")
    with place.server("deployments = true", "touch-file"):
        fake.wait_for(lambda: fake.states() == ["queued", "in_progress", "success"])
    assert len(fake.deployments) == 1


def result(harness: Harness, number: str, **members: Any) -> None:
    """What the listener says of a run."""
    given: dict[str, Any] = {"application": "site.example.com", "run": number, "tag": "v1.2.3"}
    if members["state"] != "deploying":
        given |= {"exit_code": 0 if members["state"] == "deployed" else 3, "duration": 1.5}
    folder = harness.volume / ".results"
    folder.mkdir(exist_ok=True)
    temporary = folder / ".new"
    temporary.write_bytes(Result(**{**given, **members}).to_line())
    temporary.rename(folder / f"{number}.json")


@pytest.mark.parametrize("event", ["deployment", "deployment_status"])
def test_what_github_sends_about_deployments_is_ignored(place: Place, fake: FakeGitHub, event: str) -> None:
    harness = place.start("reconcile.enabled = false\ndeployments = true")
    payload = {
        "action": "created",
        "deployment": {"id": 1, "ref": "v1.2.3", "environment": "production"},
        "deployment_status": {"state": "success"},
        "repository": {"id": 1, "full_name": "acme/site"},
    }
    answer = post(harness, payload, event=event)
    assert (answer.status_code, answer.json()["status"]) == (200, "ignored")
    assert harness.runs() == []
    assert fake.asked == []


def test_without_a_token_nobody_is_asked(place: Place, fake: FakeGitHub) -> None:
    text = place.text("", "record").replace("token = ", "# ")
    with Harness(place.folder, text, plugins={"recorder": place.recorder.module}) as harness:
        assert background._RUNNING == {}
        assert post(harness, fake.release("acme/site", "v1.2.3", ago(HOUR))).status_code == 202
        assert harness.client.get("/readyz").status_code == 200
    assert fake.asked == []


def test_the_end_of_the_background_is_told_and_webhooks_go_on(
    place: Place, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(self: Background) -> None:
        raise ValueError("broken")

    monkeypatch.setattr(Background, "work", broken)
    harness = place.start()
    assert post(harness, fake.release("acme/site", "v1.2.3", ago(HOUR))).status_code == 202
    assert "nothing more is asked of GitHub or told it (ValueError: broken)" in caplog.messages
    assert harness.instance("github").on
