"""The inbox goes on, whatever a stranger has made of a result, and whatever mistake is in the listener itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.listener_support import Host

from duct_tape.listener import cancel, claims, inbox, results
from duct_tape.listener.applications import Applications
from duct_tape.listener.inbox import Inbox
from duct_tape.listener.spool import Spool
from duct_tape.results import Result
from duct_tape.volume import Volume

HUGE = b'{"run": "run-v1", "application": "app", "state": "deployed", "duration": 1%s}' % (b"0" * 400)


@pytest.fixture
def box(host: Host, applications: Applications) -> Iterator[Inbox]:
    host.application("app")
    box = Inbox(Spool.open(host.volume), applications)
    yield box
    box.close()


def mistaken(*_: object) -> bool:
    raise TypeError("no such thing")


def test_a_result_with_a_huge_number_stops_nothing(host: Host, box: Inbox, caplog: pytest.LogCaptureFixture) -> None:
    folder = host.volume / ".results"
    folder.mkdir()
    (folder / "run-v1.json").write_bytes(HUGE)
    host.flag("app", "v1")
    claims.take(box._current(), "app", "")
    Volume(host.volume).request_cancel("run-v1")

    (order,) = box.look(())

    assert order.begun is None
    assert box.attend({"run-v1"}) == {"run-v1"}
    assert not box.mistaken
    assert caplog.messages == []


def test_a_mistake_of_its_own_is_told_once_and_ends_nothing(
    host: Host, box: Inbox, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.flag("app", "v1")
    host.flag("other", "v1")
    with monkeypatch.context() as patch:
        patch.setattr(claims, "identify", mistaken)
        assert box.look(()) == []
        assert box.look(()) == []

    assert caplog.messages == ["looking for flags: the listener itself failed, and goes on"]
    assert caplog.records[0].exc_info
    assert box.mistaken
    assert [order.application for order in box.look(())] == ["app"]


def test_a_mistake_is_in_the_way_of_no_end(
    host: Host, box: Inbox, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.flag("app", "v1")
    (order,) = box.look(())
    Volume(host.volume).request_cancel("run-v1")
    monkeypatch.setattr(cancel, "tidy", mistaken)
    monkeypatch.setattr(results, "prune", mistaken)

    assert box.attend({"run-v1"}) == set()
    assert box.attend({"run-v1"}) == {"run-v1"}
    box.finish(order, Result.of(order.flag, "cancelled"), ())

    assert host.claims() == []
    assert [message.partition(":")[0] for message in caplog.messages] == [
        "looking for requests to cancel",
        "deleting old results",
    ]


def test_what_a_killed_listener_left_is_ended_also_when_the_first_look_failed(
    host: Host, applications: Applications, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []
    monkeypatch.setattr(inbox, "end_left_overs", ended.append)
    host.application("app")
    spool = Spool.open(host.volume)
    host.flag("app", "v1")
    claim = claims.take(spool, "app", "")
    host.applications.rename(host.root / "away")
    box = Inbox(spool, applications)
    assert box.look(()) == []

    (host.root / "away").rename(host.applications)
    orders = box.look(())
    box.close()

    assert [order.flag.tag for order in orders] == ["v1"]
    assert claim
    assert ended == [claim.id]
