"""The public API: what plugins may import. A name that vanishes from here breaks somebody's plugin."""

from __future__ import annotations

import ast
from pathlib import Path

import duct_tape
from duct_tape import api

NAMES = """
    API_VERSION Acceptance Action ApplicationName Check Context Decision DuctTapeError Event Filter Flag Hmac Ignored
    MalformedError Outcome PermanentError PlannedRun PluginError Pong Problem RawDelivery Receiver ReceiverRoute
    Refusal Release ReleasePublished RepositoriesConf Repository Result Rule RulesConf Run RunState Runs Sample Secret
    SecretPath SharedToken SignatureError StandardWebhooks Template TransientError TriggerName UnavailableError
    UnsupportedMediaError Verifier Volume commit fits_path header hookimpl identity is_pattern json_bytes matching
    member moment names_problems option parse_form parse_json repository_path safe_name samples secrets_problems
    standard_webhooks_problems
"""
CORE = Path(duct_tape.__file__).parent
PLUGINS = Path(__file__).parents[2] / "plugins"


def imported(path: Path) -> set[str]:
    """The modules that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def test_the_names_are_exactly_these() -> None:
    assert set(api.__all__) == set(NAMES.split())
    assert api.__all__ == sorted(api.__all__)
    assert all(hasattr(api, name) for name in api.__all__)


def test_the_api_has_this_version() -> None:
    assert api.API_VERSION == (1, 0)


def test_the_core_imports_no_plugin() -> None:
    found = {(path.name, name) for path in CORE.rglob("*.py") for name in imported(path)}
    assert found
    assert not [pair for pair in found if pair[1].startswith("duct_tape_")]


def test_the_bundled_plugins_import_nothing_but_the_api() -> None:
    files = [path for path in PLUGINS.rglob("*.py") if path.parent.name.startswith("duct_tape_")]
    assert files
    for path in files:
        names = {name for name in imported(path) if name == "duct_tape" or name.startswith("duct_tape.")}
        assert names <= {"duct_tape.api"}, path
