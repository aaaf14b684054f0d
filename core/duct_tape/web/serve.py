"""Serving: sockets, signals, and an end within a bounded time."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import threading
from collections.abc import Sequence
from functools import partial

from hypercorn.utils import LifespanFailureError

from duct_tape import __version__
from duct_tape.assembly import Assembly, local_url
from duct_tape.conf.model import bind_variable
from duct_tape.errors import StartupError
from duct_tape.journal import Journal
from duct_tape.journal.sqlite import open_journal
from duct_tape.plugins.watch import ALARM, task_factory
from duct_tape.web.admin import build_admin
from duct_tape.web.app import build_app
from duct_tape.web.listening import listening
from duct_tape.web.worker import Worker, allow_files, return_memory

log = logging.getLogger("duct_tape")


def serve(assembly: Assembly) -> None:
    """Serve until SIGTERM or SIGINT.

    :raises StartupError: a port is taken, or the volume or the journal cannot be used.
    """
    core = assembly.configuration.core
    assembly.volume.check()
    assembly.volume.clean()
    return_memory()
    allow_files(core.server.max_connections)
    variable = bind_variable(assembly.configuration.sources.data)
    public = listening(core.server.bind, variable or "server.bind")
    admin = listening(core.admin.bind, "admin.bind") if core.admin else []
    asyncio.run(_serve(assembly, open_journal(core.journal), public, admin))


async def _serve(
    assembly: Assembly, journal: Journal, public: Sequence[socket.socket], admin: Sequence[socket.socket]
) -> None:
    core = assembly.configuration.core
    ALARM.install()
    asyncio.get_running_loop().set_task_factory(task_factory)
    closing = _closing_on_signals(core.server.shutdown_timeout)
    names = ", ".join(core.server.bind)
    log.info("duct-tape %s serves on %s, flags go to %s", __version__, names, assembly.volume.path)
    for instance in (instance for instance in assembly.registry if instance.routes):
        log.info("webhooks: POST %s%s", core.server.public_url or local_url(core.server.bind), instance.prefix)
    app = build_app(assembly, journal)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(Worker(app, core.server).work(public, closing))
            if core.admin:
                shared = partial(getattr, app.state, "health", None)
                admin_app = build_admin(assembly, journal, core.admin.token, shared)
                group.create_task(Worker(admin_app, core.server).work(admin, closing))
    except ExceptionGroup as errors:
        if errors.split(LifespanFailureError)[1]:
            raise
        verb = "stop in order" if closing.is_set() else "start"
        raise StartupError(f"the server cannot {verb}: {app.state.failure}") from None
    log.info("stopped")


def _closing_on_signals(seconds: float) -> asyncio.Event:
    closing = asyncio.Event()

    def close() -> None:
        if closing.is_set():
            return
        log.info("stopping: requests and runs in flight may end within %g seconds", seconds)
        closing.set()
        # Whatever hangs, the process ends; what was accepted is in the journal. Nothing else may stop this.
        # Twice, since the log itself may be what hangs: a pipe that nobody reads any more.
        for wait, give_up in ((1.0, _give_up), (1.5, lambda: os._exit(0))):
            deadline = threading.Timer(seconds + wait, give_up)
            deadline.daemon = True
            deadline.start()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, close)
    return closing


def _give_up() -> None:
    log.warning("stopped although something did not end in time; it is taken up at the next start")
    logging.shutdown()
    os._exit(0)
