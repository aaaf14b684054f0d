"""The action ``touch-file``: leaves a flag in the shared volume for the host's listener."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from attrs import frozen

from duct_tape.api import (
    Action,
    Check,
    Context,
    Flag,
    Outcome,
    PermanentError,
    Run,
    RunState,
    Template,
    hookimpl,
    option,
    safe_name,
)

DUCT_TAPE_API = (1, 0)

# The listener writes its heartbeat every few seconds.
HEARTBEAT_SECONDS = 60.0
# The listener reads no more of a flag.
MAX_BYTES = 64 * 1024


@frozen(kw_only=True)
class TouchFileConf:
    """The plugin's table, ``[plugins.touch-file]``."""

    expect_listener: bool = option(
        "Whether `/readyz` is red while no listener looks after the volume. Set it to false if scripts of your own "
        "watch the folder.",
        default=True,
    )


@frozen(kw_only=True)
class TouchFileSettings:
    """The keys of a trigger with ``action = "touch-file"``."""

    filename: Template = option(
        "The flag's name: a template that gives one safe path component.", default=Template("{{ application }}")
    )
    content: Template | None = option(
        "The flag's content: a template. Without it the flag holds one line of JSON that tells the listener what to "
        "deploy.",
        default=None,
    )


@hookimpl
def ducttape_config_class() -> type:
    """The plugin's configuration."""
    return TouchFileConf


@hookimpl
def ducttape_actions(ctx: Context) -> Mapping[str, Action[Any]]:
    """The one action of this plugin."""

    async def perform(run: Run, settings: TouchFileSettings) -> Outcome:
        name, content = flag_file(run, settings)
        replaced = await asyncio.to_thread(ctx.volume.put, name, content.encode("utf-8"))
        old = Flag.parse(replaced) if replaced else None
        if old and old.application != run.application:
            # Not an error of this run; but without a word the other deploy would just never come.
            ctx.log.warning(
                "the flag %s was for %s, which run %s of %s replaced: give each application a flag of its own",
                name, old.application, run.id, run.application,
            )  # fmt: skip
        # A flag with a content of its own does not name its run, so no result can come back.
        followed = ctx.config.expect_listener and settings.content is None
        return Outcome(
            state=RunState.FLAGGED if followed else RunState.DONE,
            detail=f"the flag {name} is in {ctx.volume.path}",
            supersedes=(old.run,) if old and old.run != run.id else (),
        )

    return {"touch-file": Action(settings=TouchFileSettings, perform=perform, preview=preview)}


@hookimpl
def ducttape_health(ctx: Context) -> Iterable[Check]:
    """Whether a listener looks after the volume."""
    if not ctx.config.expect_listener:
        return []
    age = heartbeat_age(ctx.volume.read(".listener.json"), time.time())
    if age is None:
        detail = f"no listener has ever looked at {ctx.volume.path}: start `duct-tape listen` on the host"
        return [Check(name="listener", healthy=False, detail=detail)]
    healthy = age < HEARTBEAT_SECONDS
    question = "" if healthy else ": is `duct-tape listen` running on the host?"
    return [Check(name="listener", healthy=healthy, detail=f"the listener looked {age:.0f} seconds ago{question}")]


def preview(run: Run, settings: TouchFileSettings) -> Mapping[str, str]:
    """The flag that the run would leave.

    :raises PermanentError: a template cannot be rendered, or the name is not safe.
    """
    name, content = flag_file(run, settings)
    return {"flag": name, "content": content}


def flag_file(run: Run, settings: TouchFileSettings) -> tuple[str, str]:
    """Name and content of the flag.

    :raises PermanentError: a template cannot be rendered, the name is not safe, or the content is too long.
    """
    variables = run.variables()
    name = safe_name(settings.filename.render(variables))
    content = settings.content.render(variables) if settings.content else run.flag().to_line()
    if len(content.encode("utf-8")) > MAX_BYTES:
        raise PermanentError(f"the flag {name} would hold more than {MAX_BYTES // 1024} KiB, which no listener reads")
    return name, content


def heartbeat_age(content: bytes | None, now: float) -> float | None:
    """Seconds since the listener's last scan, or None when its file is missing or not readable as such."""
    try:
        scanned = json.loads(content or b"")["last_scan"]
        # A time far ahead of ours is as useless as an old one: it must not pass for fresh for years.
        return abs(now - datetime.fromisoformat(scanned).timestamp())
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
