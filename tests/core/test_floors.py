"""No version of a dependency with a hole that is known: neither installed here nor allowed by what we declare."""

from __future__ import annotations

import configparser
import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
# The first version without the hole.
FLOORS = {
    "certifi": ("2024.7.4", "CVE-2024-39689: roots that are not trusted any more"),
    "h11": ("0.16.0", "CVE-2025-43859: a request hides in another"),
    "h2": ("4.3.0", "CVE-2025-57804: a request hides in another"),
    "idna": ("3.7", "CVE-2024-3651: quadratic time"),
    "jinja2": ("3.1.6", "CVE-2025-27516: out of the sandbox by |attr"),
    "requests": ("2.32.4", "CVE-2024-47081: passwords of .netrc to another host"),
    "starlette": ("1.3.1", "CVE-2026-54283: the limits of forms do nothing"),
    "urllib3": ("2.6.0", "CVE-2025-66418: an answer that grows without end when it is unpacked"),
}
# They read requests from outside, and had holes there. Nothing of ours may bring them in.
NOT_USED = {"aiohttp", "gunicorn", "python-multipart", "httptools", "gidgethub", "standardwebhooks"}
DISTRIBUTIONS = ("duct-tape-core", "duct-tape-plugins[notify]")


def declared() -> dict[str, Requirement]:
    """What both distributions ask for, extras of the image included."""
    found: dict[str, Requirement] = {}
    for path, extra in (("setup.cfg", ""), ("plugins/setup.cfg", "notify")):
        parser = configparser.ConfigParser()
        parser.read(ROOT / path)
        lines = parser["options"]["install_requires"].split("\n")
        lines += parser["options.extras_require"][extra].split("\n") if extra else []
        for line in filter(None, lines):
            requirement = Requirement(line)
            found[canonicalize_name(requirement.name)] = requirement
    return found


def needed(*roots: str) -> set[str]:
    """Everything that comes along."""
    found, pending = set[str](), [Requirement(root) for root in roots]
    while pending:
        requirement = pending.pop()
        for line in importlib.metadata.requires(requirement.name) or ():
            more = Requirement(line)
            wanted = (
                [more.marker.evaluate({"extra": extra}) for extra in requirement.extras or {""}]
                if more.marker
                else [True]
            )
            name = canonicalize_name(more.name)
            if any(wanted) and name not in found:
                found.add(name)
                pending.append(more)
    return found


@pytest.mark.parametrize("name", FLOORS)
def test_what_is_installed_is_not_older(name: str) -> None:
    floor, why = FLOORS[name]
    assert Version(importlib.metadata.version(name)) >= Version(floor), why


@pytest.mark.parametrize("name", FLOORS)
def test_what_we_ask_for_cannot_be_older(name: str) -> None:
    floor, why = FLOORS[name]
    requirement = declared().get(name)
    if name in ("h11", "jinja2", "starlette"):
        assert requirement, f"{name} has to be named for its lower bound: {why}"
    if requirement:
        below = Version(re.sub(r"(\d+)(\.0)*$", lambda found: f"{int(found[1]) - 1}.999", floor))
        assert below not in requirement.specifier, why
        assert Version(floor) in requirement.specifier


def test_every_floor_is_of_something_that_comes_along() -> None:
    assert FLOORS.keys() <= needed(*DISTRIBUTIONS)


def test_nothing_brings_in_what_had_holes_where_requests_are_read() -> None:
    assert needed(*DISTRIBUTIONS) & NOT_USED == set()


@pytest.mark.parametrize("path", ["pyproject.toml", "plugins/pyproject.toml"])
def test_what_builds_us_has_no_known_hole(path: str) -> None:
    (line,) = tomllib.loads((ROOT / path).read_text())["build-system"]["requires"]
    # CVE-2025-47273: a package could write anywhere while it was installed.
    assert "78.1.0" not in Requirement(line).specifier
