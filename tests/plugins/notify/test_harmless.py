"""Whatever a deploy prints, a chat acts on none of it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duct_tape_notify.harmless import BREAK, MAX_LINK, MAX_OUTPUT, harmless, last_lines, safe_link

# What chats act on: mentions of Discord, Slack, Mattermost, Matrix and Telegram; HTML; fences; links with a face.
ACTS = re.compile(r"@\w|<[!@#/a-zA-Z]|``|\]\(")


@pytest.mark.parametrize(
    "text",
    [
        "@everyone look",
        "@here",
        "<!channel> <!here|here>",
        "<@U024BE7LH> <@&165511591545143296> <#C024BE7LR>",
        "[your bank](https://evil.example)",
        "![x](https://evil.example/beacon.png)",
        "<script>alert(1)</script><img src=x onerror=alert(1)>",
        "```\n@all",
        "<https://evil.example|bank>",
    ],
)
def test_mentions_markup_and_links_are_broken(text: str) -> None:
    assert not ACTS.search(harmless(text))
    # People read the same.
    assert harmless(text).replace(BREAK, "") == text.replace("\n", " ")


def test_colours_and_control_characters_are_gone() -> None:
    text = "\x1b[1;31merror\x1b[0m\x07 \x1b]0;owned\x07after\x1b[2J\rover\x00\u202egnp.exe\x9b"
    assert harmless(text) == "error  after over  gnp.exe"


def test_the_last_lines_are_those_that_say_something() -> None:
    assert last_lines("1\n2\n\n3\r\n  \n4\n\n", 3) == "2\n3\n4"
    assert last_lines("1\n2", 0) == ""


def test_huge_lines_are_cut() -> None:
    shown = last_lines("x" * 10_000 + "\n" + "y" * 10_000, 20)
    assert [line[0] for line in shown.split("\n")] == ["x", "y"]
    assert all(len(line) <= 200 and line.endswith("…") for line in shown.split("\n"))


def test_many_lines_are_cut_at_the_beginning() -> None:
    shown = last_lines("\n".join(f"line {number:04} {'-' * 80}" for number in range(1000)), 200)
    assert shown.endswith("line 0999 " + "-" * 80)
    assert MAX_OUTPUT - 100 < len(shown) <= MAX_OUTPUT


@given(st.text())
def test_no_text_acts_or_moves_the_cursor(text: str) -> None:
    shown = harmless(text, 50)
    assert not ACTS.search(shown)
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)
    assert len(shown.replace(BREAK, "")) <= 50


@given(st.lists(st.sampled_from(["@", "<", "`", "]", "(", "\x1b", "[", "m", "\n", "everyone", "!"]), max_size=40))
def test_no_mixture_of_the_dangerous_ones_acts(pieces: list[str]) -> None:
    assert not ACTS.search(last_lines("".join(pieces), 20))


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "ftp://example.com/",
        "https://github.com@evil.example/",
        "https://",
        "https://[::1",
        "//example.com",
        "https://example.com/" + "x" * MAX_LINK,
    ],
)
def test_only_web_pages_are_linked(url: str) -> None:
    assert safe_link(url) == ""


def test_a_link_is_kept_and_cannot_end_early() -> None:
    url = "https://github.com/acme/shop/releases/tag/v1.2.3"
    assert safe_link(url) == url
    assert safe_link("https://a.example/x)[y](<z> @all`") == "https://a.example/x%29%5By%5D%28%3Cz%3E%20%40all%60"
    assert safe_link("https://a.example/%40acme%2Fweb") == "https://a.example/%40acme%2Fweb"


@given(st.text())
def test_no_link_acts(path: str) -> None:
    assert not ACTS.search(safe_link("https://example.com/" + path))
