"""The process that sends: ``python -m duct_tape_notify.sender``. The only module that imports apprise.

It is a process of its own because of what apprise is: at the level "debug" it and its libraries log URLs with their
tokens, it needs as much memory as the whole server, and a receiver that does not answer cannot be given up in a
thread. Here nothing is logged, the memory is given back, and the process can be killed.

One request comes on standard input, as JSON: ``urls``, ``seconds``, and with a message ``title``, ``body`` and
``kind``. For each URL the answer is lines of JSON, ``[index, word, text]``: ``name`` what it is called in messages,
and one of ``problem`` why it cannot be used, ``fine``, ``sent``, or ``failed`` and why. No text holds anything of a
URL but its service and its host.
"""

from __future__ import annotations

import difflib
import json
import logging
import re
import signal
import sys
from typing import Any, TextIO

import apprise
from apprise import NotifyFormat, NotifyType, OverflowMode
from apprise.manager_plugins import NotificationManager

_MANAGER: Any = NotificationManager
_SCHEMA = re.compile(r"\s*([a-z][a-z0-9]{1,20})://", re.IGNORECASE)
# A name of the internet, or an address: a token in the place of a host looks otherwise.
_HOST = re.compile(r"localhost|[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}|[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_CODE = re.compile(r"error=([1-5][0-9]{2})\b")


class _Reasons(logging.Handler):
    """Hears why a message was not accepted, and keeps nothing of apprise's own words."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.reason = ""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if found := _CODE.search(text):
            self.reason = f"it answered {found[1]}"
        elif "onnection error" in text:
            self.reason = "it could not be reached"


def main(incoming: TextIO, outgoing: TextIO) -> None:
    """Answer one request."""
    request = json.load(incoming)
    # Whoever asked may have died meanwhile.
    signal.alarm(int(request["seconds"]) + 2)
    reasons = _quiet()
    for index, url in enumerate(request["urls"]):

        def say(word: str, text: str = "", index: int = index) -> None:
            print(json.dumps([index, word, text]), file=outgoing, flush=True)

        service, problem = understood(url)
        if service is None:
            say("problem", problem)
            continue
        say("name", named(service))
        if "body" not in request:
            say("fine")
            continue
        reasons.reason = ""
        if _send(service, url, request):
            say("sent")
        else:
            say("failed", reasons.reason or "it did not accept the message")


def understood(url: str) -> tuple[Any, str]:
    """The service behind the URL, or None and why there is none."""
    try:
        service = apprise.Apprise.instantiate(url, asset=_asset())
    except Exception:
        # Some of its two hundred services raise on values that they do not expect.
        service = None
    return (service, "") if service else (None, _problem(url))


def named(service: Any) -> str:
    """Service and host. Where a token stands in the place of the host, the service alone."""
    name = str(service.service_name)
    host = service.host if "host" in service.template_tokens and isinstance(service.host, str) else ""
    return f"{name} at {host}" if _HOST.fullmatch(host) else name


def _problem(url: str) -> str:
    # The one list of all services; its types are not given.
    services: Any = _MANAGER()
    found = _SCHEMA.match(url)
    if not found:
        return "it is not a URL: expected `service://…`"
    schema = found[1].lower()
    if schema in ("http", "https"):
        return "apprise does not know whose web address this is: its page on the service has a URL for it"
    if schema not in services:
        near = difflib.get_close_matches(schema, services.schemas(), n=1)
        return f"apprise knows no service `{schema}`" + (f": did you mean `{near[0]}`?" if near else "")
    plugin = services[schema]
    if not plugin.enabled:
        needed = plugin.requirements.get("packages_required") or ()
        packages = " ".join(f"'{item.replace(' ', '')}'" for item in ([needed] if isinstance(needed, str) else needed))
        return f"`{schema}` needs more than is installed" + (f": pip install {packages}" if packages else "")
    return f"it is not complete, or no URL of {plugin.service_name}: apprise's page on that shows one"


def _send(service: Any, url: str, request: dict[str, Any]) -> bool:
    if "overflow=" not in url:
        # What is too long for a service is cut, where the service itself would refuse it.
        service.overflow_mode = OverflowMode.TRUNCATE
    try:
        # As plain text: apprise escapes it for services with a markup of their own.
        return bool(
            service.notify(
                title=request["title"],
                body=request["body"],
                notify_type=NotifyType(request["kind"]),
                body_format=NotifyFormat.TEXT,
            )
        )
    except Exception:
        return False


def _asset() -> apprise.AppriseAsset:
    return apprise.AppriseAsset(
        app_id="Duct Tape",
        app_desc="Duct Tape",
        app_url="",
        secure_logging=True,
        interpret_escapes=False,
        interpret_emojis=False,
        storage_mode="memory",
    )


def _quiet() -> _Reasons:
    """Nothing is logged by anybody; what apprise warns of is heard for its reason."""
    reasons = _Reasons()
    logging.getLogger().handlers = [logging.NullHandler()]
    logger = logging.getLogger("apprise")
    logger.handlers, logger.propagate = [reasons], False
    logger.setLevel(logging.WARNING)
    return reasons


if __name__ == "__main__":
    # What a service prints is no answer.
    answers, sys.stdout = sys.stdout, sys.stderr
    main(sys.stdin, answers)
