"""The core's own sections of the configuration. Plugins bring a class for theirs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from attrs import field, frozen

from duct_tape.conf.options import Address, HttpUrl, Proxy, Seconds, Size, option
from duct_tape.conf.sources import Sources
from duct_tape.secret import Secret

BYTES = 1
KIBIBYTES = 1024 * BYTES
MEBIBYTES = 1024 * KIBIBYTES
SECONDS = 1.0
DAY = 24 * 3600 * SECONDS
BIND = "DUCT_TAPE_BIND"


def _default_bind() -> tuple[Address, ...]:
    # The image sets it: inside a container the loopback address reaches nobody.
    text = os.environ.get(BIND) or "127.0.0.1:9000"
    return tuple(Address(part.strip()) for part in text.split(","))


def bind_variable(data: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> str:
    """The environment variable that decides where the server listens; empty if a file does, or nobody.

    :param data: the whole configuration, as it was read.
    """
    server = data.get("server")
    written = isinstance(server, Mapping) and "bind" in server
    return "" if written or not environ.get(BIND) else BIND


@frozen(kw_only=True)
class ServerConf:
    """The public socket."""

    bind: tuple[Address, ...] = option(
        "Addresses to listen on: `host:port`, `[v6]:port` or `unix:/path`.",
        factory=_default_bind,
        shown='["127.0.0.1:9000"], in the image ["0.0.0.0:9000"] (environment variable `DUCT_TAPE_BIND`)',
    )
    public_url: HttpUrl | None = option(
        "The address under which senders reach this server, such as `https://hooks.example.com`. Shown to people, "
        "and tells plugins which webhook of a sender calls this server; never trusted.",
        default=None,
    )
    max_body: Size = option(
        "Largest request body in bytes. GitHub sends at most 25 MB.", default=25 * MEBIBYTES, shown="26214400"
    )
    max_bodies: Size = option(
        "Bytes that the bodies of all requests may take together, beyond 128 KiB of each. More are answered 503.",
        default=Size(48 * MEBIBYTES),
        shown="50331648",
    )
    body_timeout: Seconds = option("Seconds that a request's body may take to arrive.", default=15 * SECONDS)
    max_header: Size = option(
        "Bytes that the first line and the headers of a request may have together. More are answered 431, as are "
        "more than 100 headers.",
        default=Size(16 * KIBIBYTES),
        shown="16384",
    )
    header_timeout: Seconds = option(
        "Seconds in which a new connection must have sent everything in front of the body, and a kept one from the "
        "first byte of another request on. Then it is closed.",
        default=Seconds(10 * SECONDS),
    )
    request_timeout: Seconds = option(
        "Seconds that a request may take altogether once its headers are there, until its answer was taken. Then the "
        "connection is closed.",
        default=Seconds(60 * SECONDS),
    )
    idle_timeout: Seconds = option(
        "Seconds that a connection is kept for another request. Longer than your proxy keeps it, so that the proxy "
        "never sends a release on a connection that is being closed.",
        default=Seconds(150 * SECONDS),
    )
    max_connections: Size = option(
        "How many connections there may be. One more takes the place of the one that has waited longest for its peer.",
        default=Size(1000),
    )
    max_connections_per_address: Size = option(
        "The same for one address, or one /64 network of IPv6. It does not hold for this machine's own addresses, "
        "for Unix sockets and for `trusted_proxies`.",
        default=Size(100),
    )
    trusted_proxies: tuple[Proxy, ...] = option(
        'Addresses and networks of your proxies, such as `["127.0.0.1", "10.0.0.0/8"]`, and `"unix"` for whoever '
        "connects by a Unix socket. Only from these `X-Forwarded-For` is believed.",
        default=(),
    )
    max_refused_per_minute: Size | None = option(
        "How many requests to integrations one address (or /64 network of IPv6) may send in a minute that are refused "
        "with a 4xx. Above it all its requests are answered 429. Set it only when `trusted_proxies` names your proxy: "
        "otherwise all senders have the proxy's address. Without it there is no limit.",
        default=None,
    )
    shutdown_timeout: Seconds = option(
        "Seconds after SIGTERM in which requests and runs in flight may end. What has not ended by then is "
        "carried out after the next start.",
        default=8 * SECONDS,
    )


@frozen(kw_only=True)
class VolumeConf:
    """The folder that the server and the host's listener share."""

    path: Path = option("The folder in which flags are left.", default=Path("shared_volume"))
    listener_timeout: float = option(
        "Seconds that a flag may wait for a listener before `/readyz` turns red and the log says so; and that a "
        "listener may give no sign of life before a deploy that it has begun counts as lost.",
        default=10 * 60 * SECONDS,
    )
    deploy_timeout: float = option(
        "Seconds after which a deploy whose end nobody has told is taken for lost. Longer than the listener's own "
        "time limit.",
        default=2 * 3600 * SECONDS,
    )


@frozen(kw_only=True)
class JournalConf:
    """The durable store of deliveries and runs."""

    path: Path = option(
        "The journal's file. It must be on a local file system, never on NFS.",
        default=Path("var/journal.sqlite3"),
    )
    max_waiting: Size = option(
        "How many runs may wait to be carried out. Above it deliveries are answered 503.", default=Size(10_000)
    )
    max_waiting_bytes: Size = option(
        "Bytes that the deliveries of waiting runs may take together. Above it deliveries are answered 503.",
        default=Size(256 * MEBIBYTES),
        shown="268435456",
    )
    keep_days: Size = option(
        "Days after which a run that has ended, and its delivery, may be forgotten. The last good run of each "
        "application is kept for ever.",
        default=Size(90),
    )
    keep_runs: Size = option(
        "How many of the latest runs, and of the latest deliveries, are kept at most.", default=Size(10_000)
    )


@frozen(kw_only=True)
class AdminConf:
    """A second socket for operators. Without this section there is none."""

    bind: tuple[Address, ...] = option(
        "Addresses to listen on.", default=(Address("127.0.0.1:9001"),), shown='["127.0.0.1:9001"]'
    )
    token: Secret = option("Sent by the operator as `Authorization: Bearer TOKEN`.")


@frozen(kw_only=True)
class LogConf:
    """What the server writes to standard error: one line per event."""

    level: Literal["debug", "info", "warning", "error"] = option("The least level that is written.", default="info")
    format: Literal["console", "json"] = option("`console` for people, `json` for machines.", default="console")


@frozen(kw_only=True)
class CoreConf:
    """All sections but ``[triggers]`` and ``[plugins]``, whose keys depend on the plugins."""

    server: ServerConf = field(factory=ServerConf)
    volume: VolumeConf = VolumeConf()
    journal: JournalConf = JournalConf()
    admin: AdminConf | None = None
    log: LogConf = LogConf()


@frozen(kw_only=True)
class PluginTable:
    """One ``[plugins.<instance>]`` table, not yet structured.

    :param instance: the table's name; also the URL and the logger's name.
    :param plugin: the plugin's entry-point name, from ``use`` or else the instance's name.
    :param allow_from: the only addresses, networks and names from which requests are taken; None for all.
    """

    instance: str
    plugin: str
    allow_from: tuple[str, ...] | None = None
    data: Mapping[str, Any] = field(repr=False)


@frozen(kw_only=True)
class TriggerTable:
    """One ``[triggers.<name>]`` table, not yet structured."""

    name: str
    action: str
    data: Mapping[str, Any] = field(repr=False)


@frozen(kw_only=True)
class Configuration:
    """The configuration as far as it is known before any plugin is imported."""

    sources: Sources
    core: CoreConf = field(factory=CoreConf)
    triggers: tuple[TriggerTable, ...] = ()
    plugins: tuple[PluginTable, ...] = ()

    @property
    def trigger_names(self) -> tuple[str, ...]:
        """Every name under ``[triggers]``, also of the tables that are wrong themselves."""
        section = self.sources.data.get("triggers")
        return tuple(section) if isinstance(section, dict) else ()
