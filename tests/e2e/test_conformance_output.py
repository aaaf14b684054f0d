"""The listener's contract, in both of its forms: what is kept of what a script says."""

from __future__ import annotations

import json

from tests.listener_support import HOLD, Host, until

from duct_tape.results import Result


def test_the_log_grows_while_the_script_runs(host: Host) -> None:
    app = host.application("app1", f"echo first; {HOLD}; echo second")
    host.start()
    host.flag("app1", "v1")
    log = host.volume / ".results" / "run-v1.log"

    until(lambda: log.exists() and log.read_text() == "first\n")
    (app / "go").touch()
    assert host.state("run-v1", "deployed")["output"] == "first\nsecond"


def test_a_flood_of_output_is_cut_and_does_not_stop_the_script(host: Host) -> None:
    host.application("app1", "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo end >end; printf '\\377\\033[31m\"'")
    host.flag("app1", "v1")

    assert host.once()[0] == 0

    log = (host.volume / ".results" / "run-v1.log").read_bytes()
    assert (host.applications / "app1" / "end").exists()
    assert log.startswith(b"xxxx")
    assert len(log) < 1024 * 1024 + 200
    assert b"limited in size" in log[-200:]
    assert len(host.result("run-v1")["output"]) <= 8192


def test_the_last_lines_are_the_last_however_much_came(host: Host) -> None:
    host.application("app1", "yes | head -c 20000000; echo almost; echo last")
    host.flag("app1", "v1")

    assert host.once()[0] == 0

    output = host.result("run-v1")["output"]
    assert output.endswith("y\nalmost\nlast")
    assert len(output) <= 8192


def test_the_last_lines_do_not_wait_for_what_stays_in_the_background(host: Host) -> None:
    app = host.application("app1", f"({HOLD}; yes | head -c 3000000; echo >alive) & yes | head -c 3000000; echo last")
    host.start()
    host.flag("app1", "v1")

    assert host.state("run-v1", "deployed")["output"].endswith("y\nlast")
    (app / "go").touch()
    until(lambda: (app / "alive").exists())


def test_hostile_output_makes_a_valid_result(host: Host) -> None:
    host.application("app1", r"""printf 'a"b\\c\td\001\377\033[31m\r\nend\n'""")
    host.flag("app1", "v1")

    assert host.once()[0] == 0
    output = host.result("run-v1")["output"]
    assert output.startswith('a"b\\c\td')
    assert output.endswith("\nend")


def test_a_result_is_utf8_whatever_a_script_prints(host: Host) -> None:
    noise = host.root / "noise"
    # Beyond U+10FFFF, of five and six bytes, half a pair, too long, cut off: what some decoders let through.
    odd = b"\xf4\x90\x80\x80 \xf8\x88\x80\x80\x80 \xfc\x84\x80\x80\x80\x80 \xed\xa0\x80 \xc0\x80 \xf5\x80\x80\x80 "
    noise.write_bytes(bytes(range(256)) * 20 + b"\n" + odd + "ünïcödé \N{GRINNING FACE}\n".encode() + b"\xf0\x9f")
    host.application("app1", f"cat '{noise}'")
    host.flag("app1", "v1")

    assert host.once()[0] == 0

    content = (host.volume / ".results" / "run-v1.json").read_bytes()
    result = Result.parse(content)
    assert result
    assert "ünïcödé \N{GRINNING FACE}" in result.output
    assert json.loads(content.decode("utf-8"))["state"] == "deployed"
