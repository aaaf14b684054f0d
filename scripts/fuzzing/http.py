"""A server in a process of its own, and senders and strangers on its socket, in any order.

The model is what was accepted: after each step every flag in the volume has to be of a release that may be deployed.
"""

from __future__ import annotations

import json
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.database import InMemoryExampleDatabase
from hypothesis.stateful import run_state_machine_as_test

from fuzzing.senders import Senders
from fuzzing.server import Fuzzed

STEPS = 40
# Between two looks at the clock.
EXAMPLES = 5


def fuzz(seconds: float, folder: Path, number: int = 0) -> dict[str, Any]:
    """The figures of this target.

    :param number: the same number tries the same requests in the same order.
    """
    found = ""
    (folder / "findings").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="duct-tape-fuzz-") as temporary, Fuzzed(Path(temporary)) as server:
        end = time.monotonic() + seconds
        while not found and time.monotonic() < end:
            found = _examples(server, number)
            number += 1
        found = found or server.ends()
        answers = dict(sorted(server.answers.items()))
    if found:
        path = folder / "findings" / f"http-{number - 1}"
        path.write_text(json.dumps({"seed": number - 1, "found": found}))
        found = f"{found} (--seed {number - 1} does it again; {path})"
    return {"target": "http", "inputs": sum(answers.values()), "answers": answers, "found": found}


def _examples(server: Fuzzed, number: int) -> str:
    machine = type("Machine", (Senders,), {"server": server})
    chosen = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        # What was accepted stays so: an example cannot be run again on a server that knows it.
        phases=[Phase.generate],
        database=InMemoryExampleDatabase(),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    try:
        run_state_machine_as_test(seed(number)(machine), settings=chosen)
    except Exception as error:
        first: BaseException = error
        # Hypothesis tries it again, and wonders at a server that remembers the first time.
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        where = traceback.extract_tb(first.__traceback__)[-2]
        return f"{type(first).__name__}: {first} ({where.name}, line {where.lineno})"
    return ""
