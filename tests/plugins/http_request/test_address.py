"""Addresses: one spelling of each, and nothing outside of the list."""

from __future__ import annotations

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from duct_tape.api import PermanentError
from duct_tape_http_request.address import entry_problem, may_call, parse

HOSTS = ("ci.example.com", "hooks.example.com:8443", "127.0.0.1:8080", "[::1]:8080", "localhost:80")


def called(url: str, *, insecure: bool = False) -> str:
    """The address that is called."""
    address = parse(url)
    may_call(address, HOSTS, insecure)
    return address.url


@pytest.mark.parametrize(
    "url",
    [
        "https://ci.example.com/",
        "https://ci.example.com/jobs/%C3%A4?tag=v1.0.0&x=a+b",
        "https://ci.example.com/?x",
        "https://hooks.example.com:8443/a",
        "http://127.0.0.1:8080/",
        "https://127.0.0.1:8080/",
        "http://[::1]:8080/",
        "http://localhost/",
        "https://ci.example.com/a...b/.well-known/..x",
    ],
)
def test_what_is_on_the_list_is_called_as_it_is_written(url: str) -> None:
    assert called(url) == url


def test_a_port_that_goes_without_saying_may_be_said() -> None:
    assert called("https://ci.example.com:443") == "https://ci.example.com/"


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/",
        "https://ci.example.com.evil.example/",
        "https://xci.example.com/",
        "https://evil.ci.example.com/",
        "https://ci.example.com:8443/",
        "https://hooks.example.com/",
        "http://127.0.0.1/",
        "http://127.0.0.2:8080/",
        "http://[::2]:8080/",
        "https://localhost/",
    ],
)
def test_nothing_else_is_called(url: str) -> None:
    with pytest.raises(PermanentError, match="is not in `hosts`"):
        called(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ci.example.com",
        "//ci.example.com/",
        "ftp://ci.example.com/",
        "file:///etc/passwd",
        "HTTPS://ci.example.com/",
        "https:ci.example.com/",
        "https:/ci.example.com/",
        "https:///ci.example.com/",
        "https://CI.example.com/",
        "https://ci.example.com.",
        "https://ci.example.com./",
        "https://user@ci.example.com/",
        "https://user:password@ci.example.com/",
        "https://ci.example.com@evil.example/",
        "https://evil.example\\@ci.example.com/",
        "https://ci.example.com\\@evil.example/",
        "https://ci.example.com#@evil.example/",
        "https://ci.example.com/#part",
        "https://ci.example.com:/",
        "https://ci.example.com:0443/",
        "https://ci.example.com:0/",
        "https://ci.example.com:65536/",
        "https://ci.example.com:99999999999/",
        "https://ci.example.com:４43/",
        "https://ci.example.com /",
        " https://ci.example.com/",
        "https://ci.example.com/\n",
        "https://ci.example.com/\r\nX: y",
        "https://ci.example.com/\x00",
        "https://ci.example.com/a b",
        "https://ci.example.com/ä",
        "https://ci。example。com/",
        "https://ci.exämple.com/",
        "https://ci%2eexample.com/",
        "https://ci.example.com/%zz",
        "https://ci.example.com/%",
        "https://ci.example.com/{x}",
        "https://-ci.example.com/",
        "https://ci..example.com/",
        "https://[::1/",
        "https://[::1%25lo]:8080/",
        "https://ci.example.com/" + "a" * 9000,
    ],
)
def test_what_is_not_the_one_spelling_is_refused(url: str) -> None:
    with pytest.raises(PermanentError, match=r"^the URL"):
        called(url, insecure=True)


@pytest.mark.parametrize(
    "host",
    ["127.1:8080", "0x7f.0.0.1:8080", "0177.0.0.1:8080", "2130706433:8080", "127.0.0.01:8080", "0x7f000001:8080",
     "[0:0:0:0:0:0:0:1]:8080", "[::0001]:8080", "127.0.0.1.:8080", "[::ffff:127.0.0.1]:8080"],
)  # fmt: skip
def test_an_address_has_no_second_spelling(host: str) -> None:
    with pytest.raises(PermanentError):
        called(f"http://{host}/")


@pytest.mark.parametrize(
    "path",
    ["/..", "/jobs/../admin", "/./x", "/jobs/%2e%2e/admin", "/jobs/.%2E/x", "/jobs/..;x=y/admin", "/jobs/..%2fadmin",
     "/jobs/%2e%2e%5cadmin", "/..?x"],
)  # fmt: skip
def test_a_path_does_not_climb(path: str) -> None:
    with pytest.raises(PermanentError, match=r"holds `\.` or `\.\.`"):
        called(f"https://ci.example.com{path}")


def test_without_tls_only_this_machine_is_called() -> None:
    with pytest.raises(PermanentError, match="neither https:// nor on this machine"):
        called("http://ci.example.com/")
    assert called("http://ci.example.com/", insecure=True) == "http://ci.example.com/"


@given(st.text() | st.from_regex(r"https?://[a-z0-9.:@/\\\[\]%#?-]*", fullmatch=True))
def test_any_text_is_an_address_or_a_permanent_error(url: str) -> None:
    try:
        address = parse(url)
    except PermanentError:
        return
    assert parse(address.url).url == address.url
    assert url.isascii()


@given(st.from_regex(r"https?://([a-z.@:0-9-]*)(ci\.example\.com)([a-z.@:0-9#\\/?-]*)", fullmatch=True))
def test_whatever_is_around_it_the_host_is_the_one_on_the_list(url: str) -> None:
    try:
        text = called(url, insecure=True)
    except PermanentError:
        return
    # The library that calls it reads it in the same way.
    assert httpx2.URL(text).host == "ci.example.com"
    assert httpx2.URL(text).port is None
    assert not httpx2.URL(text).userinfo


@pytest.mark.parametrize(
    "entry", ["ci.example.com", "a", "a-b.example:1", "10.0.0.1", "[2001:db8::1]:443", "xn--4ca.de"]
)
def test_an_entry_of_the_list(entry: str) -> None:
    assert not entry_problem(entry)


@pytest.mark.parametrize(
    "entry",
    ["", "*", "*.example.com", "https://ci.example.com", "ci.example.com/", "CI.example.com", "ci.example.com:0",
     "ci.example.com:65536", "user@ci.example.com", "127.1", "010.0.0.1", "[::0]", "::1", "ci_server", "a..b"],
)  # fmt: skip
def test_what_is_no_entry(entry: str) -> None:
    assert entry_problem(entry)
