"""``duct-tape notify test``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.notify_support import TOKEN, Web

from duct_tape.assembly import assemble

CONFIGURATION = """
[plugins.notify]
urls = [{ env = "A_URL" }, { env = "B_URL" }]
[plugins.pager]
use = "notify"
urls = [{ env = "A_URL" }]
message = "{{ application }} {{ state }}"
"""


def call(path: Path, instance: str, *words: str) -> Result:
    path.write_text(CONFIGURATION)
    assembly = assemble(path).require()
    found = assembly.instance(instance)
    assert found is not None
    hook = assembly.registry.hook(found, "ducttape_commands")
    assert hook is not None
    [command] = hook()
    return CliRunner().invoke(command, words, standalone_mode=False, help_option_names=["-h", "--help"])


@pytest.fixture
def path(tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("A_URL", web.url())
    monkeypatch.setenv("B_URL", f"json://127.0.0.1:1/{TOKEN}")
    return tmp_path / "duct_tape.toml"


def test_it_says_of_each_receiver_whether_the_message_was_taken(path: Path, web: Web) -> None:
    result = call(path, "notify")
    assert result.return_value == 1
    assert result.output == (
        "JSON at 127.0.0.1 (urls[0]): accepted\nJSON at 127.0.0.1 (urls[1]): it could not be reached\n"
    )
    [message] = web.wait(1)
    assert message["title"] == "Test: shop.example.com v1.2.3: failed"
    assert message["message"].startswith("This is a test: nothing was deployed.")


def test_for_scripts_it_is_one_object(path: Path, web: Web) -> None:
    result = call(path, "notify", "--json")
    assert result.return_value == 1
    first, second = json.loads(result.output)["receivers"]
    assert first == {"receiver": "JSON at 127.0.0.1 (urls[0])", "accepted": True, "failure": ""}
    assert (second["accepted"], second["failure"]) == (False, "it could not be reached")
    assert "urls[0]): accepted\n" in json.loads(result.output)["detail"]
    assert len(web.wait(1)) == 1


def test_each_instance_has_its_own(path: Path, web: Web) -> None:
    result = call(path, "pager", "--application", "blog", "--state", "recovered")
    assert (result.return_value, result.output) == (0, "JSON at 127.0.0.1 (urls[0]): accepted\n")
    assert web.wait(1)[0]["message"] == "blog recovered"
