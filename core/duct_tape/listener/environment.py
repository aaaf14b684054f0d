"""The environment of ``bin/deploy``: what a script needs from the host, and what the flag says."""

from __future__ import annotations

from collections.abc import Mapping

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
    both = {**kept, **flag.environment(), MARK: claim}
    return {name.encode(): value.encode("utf-8", "surrogateescape") for name, value in both.items()}
