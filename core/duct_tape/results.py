"""The result: what the listener writes back about a deploy, and what the server makes of it.

The host writes it, the container reads it, and the folder is shared: reading never raises.
"""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias, get_args

from attrs import asdict, fields, frozen

from duct_tape.flags import Flag

State: TypeAlias = Literal["deploying", "deployed", "failed", "timed out", "superseded", "refused", "cancelled"]

# The listener keeps the last lines in some kilobytes. The server reads no more than this of any file.
MAX_RESULT_BYTES = 256 * 1024
MAX_OUTPUT = 16 * 1024

_MOMENT = re.compile(r"[0-9T:.+Z-]{1,40}")
# Nothing that is compared or stored holds these; neither a database nor a terminal takes half a character.
_BROKEN = re.compile(r"[\ud800-\udfff\x00]")
_KINDS: dict[str, tuple[type, ...]] = {
    "run": (str,),
    "application": (str,),
    "tag": (str,),
    "state": (str,),
    "exit_code": (int, type(None)),
    "started_at": (str, type(None)),
    "finished_at": (str, type(None)),
    "duration": (float, int, type(None)),
    "output": (str,),
}


@frozen(kw_only=True)
class Result:
    """What is known about a run at the moment.

    :param exit_code: of ``bin/deploy``; 128 + n when signal n ended it; None when it has none.
    :param output: the last lines that it printed, or the listener's own sentence.
    """

    run: str
    application: str
    tag: str = ""
    state: State
    exit_code: int | None = None
    started_at: str | None = None
    finished_at: str | None = None
    duration: float | None = None
    output: str = ""

    @classmethod
    def of(cls, flag: Flag, state: State, **known: Any) -> Result:
        return cls(run=flag.run, application=flag.application, tag=flag.tag, state=state, **known)

    @classmethod
    def unstarted(cls, flag: Flag, state: State, output: str) -> Result:
        """The result of a flag whose deploy never started, with a sentence that says why."""
        return cls.of(flag, state, finished_at=moment(time.time()), output=output)

    @classmethod
    def ended(cls, flag: Flag, state: State, begun: float, **known: Any) -> Result:
        """The result of what ends now.

        :param begun: seconds since the epoch.
        """
        now = time.time()
        # The clock may have been set back meanwhile.
        duration = round(max(0.0, now - begun), 3)
        return cls.of(flag, state, started_at=moment(begun), finished_at=moment(now), duration=duration, **known)

    def to_line(self) -> bytes:
        return json.dumps(asdict(self)).encode("ascii") + b"\n"

    @classmethod
    def parse(cls, content: bytes) -> Result | None:
        """The result in a file's content, or None when the content is anything else.

        Unknown keys are left out, so that an older server reads a newer listener's results. A value of the wrong
        type, or out of all proportion, makes the whole content "anything else"; long output is cut to its end.
        """
        try:
            data = json.loads(content[: MAX_RESULT_BYTES + 1].decode("utf-8"))
        except (ValueError, RecursionError):
            return None
        if not isinstance(data, dict):
            return None
        known = {field.name: data[field.name] for field in fields(cls) if field.name in data}
        if not {"run", "application", "state"} <= known.keys() or not _sound(known):
            return None
        known["output"] = known.get("output", "")[-MAX_OUTPUT:].encode("utf-8", "replace").decode("utf-8")
        return cls(**known)

    @property
    def final(self) -> bool:
        """Whether nothing more is to come."""
        return self.state != "deploying"


def _sound(known: dict[str, Any]) -> bool:
    for name, value in known.items():
        # `type() in`, since True is an instance of int.
        if type(value) not in _KINDS[name]:
            return False
    moments = (known.get("started_at"), known.get("finished_at"))
    duration, code = known.get("duration"), known.get("exit_code")
    return (
        known["state"] in get_args(State)
        and all(moment is None or _MOMENT.fullmatch(moment) for moment in moments)
        and not any(_BROKEN.search(known.get(name, "")) for name in ("run", "application", "tag"))
        # Compared as it is: a whole number of any length is no float, and what is not finite is in no range.
        and (duration is None or 0 <= duration < 1e9)
        and (code is None or -256 <= code <= 256)
    )


def moment(seconds: float) -> str:
    """A time as RFC 3339 in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
