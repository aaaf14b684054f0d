"""Addresses of listening sockets, as the configuration spells them."""

from __future__ import annotations

import pytest

from duct_tape.conf.structure import address


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1:9000",
        "0.0.0.0:0",
        "localhost:65535",
        "[::1]:80",
        "my-host.example:1",
        "unix:/run/x.sock",
        "unix:/a b",
    ],
)
def test_addresses(text: str) -> None:
    assert address(text) == text


NO_ADDRESS = """: 9000 :9000 host host: host:x host:-1 host:65536 host:１ ::1:80 [::1] [::1:80 http://host:1 host:1/x
unix: unix:x unix:/ fd://3""".split()


@pytest.mark.parametrize("text", ["", "a b:1", "host:80\n", f"host:{'1' * 5000}", *NO_ADDRESS])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not an address such as '127.0.0.1:9000'") as caught:
        address(text)
    assert len(str(caught.value)) < 250
