"""A whole server: from a registry's delivery to the flag."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from duct_tape.api import Sample
from duct_tape.testing import Harness

SECRET = "0123456789abcdefghijklmn"
CONFIGURATION = """
[triggers.deploy]
action = "touch-file"
[plugins.touch-file]
[plugins.registry]
kind = "{kind}"
secrets = [{{ env = "SECRET" }}]
triggers = ["deploy"]
[plugins.registry.repositories."acme/shop"]
application = "shop.example.com"
tags = ["v*"]
"""
IMAGE = Sample(repository="acme/shop", kind="package", tag="v1.0.0")


@pytest.fixture(params=["docker-hub", "ghcr"])
def server(
    request: pytest.FixtureRequest, ducttape: Callable[..., Harness], monkeypatch: pytest.MonkeyPatch
) -> Harness:
    monkeypatch.setenv("SECRET", SECRET)
    return ducttape(CONFIGURATION.format(kind=request.param))


def test_an_image_becomes_a_flag_once(server: Harness) -> None:
    assert server.send("registry", IMAGE, signed=False).status_code == 401
    assert server.send("registry", IMAGE).status_code == 202
    assert server.send("registry", IMAGE).json()["status"] == "duplicate"
    server.settle()
    flag = json.loads(server.flags()["shop.example.com"])
    assert (flag["repository"], flag["tag"]) == ("acme/shop", "v1.0.0")


def test_an_older_image_does_not_replace_a_newer_one(server: Harness) -> None:
    assert server.send("registry", IMAGE).status_code == 202
    older = Sample(repository="acme/shop", kind="package", tag="v0.9", published_at="2020-01-01T00:00:00Z")
    assert server.send("registry", older).json()["status"] == "ignored"


@pytest.mark.parametrize("sample", [Sample(repository="acme/other"), Sample(repository="acme/shop", tag="latest")])
def test_what_is_of_no_interest_is_no_failure(server: Harness, sample: Sample) -> None:
    answer = server.send("registry", sample)
    assert (answer.status_code, answer.json()["status"], server.runs()) == (200, "ignored", [])
