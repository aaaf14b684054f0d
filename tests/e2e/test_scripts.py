"""The shell scripts that a newcomer meets first: their prerequisites, their messages, their processes.

What they start is replaced by tiny stubs here. `scripts/test-bare` and `scripts/test-container` run them for
real, on a bare machine and in a container.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = [
    "install",
    "serve",
    "test-bare",
    "test-container",
    "testlib",
    "demo/applications/hello.example.com/bin/deploy",
]
SHELLCHECK = shutil.which("shellcheck")
# Only what scripts/install itself calls, so that the machine's own Python is out of sight.
TOOLS = "cat cksum cp cut date dirname grep head mkdir mkfifo mktemp rm sed sleep touch".split()

PYTHON = """#!/bin/sh
case "$*" in
    *'print('*) echo {version} ;;
    *'< (3, 11)'*) exit {too_old} ;;
    *ensurepip*) exit {no_venv} ;;
    '-m venv '*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
    '-m pip '*) echo "$*" >>pip-calls; echo "pip says: $*"; exit {pip_fails} ;;
esac
"""

# `duct-tape`: the server and the listener run until they are told to end, or until the test lets them die.
DUCT_TAPE = """#!/bin/sh
case "$*" in
    serve | listen*)
        trap 'if [ -f "$1-drains" ]; then rm "$1-drains"; echo "$1 drains"; else echo "$1 ended"; exit 0; fi' TERM
        echo "$1 started: $*"
        [ -f "$1-dies" ] || touch "$1-answers"
        [ "$1" = listen ] && [ -f flagged ] && mkdir -p shared_volume/.results &&
            echo '{"run": "r1", "state": "'"${STATE:-deployed}"'"}' >shared_volume/.results/r1.json &&
            echo "deploy says r1" >shared_volume/.results/r1.log
        while [ ! -f "$1-dies" ]; do sleep 0.05; done
        exit 3 ;;
    init) echo "init" ;;
    github\\ send*)
        touch flagged
        echo '{"run": "r1"}' >shared_volume/hello.example.com
        echo '202 {"status": "accepted", "runs": [{"id": "r1"}]}' ;;
esac
"""

VENV_PYTHON = f"""#!/bin/sh
case "$*" in
    scripts/settings.py) printf '%s\\n' "${{VOLUME:-shared_volume}}" http://127.0.0.1:9000 ;;
    *healthz) [ -f serve-answers ] ;;
    *) exec {sys.executable} "$@" ;;
esac
"""


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


class Checkout:
    """A copy of the scripts with a PATH of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {"PATH": str(folder / "path"), "TMPDIR": str(folder)}
        shutil.copytree(ROOT / "scripts", folder / "scripts")
        for name in ("setup.cfg", "pyproject.toml", "plugins/setup.cfg", "plugins/pyproject.toml"):
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
        (folder / "core/duct_tape").mkdir(parents=True)
        (folder / "core/duct_tape/__init__.py").write_text('__version__ = "1"\n')
        (folder / "path").mkdir()
        for tool in TOOLS:
            (folder / "path" / tool).symlink_to(shutil.which(tool) or tool)

    def python(
        self,
        name: str = "python3",
        version: str = "3.11",
        too_old: int = 0,
        no_venv: int = 0,
        pip_fails: int = 0,
    ) -> None:
        text = PYTHON.format(version=version, too_old=too_old, no_venv=no_venv, pip_fails=pip_fails)
        executable(self.folder / "path" / name, text)

    def stub(self) -> None:
        executable(self.folder / "scripts/install", "#!/bin/sh\n")
        executable(self.folder / ".venv/bin/duct-tape", DUCT_TAPE)
        executable(self.folder / ".venv/bin/python", VENV_PYTHON)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", *command],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def pip_calls(self) -> list[str]:
        calls = self.folder / "pip-calls"
        return calls.read_text().splitlines() if calls.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.mark.parametrize("name", SCRIPTS)
def test_is_correct_shell(name: str) -> None:
    path = ROOT / "scripts" / name
    shell = "bash" if "bash" in path.read_text().splitlines()[0] else "sh"
    checks = [[shell, "-n", str(path)]]
    if SHELLCHECK:
        checks.append([SHELLCHECK, "-x", "-P", str(path.parent), str(path)])
    for check in checks:
        finished = subprocess.run(check, capture_output=True, text=True, timeout=60)
        assert finished.returncode == 0, finished.stdout + finished.stderr


def test_install_names_the_package_when_there_is_no_python(checkout: Checkout) -> None:
    finished = checkout.run("scripts/install")
    assert finished.returncode == 1
    assert "this machine has none" in finished.stderr
    for command in (
        "sudo apt install python3 python3-venv",
        "sudo dnf install python3",
        "brew install python3",
    ):
        assert command in finished.stderr


def test_install_says_which_python_is_too_old(checkout: Checkout) -> None:
    checkout.python(version="3.9", too_old=1)
    finished = checkout.run("scripts/install")
    assert finished.returncode == 1
    assert "needs Python 3.11 or newer, and this machine has 3.9" in finished.stderr
    assert "sudo apt install python3.11 python3.11-venv" in finished.stderr


def test_install_names_the_package_when_venv_is_missing(checkout: Checkout) -> None:
    checkout.python(version="3.12", no_venv=1)
    finished = checkout.run("scripts/install")
    assert finished.returncode == 1
    assert "Python 3.12 lacks its module venv" in finished.stderr
    assert "sudo apt install python3.12-venv\n" in finished.stderr
    assert not checkout.pip_calls()


def test_install_takes_the_newest_python_that_it_knows(checkout: Checkout) -> None:
    checkout.python("python3", version="3.9", too_old=1)
    checkout.python("python3.12", version="3.12", no_venv=1)
    assert "Python 3.12 lacks" in checkout.run("scripts/install").stderr


def test_install_takes_the_python_that_it_is_given(checkout: Checkout) -> None:
    checkout.python()
    checkout.python("mine", version="3.14", no_venv=1)
    checkout.environment["PYTHON"] = "mine"
    assert "Python 3.14 lacks" in checkout.run("scripts/install").stderr


def test_install_is_one_pip_command_and_one_line(checkout: Checkout) -> None:
    checkout.python()
    finished = checkout.run("scripts/install")
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "Installing into .venv …\n", "")
    assert checkout.pip_calls() == ["-m pip install -e . -e ./plugins"]


def test_install_does_nothing_when_nothing_changed(checkout: Checkout) -> None:
    checkout.python()
    checkout.run("scripts/install")
    again = checkout.run("scripts/install")
    assert (again.returncode, again.stdout, len(checkout.pip_calls())) == (0, "", 1)


@pytest.mark.parametrize("changed", ["setup.cfg", "plugins/setup.cfg", "core/duct_tape/__init__.py"])
def test_install_runs_again_after_a_change(checkout: Checkout, changed: str) -> None:
    checkout.python()
    checkout.run("scripts/install")
    with (checkout.folder / changed).open("a") as file:
        file.write("# newer\n")
    checkout.run("scripts/install")
    assert len(checkout.pip_calls()) == 2


def test_a_plain_install_leaves_a_development_install_whole(checkout: Checkout) -> None:
    checkout.python()
    checkout.run("scripts/install", "--dev")
    checkout.run("scripts/install")
    assert len(checkout.pip_calls()) == 1
    (checkout.folder / "setup.cfg").write_text("# newer\n")
    checkout.run("scripts/install")
    assert checkout.pip_calls() == ["-m pip install -e .[test,docs] -e ./plugins"] * 2


def test_a_failed_install_shows_what_pip_said_and_is_tried_again(checkout: Checkout) -> None:
    checkout.python(pip_fails=1)
    finished = checkout.run("scripts/install")
    assert finished.returncode == 1
    assert "pip says: -m pip install" in finished.stderr
    assert "error: the installation into .venv failed" in finished.stderr
    shutil.rmtree(checkout.folder / ".venv")
    checkout.python()
    assert checkout.run("scripts/install").returncode == 0
    assert len(checkout.pip_calls()) == 2


@pytest.mark.parametrize("script", ["install", "serve"])
def test_an_unknown_argument_is_wrong_usage(checkout: Checkout, script: str) -> None:
    finished = checkout.run(f"scripts/{script}", "--nonsense")
    assert finished.returncode == 2
    assert f"usage: scripts/{script}" in finished.stderr


class Serving:
    """`scripts/serve` with stubs in place of the server and the listener."""

    def __init__(self, checkout: Checkout, *arguments: str, **environment: str) -> None:
        checkout.stub()
        self.folder = checkout.folder
        self.output = ""
        self.process = subprocess.Popen(
            ["/bin/sh", "scripts/serve", *arguments],
            cwd=checkout.folder,
            env=checkout.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def until(self, text: str) -> None:
        assert self.process.stdout
        while text not in self.output:
            line = self.process.stdout.readline()
            assert line, f"{text!r} never came:\n{self.output}"
            self.output += line

    def end(self) -> int:
        self.output += self.process.communicate(timeout=30)[0]
        return self.process.returncode


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
