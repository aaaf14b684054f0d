from __future__ import annotations

import json
import os

from tests.listener_support import Host

from duct_tape import __version__
from duct_tape.listener.applications import Applications
from duct_tape.listener.heartbeat import NAME, Heartbeat
from duct_tape.listener.spool import Spool


def test_it_says_who_listens_and_what_can_be_deployed(host: Host, spool: Spool, applications: Applications) -> None:
    host.application("app")
    Heartbeat(applications).beat(spool)

    said = json.loads((host.volume / NAME).read_text())

    assert said.keys() == {"version", "pid", "started", "last_scan", "applications"}
    assert (said["version"], said["pid"], said["applications"]) == (__version__, os.getpid(), ["app"])


def test_it_is_written_now_and_then(host: Host, spool: Spool, applications: Applications) -> None:
    heartbeat = Heartbeat(applications)
    heartbeat.beat(spool)
    (host.volume / NAME).unlink()
    heartbeat.beat(spool)
    assert not (host.volume / NAME).exists()

    heartbeat.again()
    heartbeat.beat(spool)
    assert (host.volume / NAME).exists()

    heartbeat.every = 0
    (host.volume / NAME).unlink()
    heartbeat.beat(spool)
    assert (host.volume / NAME).exists()
