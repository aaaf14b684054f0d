"""Senders: signed releases on connections that are kept alive, and a record of every answer."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import frozen

from duct_tape_github import receive
from duct_tape_github.sample import release_payload
from proofs.machine import SECRET
from signing import github_signature

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
PATH = "/integrations/github"


@frozen
class Answer:
    """What a sender sees.

    :param headers: their names in small letters.
    """

    code: int
    headers: Mapping[str, str]
    body: Mapping[str, Any]

    @property
    def runs(self) -> list[str]:
        """Ids of the runs that the answer accepts."""
        return [run["id"] for run in self.body.get("runs", ())] if self.code < 300 else []


class Connection:
    """One connection, opened again when it breaks."""

    def __init__(self, port: int, path: str = PATH) -> None:
        self._path = path
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=20)

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer | None:
        """The answer, or None when there is none."""
        try:
            self._http.request("POST", self._path, body, dict(headers))
            answer = self._http.getresponse()
            said = {name.lower(): value for name, value in answer.getheaders()}
            # Other servers than ours have nothing to say.
            return Answer(answer.status, said, json.loads(answer.read() or b"{}"))
        except (OSError, http.client.HTTPException, ValueError):
            self._http.close()
            return None

    def close(self) -> None:
        self._http.close()


class Senders:
    """One sender for each application: its releases in order, each again and again until it is accepted.

    :param rate: releases per second of all together; as many as possible when it is 0.
    """

    def __init__(self, port: int, names: Sequence[str], rate: float = 0.0) -> None:
        self.accepted: dict[str, tuple[str, int]] = {}
        self.answers: Counter[str] = Counter()
        self._port, self._interval = port, len(names) / rate if rate else 0.0
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._send, args=(name,), daemon=True) for name in names]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop when the requests on their way are answered."""
        self._stop.set()
        for thread in self._threads:
            if thread.ident:
                thread.join()

    def _send(self, name: str) -> None:
        connection, due = Connection(self._port), time.monotonic()
        for number in itertools.count(1):
            body, headers = delivery(name, number)
            while not self._stop.is_set() and not self._accepted(name, number, connection.post(body, headers)):
                self._stop.wait(0.01)
            due += self._interval
            if self._stop.wait(max(0.0, due - time.monotonic())):
                break
        connection.close()

    def _accepted(self, name: str, number: int, answer: Answer | None) -> bool:
        """Count an answer; whether the sender goes on to its next release."""
        with self._lock:
            self.answers["none" if answer is None else f"{answer.code} {answer.body.get('status')}"] += 1
            if answer is None:
                return False
            self.accepted |= dict.fromkeys(answer.runs, (name, number))
        return answer.code < 500


def delivery(name: str, number: int) -> tuple[bytes, dict[str, str]]:
    """The release ``v<number>``, signed; each is a second younger than the one before."""
    moment = (FIRST + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = json.dumps(release_payload(f"acme/{name}", tag=f"v{number}", published_at=moment)).encode()
    headers = dict(receive.simulated("release", body).headers)
    return body, {**headers, receive.SIGNATURE: github_signature(SECRET, body)}
