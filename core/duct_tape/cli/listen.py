"""``duct-tape listen``: on the host, answer flags by running ``bin/deploy``."""

from __future__ import annotations

import asyncio
import logging
import math
from pathlib import Path

import click

from duct_tape.listener.names import printable
from duct_tape.listener.service import listen
from duct_tape.listener.settings import Settings


class LineFormatter(logging.Formatter):
    """One line per event, without a time (the journal has it), and with nothing in it that moves the cursor."""

    def format(self, record: logging.LogRecord) -> str:
        lines = super().format(record).split("\n") if record.exc_info else [record.getMessage()]
        kind = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        return kind + "\n".join(printable(line) for line in lines)


def _finite(context: click.Context, option: click.Parameter, seconds: float) -> float:
    """Nothing can wait for "nan" seconds, and a range alone lets them pass."""
    if not math.isfinite(seconds):
        raise click.BadParameter(f"{seconds} is not a number of seconds.", context, option)
    return seconds


@click.command(epilog="Example: duct-tape listen --volume /srv/duct-tape/shared_volume --applications /srv")
@click.option(
    "--volume",
    type=click.Path(path_type=Path),
    envvar="DUCT_TAPE_VOLUME",
    required=True,
    show_envvar=True,
    help="The folder that the container leaves flags in.",
)
@click.option(
    "--applications",
    type=click.Path(path_type=Path),
    envvar="DUCT_TAPE_APPLICATIONS",
    required=True,
    show_envvar=True,
    help="The folder that holds one folder per application, each with bin/deploy.",
)
@click.option("--once", is_flag=True, help="Answer what is there now; exit code 0 if all of it was deployed.")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 64),
    default=4,
    envvar="DUCT_TAPE_CONCURRENCY",
    show_default=True,
    help="How many applications are deployed at the same time.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    callback=_finite,
    default=3600.0,
    envvar="DUCT_TAPE_TIMEOUT",
    show_default=True,
    help="Seconds that one deploy may take.",
)
@click.option(
    "--grace",
    type=click.FloatRange(0),
    callback=_finite,
    default=60.0,
    envvar="DUCT_TAPE_GRACE",
    show_default=True,
    help="Seconds that running deploys may go on after SIGTERM or Ctrl-C.",
)
@click.option(
    "--kill-after",
    type=click.FloatRange(0),
    callback=_finite,
    default=10.0,
    envvar="DUCT_TAPE_KILL_AFTER",
    show_default=True,
    help="Seconds between SIGTERM and SIGKILL for a deploy that must end.",
)
def command(
    volume: Path,
    applications: Path,
    once: bool,
    concurrency: int,
    timeout: float,
    grace: float,
    kill_after: float,
) -> int:
    """Answer flags by running bin/deploy, on the host.

    For a flag NAME in the volume it runs APPLICATIONS/NAME/bin/deploy, one deploy per application at a time.
    """
    settings = Settings(
        volume=volume,
        applications=applications,
        concurrency=concurrency,
        timeout=timeout,
        grace=grace,
        kill_after=kill_after,
    )
    _log_to_stderr()
    return 0 if asyncio.run(listen(settings, once=once)) or not once else 1


def _log_to_stderr() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter())
    logger = logging.getLogger("duct_tape")
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
