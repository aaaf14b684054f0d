"""What a message says."""

from __future__ import annotations

import re
import time
from typing import Any

from attrs import frozen

from duct_tape.api import Run, Template
from duct_tape_notify.harmless import harmless, last_lines, safe_link
from duct_tape_notify.history import News

MAX_TITLE = 200

TITLE = "{{ application }}{% if tag %} {{ tag }}{% endif %}: {{ state }}"
MESSAGE = Template(
    """\
{% if exit_code and detail.startswith("bin/deploy") %}\
bin/deploy ended with exit code {{ exit_code }}{% if duration %} after {{ duration }}{% endif %}.\
{% else %}{{ detail }}{% endif %}
{% if state == "recovered" %}Before it, {{ times }} run{% if times > 1 %}s{% endif %} failed since {{ since }}.
{% elif times > 1 %}The same happened {{ times }} times since {{ since }}.
{% endif %}
run {{ run }}{% if repository %} of {{ repository }}{% endif %}
{{ link }}

{% if output %}Last lines:
{{ output }}{% endif %}"""
)


@frozen(kw_only=True)
class Message:
    """One message, for every receiver.

    :param kind: apprise's word, which chats show as a colour: ``failure``, ``success`` or ``info``.
    :param about: application, version and outcome, for the log.
    """

    title: str
    body: str
    kind: str
    about: str


def compose(title: Template, body: Template | None, variables: dict[str, Any], kind: str) -> Message:
    """The message that the templates make.

    :raises TemplateError: a template cannot be rendered with these values.
    """
    headline = " ".join(title.render(variables).split())[:MAX_TITLE]
    text = re.sub(r"\n{3,}", "\n\n", (body or MESSAGE).render(variables)).strip()
    about = " ".join(part for part in (variables["application"], variables["tag"], variables["state"]) if part)
    # No service takes a message without a text.
    return Message(title=headline, body=text or headline or about, kind=kind, about=about)


def variables_of(run: Run, news: News, lines: int) -> dict[str, Any]:
    """What the templates see. Nothing is ever undefined: what is not known is an empty text."""
    result, release = run.result, run.event.release
    exit_code = "" if result is None or result.exit_code is None else str(result.exit_code)
    return {
        "application": harmless(run.application),
        "trigger": harmless(run.trigger),
        "state": news.state,
        "tag": harmless(release.tag) if release else "",
        "repository": harmless(run.event.repository),
        "run": run.id,
        "duration": "" if result is None or result.duration is None else duration(result.duration),
        "exit_code": exit_code,
        "link": safe_link(release.url or "") if release else "",
        "detail": harmless(run.detail),
        "output": last_lines(result.output, lines) if result else "",
        "times": news.times,
        "since": moment(news.since),
    }


def duration(seconds: float) -> str:
    """A time span as people say it."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def moment(seconds: float) -> str:
    """A moment, to the minute."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))


_SAMPLE: dict[str, Any] = {
    "application": "shop.example.com",
    "trigger": "deploy",
    "state": "failed",
    "tag": "v1.2.3",
    "repository": "acme/shop",
    "run": "01a9ec5c2f6b9d3c7a10",
    "duration": "12.3 s",
    "exit_code": "1",
    "link": "https://github.com/acme/shop/releases/tag/v1.2.3",
    "detail": "bin/deploy failed with exit code 1 after 12.3 s: no space left on device",
    "output": "pulling the image\nno space left on device",
    "times": 1,
    "since": "2026-01-02 03:04 UTC",
}
# A deploy that failed, a run that never came to one, and a recovery.
SAMPLES: tuple[dict[str, Any], ...] = (
    _SAMPLE,
    {
        **_SAMPLE,
        "state": "refused",
        "detail": "freeze: not on Fridays",
        "tag": "",
        "repository": "",
        "duration": "",
        "exit_code": "",
        "link": "",
        "output": "",
    },
    {**_SAMPLE, "state": "recovered", "exit_code": "0", "times": 3},
)


def sample(application: str | None, state: str | None) -> dict[str, Any]:
    """The values of a message that tries the way."""
    return {
        **_SAMPLE,
        "application": harmless(application or _SAMPLE["application"]),
        "state": state or _SAMPLE["state"],
        "exit_code": "",
        "detail": "This is a test: nothing was deployed.",
        "output": "This is a test: nothing was deployed.",
    }
