"""Plugins that fail, each in another place, in a server of its own: the others go on, and no answer tells of it."""

from __future__ import annotations

from pathlib import Path

from tests.core.web.test_contract import code, delivery, header, post, request
from tests.server_support import CONFIGURATION, serving

BROKEN = """
def accident(*_, **__):
    raise ZeroDivisionError("hunter2")

plugins["setup"] = plugin(setup=accident)
plugins["routes"] = plugin(routes=accident)
plugins["health"] = plugin(health=accident)
plugins["verify"] = sender(verify=accident)
plugins["parse"] = sender(parse=accident)
plugins["decide"] = sender(decide=accident)
plugins["exit"] = sender(decide=lambda event: sys.exit(3))
plugins["observer"] = plugin(on_run=accident)
"""
NAMES = ("setup", "routes", "health", "verify", "parse", "decide", "exit", "observer")


def test_an_accident_in_a_plugin_is_its_own(tmp_path: Path) -> None:
    tables = "".join(f"[plugins.{name}]\n" for name in NAMES)
    with serving(tmp_path, script=BROKEN, configuration=CONFIGURATION + tables) as server:
        wanted = {"setup": 503, "routes": 503, "verify": 401, "parse": 400, "decide": 400, "exit": 400}
        for _ in range(2):
            for name, status in wanted.items():
                answer = server.exchange(
                    post(delivery("d")).replace(b"/integrations/sender", f"/integrations/{name}".encode())
                )
                assert (name, code(answer)) == (name, status)
                assert bool(header(answer, "retry-after")) is (status == 503)
                assert b"hunter2" not in answer
        assert code(server.exchange(request("GET /healthz"))) == 200
        assert code(server.exchange(request("GET /readyz"))) == 503
        assert code(server.exchange(post(delivery("d-1")))) == 202
        server.wait_for("done: run")
        assert server.stop() == 0
    for name in ("setup", "routes"):
        assert f"plugin {name} (object 0) is off: {name}: ZeroDivisionError: hunter2" in server.log
    assert "fault of Duct Tape" not in server.log
