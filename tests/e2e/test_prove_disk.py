"""A disk that fails: ``scripts/prove disk`` in short."""

from __future__ import annotations

import pytest
from tests.e2e.prove_support import needs_compiler, prove

from proofs.bad_disk import FAULTS


@needs_compiler
@pytest.mark.parametrize("store", ["journal", "volume"])
def test_a_disk_that_fails_loses_nothing_and_needs_nobody(store: str) -> None:
    rows = prove("disk", "--store", store, "--without-mounts")["faults"]
    assert [row["fault"] for row in rows][: len(FAULTS)] == list(FAULTS)
    assert sum(row["lost"] for row in rows) == 0
    refused, accepted = sum(row["refused"] for row in rows), sum(row["accepted"] for row in rows[: len(FAULTS)])
    assert (refused > 0, accepted > 0) == ((True, False) if store == "journal" else (False, True))
