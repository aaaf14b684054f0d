"""What is sent for a run. Nothing here does any I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from attrs import field, frozen

from duct_tape.api import PermanentError, Run, Secret
from duct_tape_http_request.address import Address, may_call, parse
from duct_tape_http_request.conf import HttpRequestConf, HttpRequestSettings

MAX_VALUE = 8192
# A shorter word of a secret, such as `Basic`, is none itself.
MIN_SECRET = 8
HIDDEN = "(hidden)"

_VALUE = re.compile(r"[ -~]*")
_WITHOUT_BODY = frozenset({"GET", "DELETE"})


@frozen(kw_only=True)
class Request:
    """Everything of one request.

    :param shown: scheme, host and path, for messages; of a secret URL only the host.
    :param secrets: what must not be shown, wherever it turns up.
    """

    method: str
    shown: str
    body: bytes = field(repr=False)
    address: Address = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)

    def masked(self, text: str) -> str:
        """The text without any secret of this request."""
        for secret in self.secrets:
            text = text.replace(secret, HIDDEN)
        return text


def request_of(run: Run, settings: HttpRequestSettings, conf: HttpRequestConf) -> Request:
    """The request that tells of a run.

    :raises PermanentError: a template cannot be rendered, or what it gives cannot be sent.
    """
    address = _address(run, settings)
    may_call(address, conf.hosts, conf.insecure)
    body = _body(run, settings)
    secret = settings.secret_url is not None
    return Request(
        method=settings.method,
        address=address,
        shown=f"{address.origin}/…" if secret else f"{address.origin}{address.path[:200]}",
        headers=_headers(run, settings, bool(body)),
        body=body,
        secrets=tuple(sorted(_secrets(settings, address), key=len, reverse=True)),
    )


def preview(request: Request) -> Mapping[str, str]:
    """The request, line by line, without secrets."""
    headers = "\n".join(request.masked(f"{name}: {value}") for name, value in request.headers.items())
    url = request.shown if request.address.url in request.secrets else request.address.url
    return {"request": f"{request.method} {url}", "headers": headers, "body": request.body.decode("utf-8")}


def _address(run: Run, settings: HttpRequestSettings) -> Address:
    if settings.secret_url is not None:
        return parse(_revealed(settings.secret_url))
    # One of the two is there: the configuration says so.
    return parse(settings.url.render(run.variables()) if settings.url else "")


def _body(run: Run, settings: HttpRequestSettings) -> bytes:
    if settings.body is not None:
        return settings.body.render(run.variables()).encode("utf-8")
    return b"" if settings.method in _WITHOUT_BODY else run.flag().to_line().encode("utf-8", "replace")


def _headers(run: Run, settings: HttpRequestSettings, body: bool) -> dict[str, str]:
    """The headers; what the operator chose takes the place of what is sent otherwise."""
    chosen = {name: template.render(run.variables()).strip() for name, template in settings.headers.items()}
    chosen |= {name: _revealed(secret) for name, secret in settings.secret_headers.items()}
    if settings.token is not None:
        chosen["Authorization"] = f"Bearer {_revealed(settings.token)}"
    for name, value in chosen.items():
        if not _VALUE.fullmatch(value) or len(value) > MAX_VALUE:
            raise PermanentError(
                f"the header `{name}` cannot hold this value: only printable ASCII, and at most {MAX_VALUE} characters "
                "(the filter `urlencode` makes that of any text)"
            )
    # The same for every attempt, also after a crash, so that the other side can tell a repetition from a second run:
    # https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
    usual = {"User-Agent": "duct-tape", "Accept": "*/*", "Idempotency-Key": f'"{run.id}"'}
    if body:
        usual["Content-Type"] = "application/json"
    names = {name.lower() for name in chosen}
    # Nothing is unpacked, so that a small answer cannot become a large one.
    return {
        **{name: value for name, value in usual.items() if name.lower() not in names},
        **{name: value for name, value in chosen.items() if name.lower() != "accept-encoding"},
        "Accept-Encoding": "identity",
    }


def _secrets(settings: HttpRequestSettings, address: Address) -> Iterator[str]:
    if settings.secret_url is not None:
        yield address.url
        yield from (part for part in re.split(r"[/?&=]", address.rest) if len(part) >= MIN_SECRET)
    for secret in (settings.token, *settings.secret_headers.values()):
        if secret is not None and (value := _revealed(secret)):
            yield value
            yield from (word for word in value.split() if len(word) >= MIN_SECRET)


def _revealed(secret: Secret) -> str:
    # A file ends with a line end, which is not meant.
    return secret.reveal().decode("utf-8", "replace").strip()
