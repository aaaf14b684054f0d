"""``duct-tape <instance> send``: one signed delivery, as the sender would make it, to one's own server."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from typing import BinaryIO

import click
from attrs import evolve

from duct_tape.assembly import Assembly
from duct_tape.cli.options import json_option, print_json
from duct_tape.delivery import RawDelivery
from duct_tape.errors import DuctTapeError
from duct_tape.plugins.instance import Instance
from duct_tape.results import moment
from duct_tape.senders import first_sample, receiver_of, sample_delivery


def send_command(assembly: Assembly, instance: Instance, url: str) -> click.Command:
    """The command for one instance.

    :param url: where this server answers, without a path.
    """
    name = instance.name

    @click.command("send", epilog=f"Example: duct-tape {name} send --repository acme/site --tag v1.2.3")
    @click.option("--repository", help="owner/name; by default the first that is configured.")
    @click.option("--tag", help="The version's tag, or its branch.")
    @click.option("--kind", help="What is published: release, tag, branch, package or build.")
    @click.option("--prerelease", is_flag=True, help="Mark it as a prerelease.")
    @click.option("--action", default="", help="What happened, in the sender's word.")
    @click.option("--event", default="", help="The event's name, with FILE.")
    @click.option("--url", default=f"{url}{instance.prefix}", show_default=True, help="The webhook's URL.")
    @click.argument("file", required=False, type=click.File("rb"))
    @json_option
    def command(
        repository: str | None, tag: str | None, kind: str | None, prerelease: bool, action: str, event: str, url: str,
        file: BinaryIO | None, as_json: bool,
    ) -> int:  # fmt: skip
        """Send one signed delivery: a sample, or the payload in FILE ("-" for standard input)."""
        if file is not None:
            receiver = receiver_of(assembly, name)
            delivery = receiver.verifier.sign(receiver.simulated(event, file.read()))
        else:
            given = {key: value for key, value in {"repository": repository, "tag": tag, "kind": kind}.items() if value}
            now = moment(time.time())
            sample = evolve(
                first_sample(assembly, name), prerelease=prerelease, action=action, published_at=now, **given
            )
            delivery = sample_delivery(assembly, name, sample)
        code, text = post(url, delivery)
        detail = f"HTTP {code}\n{text}"
        if as_json:
            # As all commands: what was done, and what a person is told.
            print_json({"status": code, "answer": text, "detail": detail})
        else:
            click.echo(detail)
        return 0 if code < 300 else 1

    return command


def post(url: str, delivery: RawDelivery) -> tuple[int, str]:
    """Status code and body of the answer.

    :param url: without the delivery's own path. That may be the secret, so no error shows it.
    :raises DuctTapeError: nobody answers there, or not in HTTP.
    """
    if not url.startswith(("http://", "https://")):
        raise DuctTapeError(f"{url!r} is not an http URL")
    try:
        request = urllib.request.Request(url + delivery.path, delivery.body, dict(delivery.headers), method="POST")  # noqa: S310
        with _opener(request.host).open(request, timeout=10) as answer:
            return answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode("utf-8", "replace")
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise DuctTapeError(f"nobody answers at {url} ({reason}): is `duct-tape serve` running?") from None
    except (http.client.HTTPException, ValueError) as error:
        # The library's own words may name the whole address.
        said = str(error)[:200] if not delivery.path else ""
        raise DuctTapeError(f"no web server answers at {url} ({said or 'not HTTP'})") from None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """As at GitHub: a redirect is the answer, and never followed."""

    def redirect_request(self, *arguments: object) -> None:
        return None


def _opener(host: str) -> urllib.request.OpenerDirector:
    # A proxy for the rest of the world does not reach this machine's own addresses.
    here = host.startswith(("127.", "localhost", "[::1]"))
    return urllib.request.build_opener(_NoRedirects, *([urllib.request.ProxyHandler({})] if here else []))
