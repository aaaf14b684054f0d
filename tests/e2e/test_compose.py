"""What compose.yaml takes away is what scripts/test-container shows in a running container."""

from __future__ import annotations

import pytest
from tests.listener_support import ROOT

COMPOSE = [line.strip() for line in (ROOT / "compose.yaml").read_text().splitlines()]
CONTAINER = (ROOT / "scripts" / "test-container").read_text()


@pytest.mark.parametrize(
    ("line", "option"),
    [
        ("read_only: true", "--read-only --tmpfs /tmp"),
        ("- /tmp", "--tmpfs /tmp"),
        ("- ALL", "--cap-drop ALL"),
        ("- no-new-privileges", "--security-opt no-new-privileges"),
        ("mem_limit: 512m", "--memory 512m"),
        ("pids_limit: 64", "--pids-limit 64"),
        ('user: "10001:${DUCT_TAPE_GID:-10001}"', '--user "10001:$gid"'),
    ],
)
def test_every_restriction_is_tried(line: str, option: str) -> None:
    assert line in COMPOSE
    assert option in CONTAINER


@pytest.mark.parametrize(
    "word", ["privileged", "docker.sock", "seccomp", "unconfined", "network_mode", "pid:", "cap_add"]
)
def test_nothing_gives_more(word: str) -> None:
    assert not [line for line in COMPOSE if word in line.replace("no-new-privileges", "") and not line.startswith("#")]


def test_the_image_is_not_roots() -> None:
    users = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("USER ")]
    assert users == ["USER 10001:10001"]


def test_only_the_journal_and_the_flags_can_be_written() -> None:
    # Once for the mount of conf, once for the root file system.
    at = [number for number, line in enumerate(COMPOSE) if line == "read_only: true"]
    conf, flags, root = (COMPOSE.index(line) for line in ("source: ./conf", "source: ./shared_volume", "tmpfs:"))
    assert len(at) == 2
    assert conf < at[0] < flags < at[1] < root
