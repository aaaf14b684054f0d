"""`scripts/serve --demo`: a release that a newcomer sees deployed, with stubs and for real."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from tests.e2e.scripts_support import ROOT, Checkout, Serving, executable


class RealCheckout(Checkout):
    """The same, with the `duct-tape` of the environment that the tests run in."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        shutil.copytree(ROOT / "conf", folder / "conf", ignore=shutil.ignore_patterns("secrets"))
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.address = f"127.0.0.1:{probe.getsockname()[1]}"
        self.environment |= {"DUCT_TAPE_VENV": sys.prefix, "DUCT_TAPE_BIND": self.address}

    def stub(self) -> None:
        executable(self.folder / "scripts/install", "#!/bin/sh\n")


def test_the_demo_with_the_real_server_and_listener(tmp_path: Path) -> None:
    checkout = RealCheckout(tmp_path)
    serving = Serving(checkout, "--demo")
    serving.until("Still serving")
    serving.process.terminate()
    assert serving.end() == 0
    assert re.search(r"^Done: v1\.0\.\d+ is live\.$", serving.output, re.MULTILINE)
    assert re.search(r"^The run \w+: deployed$", serving.output, re.MULTILINE)
    assert f"http://{checkout.address}/integrations/github" in serving.output


def test_a_taken_address_is_one_sentence(tmp_path: Path) -> None:
    checkout = RealCheckout(tmp_path)
    host, port = checkout.address.split(":")
    with socket.create_server((host, int(port))):
        serving = Serving(checkout, "--demo")
        assert serving.end() == 1
    assert serving.output.startswith(f"error: cannot listen on {checkout.address} (Address already in use)")
    assert serving.output.count("\n") == 1


def test_the_demo_shows_a_flag_that_waits_and_then_its_deploy(checkout: Checkout) -> None:
    serving = Serving(checkout, "--demo")
    serving.until("Still serving")
    serving.process.terminate()
    assert serving.end() == 0
    order = [
        "serve started",
        '202 {"status"',
        "so it waits",
        '{"run": "r1"}',
        "listen started",
        "deploy says r1",
        "The run r1: deployed",
    ]
    places = [serving.output.index(text) for text in order]
    assert places == sorted(places)
    assert "http://127.0.0.1:9000/integrations/github" in serving.output
    assert "\033" not in serving.output
    assert os.access(checkout.folder / "applications/hello.example.com/bin/deploy", os.X_OK)


def test_the_demo_sends_nothing_when_its_own_server_cannot_start(checkout: Checkout) -> None:
    (checkout.folder / "serve-dies").touch()
    serving = Serving(checkout, "--demo")
    assert serving.end() == 1
    assert "error: the server ended; its last words are above." in serving.output
    assert not (checkout.folder / "flagged").exists()


def test_the_demo_fails_when_the_deploy_does(checkout: Checkout) -> None:
    serving = Serving(checkout, "--demo", STATE="failed")
    assert serving.end() == 1
    assert "error: the demo's deploy did not succeed." in serving.output


def test_the_example_prints_what_it_deploys(tmp_path: Path) -> None:
    said = subprocess.run(
        [ROOT / "scripts/demo/applications/hello.example.com/bin/deploy"],
        env={
            "DUCT_TAPE_RUN": "r1",
            "DUCT_TAPE_APPLICATION": "hello.example.com",
            "DUCT_TAPE_TAG": "v1.2.3",
            "DUCT_TAPE_REPOSITORY": "example/hello",
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for text in ("hello.example.com", "v1.2.3", "example/hello", "r1", str(tmp_path)):
        assert text in said
