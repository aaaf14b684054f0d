"""Floods of every kind keep no release out: ``scripts/pressure`` in short; and times tell nothing of a signature."""

from __future__ import annotations

import hmac
import http.server
import threading
from argparse import Namespace

import pytest
from tests.e2e.prove_support import prove

from proofs import pressure, timing
from proofs.senders import Connection


@pytest.mark.alone
def test_releases_come_through_every_flood_and_memory_stays_bounded() -> None:
    # A test machine may be busy with other tests too. The script itself demands one second.
    result = prove("pressure", "--seconds", "1", "--limit", "10")
    assert {row["attack"] for row in result["attacks"]} == set(pressure.ATTACKS)
    assert all(row["releases"] and not row["refused"] and row["memory"] < 200 for row in result["attacks"])
    assert result["not_deployed"] == 0


ROW = {"attack": "idle", "releases": 9, "refused": 0, "slowest": 0.5, "memory": 100.0}


@pytest.mark.parametrize(
    ("worse", "waiting", "told"),
    [
        ({}, 0, 0),
        ({"slowest": 1.5}, 0, 1),
        ({"refused": 1}, 0, 1),
        ({"memory": 201.0}, 0, 1),
        ({"memory": 201.0, "slowest": 2.0}, 1, 3),
    ],
)
def test_every_figure_that_is_wrong_is_told(worse: dict[str, float], waiting: int, told: int) -> None:
    figures = {"not_deployed": waiting, "attacks": [ROW, {**ROW, **worse}]}
    assert len(list(pressure.broken(figures, 1.0))) == told


def test_an_answer_of_another_server_counts_whatever_it_says() -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        answer = Connection(server.server_port).post(b"{}", {})
        thread.join()
    assert answer is not None
    assert (answer.code, answer.runs) == (200, [])


@pytest.mark.alone
def test_the_time_of_a_comparison_tells_nothing() -> None:
    assert prove("timing", "--samples", "20000")["broken"] == []


@pytest.mark.alone
def test_a_comparison_that_ends_early_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def early(one: bytes, two: bytes) -> bool:
        return all(a == b for a, b in zip(one, two, strict=True))

    monkeypatch.setattr(hmac, "compare_digest", early)
    assert timing.prove(Namespace(samples=2000, rounds=2)).broken


def test_welchs_t() -> None:
    assert timing.welch([1, 2, 3], [1, 2, 3]) == 0
    assert timing.welch([2, 2], [2, 2]) == 0
    assert timing.welch([1, 1], [2, 2]) == -float("inf")
    assert timing.welch([1, 2, 3], [2, 3, 4, 5, 6]) == pytest.approx(-2.1909, abs=1e-4)
