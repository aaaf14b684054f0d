from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from duct_tape.listener import sweep as module
from duct_tape.listener.sweep import Sweep


@contextmanager
def handle(path: Path) -> Iterator[int]:
    opened = os.open(path, os.O_DIRECTORY)
    yield opened
    os.close(opened)


def filled(path: Path, *names: str) -> Path:
    path.mkdir()
    for name in names:
        (path / name).touch()
    return path


NAMES = [f"file{number}" for number in range(25)]


def test_portions_make_up_a_round_and_rounds_repeat(tmp_path: Path) -> None:
    with handle(filled(tmp_path / "a", *NAMES)) as folder, closing(Sweep(10)) as sweep:
        for _ in range(2):
            portions = [sweep.take(folder), sweep.take(folder)]
            assert sweep.more
            portions.append(sweep.take(folder))
            assert not sweep.more
            assert [len(portion) for portion in portions] == [10, 10, 5]
            assert sorted(itertools.chain(*portions)) == sorted(NAMES)


def test_others_may_list_the_folder_meanwhile(tmp_path: Path) -> None:
    with handle(filled(tmp_path / "a", *NAMES)) as folder, closing(Sweep(10)) as sweep:
        found = sweep.take(folder)
        assert len(os.listdir(folder)) == 25
        assert sorted(found + sweep.take(folder) + sweep.take(folder)) == sorted(NAMES)


def test_own_names_are_left_out_and_cost_no_more_than_a_part_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_READ", 10)
    path = filled(tmp_path / "a", "app", *(f".{name}" for name in NAMES))
    with handle(path) as folder, closing(Sweep(5, own=True)) as sweep:
        portions: list[list[str]] = []
        while not portions or sweep.more:
            portions.append(sweep.take(folder))
    assert len(portions) == 3
    assert list(itertools.chain(*portions)) == ["app"]


def test_another_folder_is_another_round(tmp_path: Path) -> None:
    with (
        handle(filled(tmp_path / "a", *NAMES)) as first,
        handle(filled(tmp_path / "b", "x")) as second,
        closing(Sweep(10)) as sweep,
    ):
        sweep.take(first)
        assert sweep.take(second) == ["x"]
        assert len(sweep.take(first)) == 10


def test_it_leaves_no_handle_open(tmp_path: Path) -> None:
    with handle(filled(tmp_path / "a", *NAMES)) as folder:
        before = len(os.listdir("/proc/self/fd"))
        sweep = Sweep(10)
        sweep.take(folder)
        sweep.close()
        sweep.close()
        assert not sweep.more
        assert len(os.listdir("/proc/self/fd")) == before


def test_a_folder_that_was_removed_is_empty(tmp_path: Path) -> None:
    with handle(filled(tmp_path / "a", *NAMES)) as folder, closing(Sweep(100)) as sweep:
        shutil.rmtree(tmp_path / "a")
        assert sweep.take(folder) == []


def test_a_listing_that_fails_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing:
        def __next__(self) -> None:
            raise OSError(116, "Stale file handle")

        def close(self) -> None:
            pass

    with handle(filled(tmp_path / "a", *NAMES)) as folder, closing(Sweep(100)) as sweep:
        with monkeypatch.context() as patch:
            patch.setattr(os, "scandir", lambda _: Failing())
            with pytest.raises(OSError, match="Stale"):
                sweep.take(folder)
        assert len(sweep.take(folder)) == 25
