"""The inbox before a volume that holds more than one look takes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from tests.listener_support import Host

from duct_tape.flags import Flag
from duct_tape.listener import aside, intake, results
from duct_tape.listener.applications import Applications
from duct_tape.listener.inbox import Inbox
from duct_tape.listener.intake import PORTION
from duct_tape.listener.spool import Spool
from duct_tape.listener.sweep import Sweep
from duct_tape.results import Result


@pytest.fixture
def box(host: Host, applications: Applications) -> Iterator[Inbox]:
    host.application("app")
    box = Inbox(Spool.open(host.volume), applications)
    yield box
    box.close()


def junk(host: Host, number: int, content: bytes = b"") -> None:
    for count in range(number):
        (host.volume / f"junk{count}").write_bytes(content)


def rounds(box: Inbox) -> int:
    looks = 1
    while box.more:
        assert box.look(()) == []
        looks += 1
    return looks


def test_a_flag_comes_first_and_the_rest_in_portions(host: Host, box: Inbox) -> None:
    junk(host, 3 * PORTION)
    host.flag("app", "v1")

    (order,) = box.look(())

    assert order.flag.tag == "v1"
    assert len(host.at_top()) >= 2 * PORTION
    assert box.more
    box.finish(order, Result.of(order.flag, "deployed"), ())
    assert rounds(box) >= 3
    assert host.at_top() == []
    assert len(host.aside()) == aside.KEEP
    assert box.refusals == 3 * PORTION


def test_a_flag_with_another_name_is_reached(host: Host, box: Inbox) -> None:
    junk(host, 2 * PORTION)
    host.flag("app--v1", content=Flag(run="r", application="app", tag="v1").to_line().encode())
    tags = [order.flag.tag for order in box.look(())]
    while box.more:
        tags += [order.flag.tag for order in box.look(host.claims())]
    assert tags == ["v1"]


def test_of_flags_in_several_portions_an_older_one_is_late(host: Host, box: Inbox) -> None:
    box._intake._sweep = Sweep(1, own=True)
    for number in range(1, 9):
        host.flag(f"app--{number}", content=Flag(run=f"r{number}", application="app", tag="t").to_line().encode())
        os.utime(host.volume / f"app--{number}", (number, number))
    orders = box.look(())
    while box.more:
        orders += box.look(host.claims())

    assert len(orders) == 8
    numbers = [int(order.flag.run[1:]) for order in orders]
    assert [order.late for order in orders] == [
        number < max(numbers[: place + 1]) for place, number in enumerate(numbers)
    ]
    host.flag("app--0", content=Flag(run="r0", application="app", tag="t").to_line().encode())
    os.utime(host.volume / "app--0", (0, 0))
    assert [order.late for order in box.look(host.claims())] == [False]


def test_junk_with_content_goes_the_long_way_and_is_told_to_its_run(host: Host, box: Inbox) -> None:
    junk(host, 3, Flag(run="r", application="unknown").to_line().encode())
    box.look(())
    assert host.result("r")["state"] == "refused"
    assert len(host.aside()) == 3


def test_after_refused_runs_old_results_are_deleted_as_after_others(
    host: Host, box: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    pruned: list[object] = []
    monkeypatch.setattr(results, "prune", lambda _spool, _sweep, active: pruned.append(active))
    box.attend({"r"})
    assert pruned == []
    host.flag("unknown", "v1")
    box.look(())
    box.attend({"r"})
    box.attend({"r"})
    assert pruned == [{"r"}]


def test_what_had_another_look_when_it_was_moved_is_put_back(
    host: Host, box: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = Flag(run="r", application="app", tag="v1").to_line().encode()
    (host.volume / "app--v1").touch()

    def replaced(*_: object) -> bool:
        monkeypatch.undo()
        host.flag("app--v1", content=content)
        return True

    monkeypatch.setattr(intake, "_holds_no_flag", replaced)
    assert box.look(()) == []
    assert host.at_top() == ["app--v1"]
    assert host.aside() == []
    (order,) = box.look(())
    assert order.flag.tag == "v1"


def test_more_that_cannot_be_moved_than_is_remembered(
    host: Host, box: Inbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(intake, "MOST_LEFT", 2)
    monkeypatch.setattr(aside, "KEEP", 0)
    for number in range(5):
        (host.volume / f"d{number}" / "dear").mkdir(parents=True)
    (host.volume / ".set-aside" / "full" / "dear").mkdir(parents=True)

    box.look(())
    assert len(caplog.messages) == 5
    box.look(())
    assert len(caplog.messages) == 8
    assert len(host.at_top()) == 5


def test_a_volume_that_goes_in_the_middle_of_a_round(host: Host, box: Inbox) -> None:
    junk(host, 2 * PORTION)
    box.look(())
    assert box.more
    shutil.rmtree(host.applications)
    box.look(())
    assert not box.more
