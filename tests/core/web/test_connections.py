"""Who has to go when there are too many connections."""

from __future__ import annotations

from collections.abc import Hashable

from hypothesis import given
from hypothesis import strategies as st

from duct_tape.web.connections import Connections, Phase


class Peer:
    """A connection that only remembers its end."""

    def __init__(self) -> None:
        self.gone = False

    def abort(self) -> None:
        self.gone = True


def admitted(table: Connections, address: str | None = None, phase: Phase = Phase.IDLE) -> Peer:
    peer = Peer()
    assert table.admit(peer, address)
    table.change(peer, phase)
    return peer


def test_the_one_that_has_waited_longest_makes_room() -> None:
    table = Connections(3, 9)
    first, second, third = (admitted(table) for _ in range(3))
    table.change(first, Phase.IDLE)  # it has had a request since
    admitted(table)
    assert [peer.gone for peer in (first, second, third)] == [False, True, False]
    assert (len(table), table.closed) == (3, 1)


def test_those_that_wait_for_us_stay_and_a_new_one_is_not_worse_than_a_slow_one() -> None:
    table = Connections(3, 9)
    busy, slow, idle = (admitted(table, phase=phase) for phase in (Phase.BUSY, Phase.SLOW, Phase.IDLE))
    admitted(table, phase=Phase.BUSY)
    assert (slow.gone, idle.gone) == (True, False)
    admitted(table, phase=Phase.BUSY)
    assert (idle.gone, busy.gone) == (True, False)
    assert not table.admit(Peer(), None)
    assert (len(table), table.closed) == (3, 3)


def test_an_address_makes_room_among_its_own() -> None:
    table = Connections(9, 2)
    other = admitted(table, "other")
    first, second = admitted(table, "one"), admitted(table, "one", Phase.BUSY)
    third = admitted(table, "one", Phase.BUSY)
    assert [peer.gone for peer in (other, first, second, third)] == [False, True, False, False]
    assert not table.admit(Peer(), "one")
    assert table.admit(Peer(), "other")
    table.leave(second)
    assert table.admit(Peer(), "one")


def test_at_the_end_idle_ones_go_first() -> None:
    table = Connections(9, 9)
    idle, busy = admitted(table), admitted(table, phase=Phase.BUSY)
    table.close_idle()
    assert (idle.gone, busy.gone) == (True, False)
    table.close_all()
    assert busy.gone


@given(
    st.lists(
        st.tuples(st.sampled_from(["admit", "leave", *Phase]), st.integers(0, 9), st.sampled_from([None, "a", "b"]))
    )
)
def test_the_limits_hold_and_nothing_is_left_behind(steps: list[tuple[str | Phase, int, str | None]]) -> None:
    table = Connections(4, 2)
    peers: list[tuple[Peer, Hashable]] = []
    for step, number, address in steps:
        peer, _ = peers[number % len(peers)] if peers else (Peer(), None)
        if step == "admit":
            peers += [(peer, address)] if table.admit(peer := Peer(), address) else []
        elif step == "leave":
            table.leave(peer)
            peers = [(other, owner) for other, owner in peers if other is not peer]
        elif isinstance(step, Phase):
            table.change(peer, step)
        peers = [(peer, owner) for peer, owner in peers if not peer.gone]
        assert len(table) == len(peers) <= 4
        assert all(sum(owner == name for _, owner in peers) <= 2 for name in ("a", "b"))
    for peer, _ in peers:
        table.leave(peer)
        table.leave(peer)
    assert len(table) == 0
    assert not table._crowds
