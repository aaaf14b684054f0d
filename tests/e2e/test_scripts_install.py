"""`scripts/install`: its prerequisites, its messages, and when it does nothing."""

from __future__ import annotations

import shutil

import pytest
from tests.e2e.scripts_support import Checkout


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
    assert checkout.pip_calls() == ["-m pip install -e . -e ./plugins[notify]"]


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
    assert checkout.pip_calls() == ["-m pip install -e .[test,docs,audit] -e ./plugins[notify]"] * 2


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
