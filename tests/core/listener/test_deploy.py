from __future__ import annotations

import asyncio

from tests.listener_support import Host

from duct_tape.flags import Flag
from duct_tape.listener.claims import Claim, Order
from duct_tape.listener.deploy import Deploy, describe
from duct_tape.listener.output import Log
from duct_tape.listener.settings import Settings
from duct_tape.results import Result

FLAG = Flag(run="r1", application="app", tag="v1")


def deploy(
    host: Host, timeout: float = 10.0, stopped: bool = False, cancelled: bool = False
) -> tuple[Result | None, list[Result]]:
    reports: list[Result] = []

    async def inside() -> Result | None:
        stop, cancel = asyncio.Event(), asyncio.Event()
        if stopped:
            stop.set()
        if cancelled:
            cancel.set()
        return await Deploy(
            order=Order(claim=Claim(id="1", name="app"), flag=FLAG, content=b"in"),
            settings=Settings(volume=host.volume, applications=host.applications, timeout=timeout, kill_after=1),
            record=Log(None),
            report=reports.append,
            stop=stop,
            cancel=cancel,
        ).run()

    return asyncio.run(inside()), reports


def test_a_deploy_tells_its_start_and_gives_its_end(host: Host) -> None:
    host.application("app", 'cat; echo " $DUCT_TAPE_TAG $PWD"')

    result, reports = deploy(host)

    assert [report.state for report in reports] == ["deploying"]
    assert reports[0].finished_at is None
    assert result
    assert (result.state, result.exit_code, result.tag) == ("deployed", 0, "v1")
    assert result.output == f"in v1 {host.applications / 'app'}"
    assert result.started_at == reports[0].started_at
    assert result.finished_at
    assert result.duration is not None


def test_the_state_says_how_it_ended(host: Host) -> None:
    host.application("app", "exit 4")

    result, _ = deploy(host)

    assert result
    assert (result.state, result.exit_code) == ("failed", 4)


def test_one_that_takes_too_long_has_no_exit_code(host: Host) -> None:
    host.application("app", "echo begun; sleep 100")

    result, _ = deploy(host, timeout=0.2)

    assert result
    assert (result.state, result.exit_code, result.output) == ("timed out", None, "begun")


def test_an_interrupted_one_has_no_result(host: Host) -> None:
    host.application("app", "sleep 100")

    assert deploy(host, stopped=True)[0] is None


def test_a_cancelled_one_has_a_result_and_no_exit_code(host: Host) -> None:
    host.application("app", "trap 'echo cleaned; exit 0' TERM; sleep 100 & wait")

    result, _ = deploy(host, cancelled=True)

    assert result
    assert (result.state, result.exit_code) == ("cancelled", None)
    assert result.duration is not None


def test_what_cannot_be_started_failed_with_a_sentence(host: Host) -> None:
    script = host.application("app") / "bin" / "deploy"
    script.write_text("#!/nowhere/sh\n")
    result, reports = deploy(host)
    assert result
    assert result.state == "failed"
    assert result.output.endswith("No such file or directory; is the interpreter in its first line there?")
    assert (result.exit_code, [report.state for report in reports]) == (127, ["deploying"])

    script.chmod(0o644)
    result, _ = deploy(host)
    assert result
    assert result.output == "bin/deploy cannot be started: Permission denied"
    assert result.exit_code == 126


def test_how_a_flag_is_shown() -> None:
    assert describe(FLAG) == "v1 (run r1)"
    assert describe(Flag(run="r1", application="app")) == "(run r1)"
