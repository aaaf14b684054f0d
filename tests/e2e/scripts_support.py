"""A copy of the scripts, with tiny stubs in place of what they start.

`scripts/test-bare` and `scripts/test-container` run them for real, on a bare machine and in a container.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
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
