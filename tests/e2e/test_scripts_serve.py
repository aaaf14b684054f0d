"""`scripts/serve`: the server and the listener, started and ended together."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from tests.e2e.scripts_support import Checkout, Serving, executable


@pytest.fixture
def serving(checkout: Checkout) -> Iterator[Serving]:
    started = Serving(checkout)
    yield started
    started.process.kill()
    for name in ("serve-dies", "listen-dies"):
        (started.folder / name).touch()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_serve_runs_both_and_ends_both(serving: Serving, number: signal.Signals) -> None:
    serving.until("serve started")
    serving.until("listen started: listen --volume shared_volume --applications applications")
    serving.process.send_signal(number)
    assert serving.end() == 0
    assert "listen ended\nserve ended\n" in serving.output


def test_a_second_signal_reaches_a_listener_that_still_drains(serving: Serving) -> None:
    (serving.folder / "listen-drains").touch()
    serving.until("serve started")
    serving.until("listen started")
    serving.process.send_signal(signal.SIGINT)
    serving.until("listen drains")
    serving.process.send_signal(signal.SIGINT)
    assert serving.end() == 0
    assert "listen ended" in serving.output
    assert "serve ended" in serving.output


@pytest.mark.parametrize(("dies", "other", "name"), [("serve", "listen", "server"), ("listen", "serve", "listener")])
def test_serve_ends_when_one_of_them_dies(serving: Serving, dies: str, other: str, name: str) -> None:
    serving.until("serve started")
    serving.until("listen started")
    (serving.folder / f"{dies}-dies").touch()
    assert serving.end() == 1
    assert f"error: the {name} ended" in serving.output
    assert f"{other} ended" in serving.output


def test_serve_makes_the_folders_and_keeps_an_example_that_is_there(checkout: Checkout) -> None:
    mine = executable(checkout.folder / "elsewhere/hello.example.com/bin/deploy", "mine")
    serving = Serving(checkout, DUCT_TAPE_APPLICATIONS="elsewhere")
    serving.until("serve started")
    serving.until("--applications elsewhere")
    serving.process.terminate()
    assert serving.end() == 0
    assert mine.read_text() == "mine"
    assert (checkout.folder / "var").is_dir()
    assert (checkout.folder / "shared_volume").stat().st_mode & 0o7777 == 0o2770


def test_serve_listens_where_the_configuration_leaves_flags(checkout: Checkout) -> None:
    serving = Serving(checkout, VOLUME="flags")
    serving.until("--volume flags ")
    serving.until("serve started")
    serving.process.terminate()
    assert serving.end() == 0
    assert (checkout.folder / "flags").is_dir()
    assert not (checkout.folder / "shared_volume").exists()
