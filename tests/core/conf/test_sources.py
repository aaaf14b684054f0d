"""Which files are read, how they are merged, and what is said when they cannot be."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duct_tape.conf.sources import Sources, dotted, read, undotted
from duct_tape.errors import ConfigurationError

Write = Callable[..., Path]


def said(sources: Sources) -> list[str]:
    return [str(problem) for problem in sources.problems]


def test_the_default_file_is_relative_to_the_working_directory(write: Write) -> None:
    write("[server]\nmax_body = 1\n")
    sources = read(environ={})
    assert sources.path == Path("conf/duct_tape.toml")
    assert sources.data == {"server": {"max_body": 1}}
    assert sources.problems == []


def test_a_path_and_a_variable_point_elsewhere(write: Write, tmp_path: Path) -> None:
    write("a = 1", "one.toml")
    write("a = 2", "two.toml")
    write("a = 3", "three/duct_tape.toml")
    assert read(environ={"DUCT_TAPE_CONFIG": "one.toml"}).data == {"a": 1}
    assert read(tmp_path / "two.toml", {"DUCT_TAPE_CONFIG": "one.toml"}).data == {"a": 2}
    assert read(Path("three"), {}).data == {"a": 3}
    assert read(Path(os.devnull), {}).data == {}


def test_without_a_file_nothing_is_read(folder: Path) -> None:
    for environ, name in (({}, "conf/duct_tape.toml"), ({"DUCT_TAPE_CONFIG": "x.toml"}, "x.toml")):
        with pytest.raises(ConfigurationError) as caught:
            read(environ=environ)
        assert str(caught.value) == (
            f"there is no configuration file {name}; `duct-tape init` writes one; "
            "--config or DUCT_TAPE_CONFIG point elsewhere"
        )


@pytest.mark.parametrize(("name", "why"), [("a" * 300, "File name too long"), ("file/x.toml", "Not a directory")])
def test_a_path_that_leads_nowhere(folder: Path, name: str, why: str) -> None:
    (folder / "file").touch()
    with pytest.raises(ConfigurationError, match=rf"^the file cannot be read: {why} \({name}\)$"):
        read(Path(name), {})


def test_drop_ins_are_merged_in_the_order_of_their_names(write: Write) -> None:
    write('[plugins.a]\n[plugins.github.repositories."x/y"]\napplication = "x"\n')
    write("[plugins.z]\n", "conf/conf.d/20.toml")
    write('[plugins.m]\n[plugins.github.repositories."p/q"]\napplication = "p"\n', "conf/conf.d/10.toml")
    write("not TOML", "conf/conf.d/notes.txt")
    write("not TOML", "conf/conf.d/.10.toml.swp.toml")
    sources = read(environ={})
    assert sources.problems == []
    assert list(sources.data["plugins"]) == ["a", "github", "m", "z"]
    assert list(sources.data["plugins"]["github"]["repositories"]) == ["x/y", "p/q"]
    assert sources.file(("plugins", "github", "repositories", "p/q", "application")) == "conf/conf.d/10.toml"
    assert sources.file(("plugins", "github")) == "conf/duct_tape.toml"
    assert sources.file(("plugins", "z", "unknown", 3)) == "conf/conf.d/20.toml"
    assert sources.file(()) == "conf/duct_tape.toml"


def test_a_key_that_is_set_twice_names_both_files(write: Write) -> None:
    write('[volume]\npath = "a"\n[triggers.deploy]\naction = "x"\n')
    write('[volume]\npath = "b"\n', "conf/conf.d/10.toml")
    write('[volume]\npath = "c"\n[triggers]\ndeploy = 1\n', "conf/conf.d/20.toml")
    sources = read(environ={})
    assert said(sources) == [
        "volume.path is set twice, in conf/duct_tape.toml and in conf/conf.d/10.toml; keep one",
        "volume.path is set twice, in conf/duct_tape.toml and in conf/conf.d/20.toml; keep one",
        "triggers.deploy is set twice, in conf/duct_tape.toml and in conf/conf.d/20.toml; keep one",
    ]
    assert sources.data["volume"] == {"path": "a"}


def test_an_overlay_replaces_values(write: Write) -> None:
    write('[volume]\npath = "a"\n[admin]\ntoken = { env = "A" }\n[server]\nbind = ["a:1", "b:2"]\n')
    overlay = (
        '[volume]\npath = "b"\n[admin]\ntoken = { file = "/run/t" }\n[server]\nbind = ["c:3"]\n[log]\nlevel = "debug"\n'
    )
    write(overlay, "conf/duct_tape.prod.toml")
    sources = read(environ={"DUCT_TAPE_ENV": "prod"})
    assert sources.problems == []
    assert sources.data == {
        "volume": {"path": "b"},
        "admin": {"token": {"file": "/run/t"}},
        "server": {"bind": ["c:3"]},
        "log": {"level": "debug"},
    }
    assert sources.file(("admin", "token")) == "conf/duct_tape.prod.toml"
    assert read(environ={"DUCT_TAPE_ENV": ""}).data["volume"] == {"path": "a"}


def test_two_references_to_one_secret_are_set_twice(write: Write) -> None:
    write('[admin]\ntoken = { env = "A" }\n')
    write('[admin]\ntoken = { file = "/run/t" }\n', "conf/conf.d/10.toml")
    assert said(read(environ={})) == [
        "admin.token is set twice, in conf/duct_tape.toml and in conf/conf.d/10.toml; keep one"
    ]


def test_a_missing_overlay_is_an_error(write: Write) -> None:
    write("")
    assert said(read(environ={"DUCT_TAPE_ENV": "prod"})) == [
        "DUCT_TAPE_ENV is set, but there is no file conf/duct_tape.prod.toml; write it, or unset DUCT_TAPE_ENV"
    ]


@pytest.mark.parametrize("environment", ["a/b", "../x", "a b", "x" * 101])
def test_an_environment_is_part_of_a_name(write: Write, environment: str) -> None:
    write("")
    (text,) = said(read(environ={"DUCT_TAPE_ENV": environment}))
    assert text.startswith(f"DUCT_TAPE_ENV is '{environment[:80]}', which cannot be part of a file's name; use")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"[server]\nbind = \n", "the file is not TOML: Invalid value (at line 2, column 8)"),
        (b"a = 1\na = 2\n", "the file is not TOML: Cannot overwrite a value (at line 2, column 6)"),
        (b"# \xc3\xbc\n\n'\xff' = 1", "the file is not UTF-8 (at line 3)"),
        ("a = 1".encode("utf-16"), "the file is not UTF-8 (at line 1)"),
        (b"a = " + b"[" * 5000, "the file is nested too deep"),
        (b"a = " + b"{a = " * 5000, "the file is nested too deep"),
        (b".".join([b"a"] * 1200) + b" = 1", "the file is nested too deep"),
        (b"a = " + b"1" * 5000, "the file holds a number that is too long"),
    ],
)
def test_a_file_that_is_not_toml(write: Write, content: bytes, reason: str) -> None:
    write(content)
    assert said(read(environ={})) == [f"{reason} (conf/duct_tape.toml)"]


def test_other_files_are_read_after_a_broken_one(write: Write, folder: Path) -> None:
    write("=")
    (folder / "conf/conf.d/20.toml").mkdir(parents=True)
    (folder / "conf/conf.d/30.toml").symlink_to("nowhere")
    write("[volume]\n=", "conf/conf.d/40.toml")
    found = said(read(environ={}))
    assert [text.rpartition("(")[2] for text in found if "TOML" in text] == [
        "conf/duct_tape.toml)",
        "conf/conf.d/40.toml)",
    ]
    assert "the file cannot be read: Is a directory (conf/conf.d/20.toml)" in found
    assert any(text.startswith("there is no configuration file conf/conf.d/30.toml") for text in found)


def test_drop_ins_that_cannot_be_listed_are_not_passed_over(write: Write) -> None:
    write("")
    write("", "conf/conf.d")
    assert said(read(environ={})) == ["the folder cannot be read: Not a directory (conf/conf.d)"]


def test_a_large_file_is_read(write: Write) -> None:
    write("".join(f'[triggers.t{number}]\naction = "touch-file"\n' for number in range(2000)) + "# " + "x" * 2**20)
    sources = read(environ={})
    assert len(sources.data["triggers"]) == 2000
    assert sources.problems == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("plugins", "github", "secrets", 0), "plugins.github.secrets[0]"),
        (("plugins", "a/b"), 'plugins."a/b"'),
        (("a", ""), 'a.""'),
        (('q"\\', "x"), '"q\\"\\\\".x'),
        (("a\nb\x1b",), '"a\\nb\\u001b"'),
        (("ü",), '"ü"'),
    ],
)
def test_a_path_as_toml_spells_it(path: tuple[str | int, ...], text: str) -> None:
    assert dotted(path) == text


@given(st.binary() | st.text("[]{}=.,\"'a1\n #-:TZ").map(str.encode))
def test_any_bytes_give_data_or_one_problem(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any.toml"
    file.write_bytes(content)
    sources = Sources(file)
    sources.add(file)
    assert len(sources.problems) <= 1


@given(st.lists(st.text(max_size=5) | st.integers(0, 999), max_size=4))
def test_a_spelled_key_path_can_be_read(path: list[str | int]) -> None:
    assert undotted(dotted(tuple(path))) == tuple(path)


@pytest.mark.parametrize(("text", "path"), [("", ()), ("a b", ("a",)), ('a."\\x"', ("a",)), ("a.b[x]", ("a", "b"))])
def test_a_misspelled_key_path_ends_early(text: str, path: tuple[str, ...]) -> None:
    assert undotted(text) == path
