from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.listener_support import Host

from duct_tape.flags import Flag
from duct_tape.listener import aside, claims, heartbeat, inbox, results
from duct_tape.listener.applications import Applications
from duct_tape.listener.inbox import Inbox
from duct_tape.listener.spool import Spool
from duct_tape.results import Result
from duct_tape.volume import Volume


@pytest.fixture
def box(host: Host, applications: Applications) -> Iterator[Inbox]:
    host.application("app")
    box = Inbox(Spool.open(host.volume), applications)
    yield box
    box.close()


def failing(error: OSError) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


DENIED = PermissionError(13, "Permission denied")


def test_flags_become_orders_once(host: Host, box: Inbox) -> None:
    host.flag("app", "v1")

    (order,) = box.look(())

    assert (order.application, order.flag.tag) == ("app", "v1")
    assert box.look({order.claim.id}) == []
    assert [again.claim for again in box.look(())] == [order.claim]
    assert box.refusals == 0


def test_a_finished_order_has_a_result_and_no_claim(host: Host, box: Inbox) -> None:
    host.flag("app", "v1")
    (order,) = box.look(())

    box.finish(order, Result.of(order.flag, "deployed"), ())

    assert host.result("run-v1")["state"] == "deployed"
    assert host.claims() == []
    assert box.look(()) == []


def test_what_cannot_be_deployed_is_refused_with_a_result(
    host: Host, box: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    host.flag("unknown", "v1")
    host.flag("unsafe", "v2", run="../x")
    (host.volume / "folder").mkdir()

    assert box.look(()) == []

    assert box.refusals == 3
    assert host.result("run-v1")["state"] == "refused"
    assert "no application has this name" in host.result("run-v1")["output"]
    assert len(host.results()) == 1
    assert len(host.aside()) == 3
    assert len(caplog.messages) == 3
    assert box.look(()) == []
    assert len(caplog.messages) == 3


def test_what_cannot_be_moved_stays_and_is_told_once(
    host: Host, box: Inbox, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (host.volume / "folder").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(aside, "set_aside", failing(DENIED))
        box.look(())
        box.look(())
    box.look(())
    assert [message for message in caplog.messages if "so it stays" in message] == caplog.messages[:1]
    assert host.at_top() == ["folder"]

    (host.volume / "folder").rename(host.volume / "other")
    box.look(())
    assert host.at_top() == []


def test_what_is_taken_back_in_the_same_moment_is_nothing(
    host: Host, box: Inbox, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.flag("app", "v1")
    monkeypatch.setattr(claims, "take", failing(FileNotFoundError(2, "gone")))

    assert box.look(()) == []
    assert caplog.messages == []


def test_a_refused_claim_that_cannot_be_moved_is_dropped(
    host: Host, box: Inbox, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "set_claim_aside", failing(DENIED))
    host.flag("unknown", "v1")

    assert box.look(()) == []
    assert host.claims() == []
    assert box.refusals == 1


def test_a_huge_flag_is_refused(host: Host, box: Inbox, caplog: pytest.LogCaptureFixture) -> None:
    (host.volume / "app").write_bytes(b"x" * 70_000)

    assert box.look(()) == []
    assert "more than 64 KiB" in caplog.text


def test_a_claim_that_cannot_be_removed_is_not_deployed_for_ever(
    host: Host, box: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    host.flag("app", "v1")
    (order,) = box.look(())
    (host.volume / ".running" / order.claim.id / "more").touch()

    box.finish(order, Result.of(order.flag, "deployed"), ())

    assert "remove it by hand" in caplog.text
    assert box.look(()) == []


def test_a_volume_that_goes_and_comes(host: Host, box: Inbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "duct_tape")
    shutil.rmtree(host.volume)
    assert box.look(()) == []
    assert box.look(()) == []
    box.report(Result.of(Flag(run="r", application="app"), "deployed"))
    assert box.open_log("r") is None
    host.make_volume()
    host.flag("app", "v1")

    (order,) = box.look(())
    shutil.rmtree(host.volume)
    box.finish(order, Result.of(order.flag, "deployed"), ())

    troubles = [message for message in caplog.messages if "waiting for that to change" in message]
    assert len(troubles) == 1
    assert "answered again" in caplog.text
    assert "its result cannot be written" in caplog.text
    assert "the log of run r cannot be written" in caplog.text
    assert "old results cannot be deleted" in caplog.text


def test_what_was_claimed_survives_that_the_applications_are_away(
    host: Host, box: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    host.applications.rename(host.root / "away")
    host.flag("app", "v1")
    assert box.look(()) == []

    (host.root / "away").rename(host.applications)
    (order,) = box.look(())

    assert order.flag.tag == "v1"
    assert f"{host.applications} cannot be used: No such file or directory; waiting" in caplog.text


def test_trouble_with_a_temporary_file_is_told_once(
    box: Inbox, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "write", failing(OSError(28, "No space left on device", ".tmp-1")))
    box.look(())
    monkeypatch.setattr(heartbeat, "write", failing(OSError(28, "No space left on device", ".tmp-2")))
    box._heartbeat.again()
    box.look(())

    (message,) = caplog.messages
    assert message.startswith(f"{box._path} cannot be used: No space left on device")


def test_a_deploy_that_a_killed_listener_left_running_is_ended(
    host: Host, applications: Applications, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []

    def end(claim: str) -> int:
        ended.append(claim)
        return 1

    monkeypatch.setattr(inbox, "end_left_overs", end)
    host.application("app")
    spool = Spool.open(host.volume)
    host.flag("app", "v1")
    claim = claims.take(spool, "app", "")
    host.flag("app", "v2")
    box = Inbox(spool, applications)

    orders = box.look(())
    host.flag("app", "v3")
    box.look({order.claim.id for order in orders})
    box.close()

    assert [order.flag.tag for order in orders] == ["v1", "v2"]
    assert claim
    assert ended == [claim.id]
    assert "a killed listener" in caplog.text


def test_results_that_cannot_be_written_stop_nothing(
    host: Host, box: Inbox, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.flag("app", "v1")
    (order,) = box.look(())
    monkeypatch.setattr(results, "write", failing(OSError(28, "No space left on device")))
    monkeypatch.setattr(results, "create", failing(OSError(28, "No space left on device")))

    assert box.open_log("r") is None
    box.finish(order, Result.of(order.flag, "deployed"), ())

    assert host.claims() == []
    assert "No space left" in caplog.text


def test_without_a_user_that_asks_for_them_there_are_no_events(host: Host, applications: Applications) -> None:
    before = len(os.listdir("/proc/self/fd"))
    box = Inbox(Spool.open(host.volume), applications)
    assert len(os.listdir("/proc/self/fd")) == before + 2
    box.close()
    box.close()


def test_attending_shows_life_and_finds_what_is_cancelled(host: Host, box: Inbox) -> None:
    Volume(host.volume).request_cancel("run-1")
    assert box.attend({"run-1", "run-2"}) == {"run-1"}
    assert (host.volume / ".listener.json").exists()

    shutil.rmtree(host.volume)
    assert box.attend({"run-1"}) == set()


def test_a_request_that_was_served_is_removed(host: Host, box: Inbox) -> None:
    host.flag("app", "v1")
    (order,) = box.look(())
    Volume(host.volume).request_cancel("run-v1")

    box.finish(order, Result.of(order.flag, "cancelled"), ())

    assert os.listdir(host.volume / ".cancel") == []


def test_a_clock_that_is_set_back_makes_no_older_flag_the_newest(
    host: Host, applications: Applications, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.application("app")
    box = Inbox(Spool.open(host.volume), applications)
    host.flag("app", "v1")
    box.look(())
    monkeypatch.setattr(time, "time_ns", lambda: 1)
    host.flag("app", "v2")
    box.look(())
    host.flag("app", "v3")
    box.look(())
    box.close()

    box = Inbox(Spool.open(host.volume), applications)
    tags = [order.flag.tag for order in box.look(())]
    box.close()

    assert tags == ["v1", "v2", "v3"]
