"""Who a request comes from, and who counts as one sender."""

from __future__ import annotations

from collections.abc import Hashable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duct_tape.addresses import Proxies, address, network, within

TRUSTED = ("127.0.0.1", "10.0.0.0/8", "::1", "2001:db8:ffff::/48")


@pytest.mark.parametrize(
    ("peer", "forwarded", "wanted"),
    [
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", ["192.0.2.1, 198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", ["192.0.2.1", "198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", ["192.0.2.1, 198.51.100.1,10.1.2.3", " 10.9.9.9 "], "198.51.100.1"),
        ("127.0.0.1", ["10.1.2.3, 10.1.2.4"], "10.1.2.3"),
        ("127.0.0.1", ["198.51.100.1, nobody"], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.1, nobody, 10.1.1.1"], "10.1.1.1"),
        ("127.0.0.1", ["198.51.100.1, "], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.1:4711"], "127.0.0.1"),
        ("::1", ["2001:db8::1"], "2001:db8::1"),
        ("::ffff:10.0.0.1", ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("fe80::1%eth0", ["198.51.100.1"], "fe80::1"),
        (None, ["198.51.100.1"], None),
    ],
)
def test_the_nearest_address_that_is_no_proxy_of_ours(
    peer: str | None, forwarded: list[str], wanted: str | None
) -> None:
    assert Proxies(TRUSTED).sender(peer, forwarded) == (address(wanted) if wanted else None)


def test_a_unix_socket_is_trusted_only_where_that_is_said() -> None:
    assert Proxies(("unix",)).sender(None, ["198.51.100.1"]) == address("198.51.100.1")
    assert Proxies(("unix",)).sender(None, []) is None
    assert Proxies(("unix",)).sender("127.0.0.1", ["198.51.100.1"]) == address("127.0.0.1")


IPS = st.ip_addresses().map(str)


@given(IPS | st.none(), st.lists(IPS | st.text()))
def test_whatever_is_forwarded_nobody_but_a_proxy_of_ours_is_believed(peer: str | None, forwarded: list[str]) -> None:
    proxies = Proxies(TRUSTED)
    found = proxies.sender(peer, forwarded)
    if peer is None or not proxies.trust(address(peer)):
        assert found == (address(peer) if peer else None)


@given(IPS, st.lists(IPS | st.text(max_size=5)))
def test_what_a_stranger_writes_does_not_move_them(stranger: str, written: list[str]) -> None:
    proxies = Proxies(TRUSTED)
    if not proxies.trust(address(stranger)):
        assert proxies.sender("127.0.0.1", [*written, stranger]) == address(stranger)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::9"),
        ("10.1.2.3", None),
        ("127.9.9.9", None),
        ("::1", None),
        ("::ffff:127.0.0.1", None),
        ("", None),
    ],
)
def test_what_counts_as_one_sender(text: str, wanted: str | None) -> None:
    counted: Hashable | None = Proxies(TRUSTED).counted(address(text))
    assert (counted is None) is (wanted is None)
    assert counted == Proxies(TRUSTED).counted(address(wanted or ""))
    assert counted is None or counted != Proxies(TRUSTED).counted(address("2001:db8:1:3::4"))


def test_networks() -> None:
    assert within(address("203.0.113.9"), [network("203.0.113.0/24")])
    assert within(address("203.0.113.9"), [network("::/0"), network("203.0.113.9")])
    assert not within(address("203.0.114.9"), [network("203.0.113.0/24"), network("::/0")])
    assert not within(None, [network("0.0.0.0/0"), network("::/0")])


EXAMPLE = "write for instance '10.0.0.0/8', '2001:db8::/32' or '203.0.113.9'"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("10.0.0.1/8", "'10.0.0.1/8' is no network; did you mean '10.0.0.0/8'?"),
        ("github.com", f"'github.com' is no network; {EXAMPLE}"),
        ("10.0.0.0/33", f"'10.0.0.0/33' is no network; {EXAMPLE}"),
    ],
)
def test_what_is_no_network(text: str, message: str) -> None:
    with pytest.raises(ValueError, match="is no network") as caught:
        network(text)
    assert str(caught.value) == message
