"""``duct-tape github send``: one signed delivery, as GitHub would make it, to one's own server."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import BinaryIO

import click

from duct_tape.api import Context, DuctTapeError, RawDelivery
from duct_tape_github import receive
from duct_tape_github.conf import GitHubConf
from duct_tape_github.sample import release_payload


def send_command(ctx: Context) -> click.Command:
    """The command for one instance."""

    @click.command("send", epilog=f"Example: duct-tape {ctx.name} send --repository acme/site --tag v1.2.3")
    @click.option("--repository", help="owner/name; by default the first that is configured.")
    @click.option("--tag", default="v1.0.0", show_default=True, help="The release's tag.")
    @click.option("--prerelease", is_flag=True, help="Mark it as a prerelease.")
    @click.option("--action", default="published", show_default=True, help="What happened to the release.")
    @click.option("--event", default="release", show_default=True, help="The event's name, with FILE.")
    @click.option("--url", default=f"{ctx.url}{ctx.prefix}", show_default=True, help="The webhook's URL.")
    @click.argument("file", required=False, type=click.File("rb"))
    @click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
    def command(
        repository: str | None,
        tag: str,
        prerelease: bool,
        action: str,
        event: str,
        url: str,
        file: BinaryIO | None,
        as_json: bool,
    ) -> int:
        """Send one signed delivery: a sample release, or the payload in FILE ("-" for standard input)."""
        conf: GitHubConf = ctx.config
        if file is not None:
            body = file.read()
        else:
            now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
            name = repository or next(iter(conf.repositories), "example/hello")
            payload = release_payload(name, tag=tag, action=action, prerelease=prerelease, published_at=now)
            body = json.dumps(payload).encode("utf-8")
        code, text = post(url, signed(event, body, conf))
        detail = f"HTTP {code}\n{text}"
        # As all commands of the core: what was done, and what a person is told.
        click.echo(json.dumps({"status": code, "answer": text, "detail": detail}, indent=2) if as_json else detail)
        return 0 if code < 300 else 1

    return command


def signed(event: str, body: bytes, conf: GitHubConf) -> RawDelivery:
    """A delivery with GitHub's signature."""
    return receive.verifier(conf.secrets).sign(receive.simulated(event, body))


def post(url: str, delivery: RawDelivery) -> tuple[int, str]:
    """Status code and body of the answer.

    :raises DuctTapeError: nobody answers there, or not in HTTP.
    """
    if not url.startswith(("http://", "https://")):
        raise DuctTapeError(f"{url!r} is not an http URL")
    try:
        request = urllib.request.Request(url, delivery.body, dict(delivery.headers), method="POST")  # noqa: S310
        with _opener(request.host).open(request, timeout=10) as answer:
            return answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode("utf-8", "replace")
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise DuctTapeError(f"nobody answers at {url} ({reason}): is `duct-tape serve` running?") from None
    except (http.client.HTTPException, ValueError) as error:
        raise DuctTapeError(f"no web server answers at {url} ({str(error)[:200] or 'not HTTP'})") from None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """As at GitHub: a redirect is the answer, and never followed."""

    def redirect_request(self, *arguments: object) -> None:
        return None


def _opener(host: str) -> urllib.request.OpenerDirector:
    # A proxy for the rest of the world does not reach this machine's own addresses.
    here = host.startswith(("127.", "localhost", "[::1]"))
    return urllib.request.build_opener(_NoRedirects, *([urllib.request.ProxyHandler({})] if here else []))
