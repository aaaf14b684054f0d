"""From where an instance takes requests: networks, and names that a plugin finds out about."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest
from tests.server_support import CONFIGURATION, Checked, Recorder, decide, deliver, parse, plugin, sender, verify

from duct_tape.addresses import Network, address, network
from duct_tape.api import RawDelivery, Receiver, ReceiverRoute
from duct_tape.assembly import assemble
from duct_tape.errors import UnavailableError
from duct_tape.plugins.allowed import Allowed
from duct_tape.testing import Harness

SOME = network("203.0.113.0/24")


def allowed(*networks: str, **named: Sequence[Network] | None) -> Allowed:
    asked: Any = {name: lambda found=found: found for name, found in named.items()}
    return Allowed(networks=tuple(network(text) for text in networks), named=asked)


@pytest.mark.parametrize(
    ("who", "wanted"), [("203.0.113.9", True), ("192.0.2.7", True), ("198.51.100.1", False), (None, False)]
)
def test_networks_and_names(who: str | None, wanted: bool) -> None:
    sender = address(who) if who else None
    assert allowed("203.0.113.0/24", "192.0.2.7").admits(sender) is wanted
    assert allowed("192.0.2.7", forge=[SOME]).admits(sender) is wanted


def test_a_name_that_nobody_knows_yet_is_no_reason_to_refuse() -> None:
    with pytest.raises(UnavailableError, match=r"^the addresses of `forge` in `allow_from` are not known yet$"):
        allowed(forge=None, other=[]).admits(address("192.0.2.7"))
    assert allowed("192.0.2.7", forge=None).admits(address("192.0.2.7"))
    assert allowed(forge=None, other=[SOME]).admits(address("203.0.113.9"))


def forge(ask: Any) -> Any:
    receiver = Receiver(
        verifier=Checked(verify), parse=parse, decide=decide, senders={"forge": ask},
        simulated=lambda name, body: RawDelivery.build({}, body),
    )  # fmt: skip
    return plugin(routes=lambda ctx: [ReceiverRoute(receiver)])


def test_as_long_as_a_name_is_not_known_nothing_is_accepted_and_nothing_is_lost_silently(tmp_path: Path) -> None:
    known: list[Any] = [None]
    plugins = {"recorder": Recorder().module, "sender": forge(lambda: known[0])}
    with Harness(tmp_path, f'{CONFIGURATION}allow_from = ["forge"]\n', plugins=plugins) as harness:
        answer = deliver(harness)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
        # The test client has no address.
        known[0] = [SOME]
        assert deliver(harness).status_code == 401


def problems(tmp_path: Path, line: str, module: Any = None) -> list[str]:
    (tmp_path / "volume").mkdir(exist_ok=True)
    path = tmp_path / "duct_tape.toml"
    path.write_text(f"{CONFIGURATION}{line}\n")
    plugins = {"recorder": Recorder().module, "sender": module or sender()}
    return [str(problem).replace(str(tmp_path), "") for problem in assemble(path, plugins).problems]


@pytest.mark.parametrize("error", [KeyError("forge"), SystemExit(1)])
def test_a_name_whose_plugin_fails_accepts_nothing_and_is_told(
    tmp_path: Path, error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    def ask() -> NoReturn:
        raise error

    plugins = {"recorder": Recorder().module, "sender": forge(ask)}
    with Harness(tmp_path, f'{CONFIGURATION}allow_from = ["forge"]\n', plugins=plugins) as harness:
        assert deliver(harness).status_code == 503
        assert harness.instance("sender").failures == 1
    [line] = [message for message in caplog.messages if "failed on" in message]
    assert line.startswith(f"plugin sender failed on POST /integrations/sender/: {type(error).__name__}: ")


@pytest.mark.parametrize("value", ['"10.0.0.0/8"', "[]", "[1]", "{}"])
def test_a_list_that_is_none(tmp_path: Path, value: str) -> None:
    [text] = problems(tmp_path, f"allow_from = {value}")
    assert "plugins.sender.allow_from" in text
    assert "expected a list of addresses" in text
    assert 'for instance allow_from = ["203.0.113.0/24"]; without the key everybody may send' in text


def test_every_mistake_in_a_list_is_told(tmp_path: Path) -> None:
    first, second = problems(tmp_path, 'allow_from = ["10.0.0.1/8", "forge", "froge"]', forge(lambda: None))
    assert "'10.0.0.1/8' is no network" in first
    assert "did you mean '10.0.0.0/8'?" in first
    assert "plugins.sender.allow_from[2]" in second
    assert "did you mean `forge`?" in second
    assert not problems(tmp_path, 'allow_from = ["10.0.0.0/8", "::1"]')


def test_a_proxy_that_is_none(tmp_path: Path) -> None:
    [text] = problems(tmp_path, '[server]\ntrusted_proxies = ["unix", "10.0.0.0/8", "caddy"]')
    assert "server.trusted_proxies[2]" in text
    assert "'caddy' is no network" in text
