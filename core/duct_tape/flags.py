"""The flag: the one line of JSON that an action leaves in the shared volume for the host.

The container writes it, the listener reads it, and neither trusts the other: reading never raises.
"""

from __future__ import annotations

import json
import re

from attrs import asdict, fields, frozen

# A flag that Duct Tape writes has a few hundred bytes. The listener reads no more than this of any file.
MAX_FLAG_BYTES = 64 * 1024
_IMPOSSIBLE = re.compile("[\0\ud800-\udfff]")


@frozen(kw_only=True)
class Flag:
    """What a flag says about the deploy that it asks for."""

    run: str
    application: str
    trigger: str = ""
    integration: str = ""
    delivery: str = ""
    repository: str = ""
    tag: str = ""
    prerelease: bool = False
    url: str = ""
    commit: str = ""
    requested_at: str = ""

    def to_line(self) -> str:
        """One line of JSON with a line end."""
        return json.dumps(asdict(self), ensure_ascii=False) + "\n"

    def environment(self) -> dict[str, str]:
        """Each member as a variable for a program: ``DUCT_TAPE_RUN``, ``DUCT_TAPE_TAG``, …"""
        return {f"DUCT_TAPE_{name.upper()}": _variable(value) for name, value in asdict(self).items()}

    @classmethod
    def parse(cls, content: bytes) -> Flag | None:
        """The flag in a file's content, or None when the content is anything else.

        Unknown keys are left out and missing ones take their default, so that an older listener reads a
        newer server's flags. A value of the wrong type makes the whole content "anything else", and so does a text
        that no file name, environment or terminal can hold: one with a NUL or with half a character.
        """
        try:
            data = json.loads(content[: MAX_FLAG_BYTES + 1].decode("utf-8"))
        except (ValueError, RecursionError):
            return None
        if not isinstance(data, dict):
            return None
        known = {field.name: data[field.name] for field in fields(cls) if field.name in data}
        for name, value in known.items():
            if not isinstance(value, bool if name == "prerelease" else str):
                return None
            if isinstance(value, str) and _IMPOSSIBLE.search(value):
                return None
        return cls(**known) if known.get("run") and known.get("application") else None


def _variable(value: str | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    # No environment can hold a NUL, and JSON can hold text that is not valid Unicode.
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")
