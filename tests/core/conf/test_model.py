"""The core's sections: defaults, and that nothing secret is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from duct_tape.conf.model import (
    AdminConf,
    Configuration,
    CoreConf,
    JournalConf,
    LogConf,
    PluginTable,
    ServerConf,
    TriggerTable,
    VolumeConf,
)
from duct_tape.conf.sources import Sources
from duct_tape.secret import Secret


def test_defaults() -> None:
    core = CoreConf()
    assert core.server == ServerConf()
    assert core.server.bind == ("127.0.0.1:9000",)
    assert core.server.max_body == 25 * 1024 * 1024
    assert (core.server.body_timeout, core.server.shutdown_timeout, core.server.public_url) == (15.0, 8.0, None)
    assert core.volume == VolumeConf(path=Path("shared_volume"))
    assert core.journal == JournalConf(path=Path("var/journal.sqlite3"))
    assert core.log == LogConf(level="info", format="console")


def test_without_its_section_there_is_no_admin_socket() -> None:
    assert CoreConf().admin is None
    admin = AdminConf(token=Secret("a test", b"hunter2"))
    assert admin.bind == ("127.0.0.1:9001",)
    assert "hunter2" not in repr(admin)


@pytest.mark.parametrize(
    ("variable", "bind"),
    [("0.0.0.0:9000", ("0.0.0.0:9000",)), ("[::]:1, unix:/x", ("[::]:1", "unix:/x")), ("", ("127.0.0.1:9000",))],
)
def test_the_image_sets_another_address(monkeypatch: pytest.MonkeyPatch, variable: str, bind: tuple[str, ...]) -> None:
    monkeypatch.setenv("DUCT_TAPE_BIND", variable)
    assert Configuration(sources=Sources(Path("x.toml"))).core.server.bind == bind


def test_tables_that_may_hold_secrets_are_not_shown() -> None:
    data = {"token": "hunter2"}
    assert "hunter2" not in repr(PluginTable(instance="a", plugin="b", data=data))
    assert "hunter2" not in repr(TriggerTable(name="a", action="b", data=data))
