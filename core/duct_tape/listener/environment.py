"""The environment of ``bin/deploy``: what a script needs from the host, and what the flag says."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import asdict

from duct_tape.flags import Flag

# Nothing else is handed down: a secret in the listener's environment is not a script's business.
KEPT = (
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "XDG_RUNTIME_DIR",
    "DOCKER_HOST",
)
# By this a later listener finds what a killed one has left running.
MARK = "DUCT_TAPE_CLAIM"
_DEFAULTS = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


def environment(flag: Flag, claim: str, ours: Mapping[str, str]) -> dict[bytes, bytes]:
    """What ``bin/deploy`` sees: ``DUCT_TAPE_RUN``, ``DUCT_TAPE_TAG``, … beside the kept part of ``ours``.

    :param claim: the id of the flag's claim.
    """
    kept = {**_DEFAULTS, **{name: ours[name] for name in KEPT if name in ours}}
    said = {f"DUCT_TAPE_{name.upper()}": _text(value) for name, value in asdict(flag).items()}
    return {
        **{name.encode(): value.encode("utf-8", "surrogateescape") for name, value in kept.items()},
        **{name.encode(): value for name, value in said.items()},
        MARK.encode(): claim.encode(),
    }


def _text(value: str | bool) -> bytes:
    if isinstance(value, bool):
        return b"true" if value else b"false"
    # No environment can hold a NUL, and JSON can hold text that is not valid Unicode.
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace")
