"""What most senders put into a delivery, read the same way for all of them. Total functions."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime

from duct_tape.delivery import RawDelivery
from duct_tape.errors import MalformedError, UnsupportedMediaError
from duct_tape.payload import member, parse_form
from duct_tape.types import JSONObject

# Long enough for every id that is known; it goes into answers, logs and the journal.
WORD = r"[!-~]{1,200}"
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_JSON = re.compile(r"application/(?:[a-z0-9.-]{1,60}\+)?json")


def json_bytes(delivery: RawDelivery, *, form: str | None = None) -> bytes:
    """The JSON of a delivery as bytes, by its content type.

    :param form: the field that holds the JSON where the body is a form; None where the sender knows no forms.
    :raises UnsupportedMediaError: the content type is another.
    :raises MalformedError: the form has that field not exactly once.
    """
    media, _, parameters = (delivery.value("Content-Type") or "").partition(";")
    charset = parameters.strip().lower().replace('"', "")
    if charset not in ("", "charset=utf-8"):
        raise UnsupportedMediaError("only UTF-8 is read")
    if _JSON.fullmatch(media.strip().lower()):
        return delivery.body
    if form is not None and media.strip().lower() == "application/x-www-form-urlencoded":
        return parse_form(delivery.body, form)
    raise UnsupportedMediaError("set the webhook's content type to application/json")


def header(delivery: RawDelivery, name: str, form: str = WORD) -> str:
    """The value of a header that the sender always sends, once.

    :param form: regular expression that the whole value has to match; by default up to 200 printable characters
        without spaces.
    :raises MalformedError: it is missing, there twice, or of another form.
    """
    value = delivery.value(name)
    if value is None or not re.fullmatch(form, value):
        raise MalformedError(f"the header {name} is missing or not as the sender sends it")
    return value


def identity(delivery: RawDelivery, *headers: str) -> str:
    """The id of a delivery: the first of these headers that it has, or else a digest of its body.

    A sender without ids makes the same delivery twice when it sends the same bytes twice.
    """
    for name in headers:
        value = delivery.value(name)
        if value is not None and re.fullmatch(WORD, value):
            return value
    return hashlib.sha256(delivery.body).hexdigest()


def moment(payload: JSONObject, path: str) -> str | None:
    """The time at a dotted path in one form that sorts by age, RFC 3339 in UTC; None for null.

    :raises MalformedError: it is not a time with a zone.
    """
    text = member(payload, path, str, null=True)
    if text is None:
        return None
    try:
        # GitLab's form is `2020-11-02 12:55:12 UTC`.
        time = datetime.fromisoformat(text.removesuffix(" UTC") + ("Z" if text.endswith(" UTC") else ""))
        if time.tzinfo is None:
            raise ValueError
        return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (ValueError, OverflowError):
        raise MalformedError(f"`{path}` is not a time") from None


def commit(payload: JSONObject, path: str) -> str:
    """The whole name of a Git object at a dotted path, also the zeros that stand for none.

    :raises MalformedError: it is anything else.
    """
    text = member(payload, path, str)
    if not _COMMIT.fullmatch(text):
        raise MalformedError(f"`{path}` is no commit")
    return text
