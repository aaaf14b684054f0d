"""The two wheels: what is in them, and that they work in an empty environment, far from the repository.

A package index has to be within reach of pip; without one these tests are skipped by name.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import venv
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.server_support import free_port
from tests.unmeasured_support import unmeasured

ROOT = Path(__file__).parents[2]
SOURCES = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE", "core", "plugins")
SKIPPED = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "dist")
# Folder of the distribution, folder of its packages, packages.
DISTRIBUTIONS = {
    "duct_tape_core": ("core", {"duct_tape"}),
    "duct_tape_plugins": ("plugins", {path.parent.name for path in ROOT.glob("plugins/*/__init__.py")}),
}


def run(*command: str | Path, folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """What the command says; it has to succeed."""
    finished = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=dict(environment or unmeasured()),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both wheels, built from a copy, so that nothing is left in the repository."""
    folder = tmp_path_factory.mktemp("wheels")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / "source" / name, ignore=SKIPPED)
        else:
            (folder / "source").mkdir(exist_ok=True)
            shutil.copy(ROOT / name, folder / "source" / name)
    wheel: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        folder / "built",
    ]
    for source in (folder / "source", folder / "source" / "plugins"):
        try:
            run(*wheel, source, folder=folder)
        except AssertionError as error:
            if "setuptools" not in str(error) or "No matching distribution" not in str(error):
                raise
            pytest.skip("wheels: no package index with setuptools can be reached, so they cannot be built")
    built = {path.name.split("-")[0]: path for path in (folder / "built").glob("*.whl")}
    assert built.keys() == DISTRIBUTIONS.keys()
    return built


@pytest.fixture(scope="module")
def environment(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with both wheels and what they need, from the package index."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    install: list[str | Path] = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", *wheels.values()]
    try:
        run(*install, folder=folder)
    except AssertionError as error:
        if "No matching distribution" not in str(error):
            raise
        pytest.skip("wheels: no package index with the dependencies can be reached, so they cannot be installed")
    return folder / "bin"


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_wheel_holds_every_module_and_nothing_else(wheels: dict[str, Path], name: str) -> None:
    folder, packages = DISTRIBUTIONS[name]
    with zipfile.ZipFile(wheels[name]) as wheel:
        names = {path for path in wheel.namelist() if ".dist-info/" not in path}
    source = wheels[name].parents[1] / "source" / folder
    expected = {
        str(path.relative_to(source))
        for package in packages
        for path in (source / package).rglob("*")
        if path.suffix in (".py", ".toml", ".jinja") or path.name == "py.typed"
    }
    assert names == expected
    assert {f"{package}/py.typed" for package in packages} <= names
    assert not any("test_" in path or "conftest" in path for path in names)


def test_the_starter_is_in_the_wheel(wheels: dict[str, Path]) -> None:
    with zipfile.ZipFile(wheels["duct_tape_core"]) as wheel:
        assert wheel.read("duct_tape/conf/starter.toml") == (ROOT / "core/duct_tape/conf/starter.toml").read_bytes()
        [licence] = [path for path in wheel.namelist() if path.endswith("LICENSE")]
        assert wheel.read(licence) == (ROOT / "LICENSE").read_bytes()


def test_the_plugins_need_the_core_and_bring_their_entry_points(wheels: dict[str, Path]) -> None:
    with zipfile.ZipFile(wheels["duct_tape_plugins"]) as wheel:
        texts = {path.rpartition("/")[2]: wheel.read(path).decode() for path in wheel.namelist() if "-info/" in path}
    assert "Requires-Dist: duct-tape-core<2,>=1.0" in texts["METADATA"]
    assert "[duct_tape.plugins]" in texts["entry_points.txt"]
    assert "touch-file = duct_tape_touch_file.plugin" in texts["entry_points.txt"]


def test_it_works_from_an_empty_folder(environment: Path, tmp_path: Path) -> None:
    port = free_port()
    variables = {"PATH": f"{environment}:{os.environ['PATH']}", "DUCT_TAPE_BIND": f"127.0.0.1:{port}"}

    def duct_tape(*words: str) -> str:
        return run("duct-tape", *words, folder=tmp_path, environment=variables)

    assert duct_tape("--version").startswith("duct-tape, version 1.")
    assert "conf/secrets/github" in duct_tape("init")
    assert "is fine (plugins: touch-file, github; triggers: deploy)" in duct_tape("check")
    (tmp_path / "shared_volume").mkdir()
    with serving(tmp_path, variables, port):
        said = duct_tape("github", "send", "--tag", "v1.2.3")
        assert said.startswith("HTTP 202\n")
    assert '"tag": "v1.2.3"' in (tmp_path / "shared_volume" / "hello.example.com").read_text()
    imported = run(
        environment / "python",
        "-c",
        "import duct_tape, duct_tape_github; print(duct_tape.__file__, duct_tape_github.__file__)",
        folder=tmp_path,
        environment=variables,
    )
    assert str(ROOT) not in imported


def test_notify_says_which_extra_it_needs(environment: Path, tmp_path: Path) -> None:
    (tmp_path / "duct_tape.toml").write_text('[plugins.notify]\nurls = [{ file = "url" }]\n')
    (tmp_path / "url").write_text("json://127.0.0.1:9/")
    checked = subprocess.run(
        [environment / "duct-tape", "check", "--config", "duct_tape.toml"],
        cwd=tmp_path, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert checked.returncode == 1
    assert "setup: plugin notify needs apprise: pip install 'duct-tape-plugins[notify]'," in checked.stdout


@contextmanager
def serving(folder: Path, variables: Mapping[str, str], port: int) -> Iterator[None]:
    """A server of the installed wheels that ends cleanly."""
    log = folder / "server.log"
    with log.open("wb") as stream:
        server = subprocess.Popen(["duct-tape", "serve"], cwd=folder, env=dict(variables), stderr=stream)
    try:
        deadline = time.monotonic() + 20
        while not listens(port):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.01)
        yield
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 0, log.read_text()
    finally:
        server.kill()
        server.wait(20)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
