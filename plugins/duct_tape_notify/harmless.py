"""Text from outside, made fit for a chat.

Names, tags and the output of a deploy were written by others. A chat would read more into them than text: a mention
of everybody, a link with a false face, a control character.
"""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

MAX_LINE = 200
MAX_OUTPUT = 1200
MAX_LINK = 500
BREAK = "\u200b"

# Colours and cursor movements of terminals: CSI, OSC, and the short ones.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
# Also what is invisible or turns the direction of writing.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
# Where a chat would begin a mention (@everyone, <!channel>, <@U1>), a tag, a fence or the target of a link.
_SPECIAL = re.compile(r"(?<=[@<`\]])")


def harmless(text: str, limit: int = MAX_LINE) -> str:
    """The text on one line, at most ``limit`` characters, with nothing in it that a chat acts on.

    A zero-width space breaks what would be a mention, markup or a link; people read the same text.
    """
    line = _CONTROL.sub(" ", _ESCAPES.sub("", text[: limit * 20]))
    if len(line) > limit:
        line = f"{line[: limit - 1]}…"
    return _SPECIAL.sub(BREAK, line).strip()


def last_lines(output: str, count: int) -> str:
    """The last lines of a deploy's output that are not empty, each harmless; the last ones count most."""
    lines: list[str] = []
    size = 0
    for line in reversed(re.split(r"[\r\n]+", output)):
        if len(lines) >= count or size >= MAX_OUTPUT:
            break
        if text := harmless(line, min(MAX_LINE, MAX_OUTPUT - size)):
            lines.insert(0, text)
            size += len(text) + 1
    return "\n".join(lines)


def safe_link(url: str) -> str:
    """The URL with everything escaped that a chat could read as markup; empty if it is no web page's."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or len(url) > MAX_LINK:
        return ""
    return quote(url.encode("utf-8", "replace"), safe="/:?#=&%+,;~-._")
