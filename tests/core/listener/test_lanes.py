from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from duct_tape.flags import Flag
from duct_tape.listener.claims import Claim, Order
from duct_tape.listener.lanes import Lanes


def order(application: str, tag: str = "") -> Order:
    claim = Claim(id=f"{application}-{tag}", name=application)
    return Order(claim=claim, flag=Flag(run=claim.id, application=application, tag=tag), content=b"")


def test_one_at_a_time_per_application_and_the_newest_waits() -> None:
    lanes = Lanes(4)

    assert lanes.offer(order("a", "1")) is None
    assert lanes.next() == order("a", "1")
    assert lanes.offer(order("a", "2")) is None
    assert lanes.offer(order("a", "3")) == order("a", "2")
    assert lanes.next() is None
    lanes.done(order("a", "1"))
    assert lanes.next() == order("a", "3")


def test_applications_run_beside_each_other_up_to_the_limit() -> None:
    lanes = Lanes(2)
    for name in "abc":
        lanes.offer(order(name))

    assert [lanes.next(), lanes.next(), lanes.next()] == [order("a"), order("b"), None]
    lanes.done(order("b"))
    assert lanes.next() == order("c")
    assert lanes.running == [order("a"), order("c")]


def test_a_newer_flag_keeps_its_place_in_the_queue() -> None:
    lanes = Lanes(1)
    for name, tag in (("a", "1"), ("b", "1"), ("a", "2")):
        lanes.offer(order(name, tag))

    assert lanes.next() == order("a", "2")
    assert lanes.waiting == [order("b", "1")]
    assert lanes.claim_ids() == {"a-2", "b-1"}


def test_an_order_that_waits_can_lose_its_turn() -> None:
    lanes = Lanes(1)
    for name in "ab":
        lanes.offer(order(name))
    lanes.next()
    assert lanes.runs() == {"a-", "b-"}
    lanes.withdraw(order("b"))
    lanes.done(order("a"))
    assert lanes.next() is None
    assert lanes.runs() == set()


@given(st.lists(st.one_of(st.sampled_from("abcd"), st.none())), st.integers(1, 3))
def test_every_order_runs_or_is_overtaken_by_a_newer_one(steps: list[str | None], limit: int) -> None:
    lanes = Lanes(limit)
    offered: list[Order] = []
    ran: list[Order] = []
    overtaken: list[Order] = []
    for number, name in enumerate([*steps, *[None] * len(steps)]):
        if name:
            offered.append(order(name, str(number)))
            older = lanes.offer(offered[-1])
            overtaken += [older] if older else []
        elif lanes.running:
            lanes.done(lanes.running[0])
        while started := lanes.next():
            ran.append(started)
        names = [running.application for running in lanes.running]
        assert len(names) == len(set(names)) <= limit

    assert sorted(ran + overtaken, key=str) == sorted(offered, key=str)
    for name in set(filter(None, steps)):
        newest = [item for item in offered if item.application == name][-1]
        assert [item for item in ran if item.application == name][-1] == newest
