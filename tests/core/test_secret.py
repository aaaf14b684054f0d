"""Secrets by reference: what is refused, and that the value is in no text."""

from __future__ import annotations

import errno
import re
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duct_tape.secret import PLACEHOLDERS, Secret, resolve

VALUE = "hunter2-" + "0123456789abcdef" * 3
ASSIGNED = re.compile(r"""(?:SECRET|TOKEN)\s*[=:]\s*["']?([^\s"'{}$()]+)""")


def test_a_secret_from_the_environment() -> None:
    secret = resolve({"env": "HOOK"}, {"HOOK": VALUE})
    assert secret == Secret("environment variable HOOK", VALUE.encode())
    assert secret.reveal() == VALUE.encode()


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"abc123-of-16-byte", b"abc123-of-16-byte"),
        (b"abc123-of-16-byte\n", b"abc123-of-16-byte"),
        (b"abc123-of-16-byte\r\n", b"abc123-of-16-byte"),
        (b"abc123-of-16-byte\n\n", b"abc123-of-16-byte\n"),
        (b" abc123-of-16-byte ", b" abc123-of-16-byte "),
        (b"\xff\x00\xfe0123456789abcd", b"\xff\x00\xfe0123456789abcd"),
    ],
)
def test_a_secret_from_a_file_loses_one_line_end_and_nothing_else(tmp_path: Path, content: bytes, value: bytes) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content)
    secret = resolve({"file": str(file)})
    assert secret.reveal() == value
    assert secret.source == f"file {file}"


def test_bytes_outside_utf8_survive_the_environment() -> None:
    value = b"\xffabc" + VALUE.encode()
    assert resolve({"env": "X"}, {"X": value.decode("utf-8", "surrogateescape")}).reveal() == value


@pytest.mark.parametrize(
    "reference",
    [None, True, 1, VALUE, [VALUE], [], {}, {"env": "A", "file": "B"}, {"value": VALUE}, {"env": ""}, {"env": 1}],
)
def test_what_is_no_reference(reference: Any) -> None:
    with pytest.raises(ValueError, match=r'^expected \{ env = "NAME" \} or \{ file = "PATH" \}') as caught:
        resolve(reference)
    assert VALUE not in str(caught.value)


@pytest.mark.parametrize("value", ["", " ", "\n", "\t \r\n"])
def test_an_empty_secret_is_none(tmp_path: Path, value: str) -> None:
    with pytest.raises(
        ValueError, match=r"^the environment variable X is empty; `openssl rand -hex 32` makes a secret$"
    ):
        resolve({"env": "X"}, {"X": value})
    (tmp_path / "secret").write_text(value)
    with pytest.raises(ValueError, match=r"secret is empty; `openssl"):
        resolve({"file": str(tmp_path / "secret")})


@pytest.mark.parametrize("value", [*sorted(PLACEHOLDERS), b" ChangeMe\n", b"x" * 64, b"01" * 32])
def test_a_placeholder_is_no_secret(value: bytes) -> None:
    with pytest.raises(ValueError, match=r"^the environment variable X holds a placeholder, not a secret; `openssl"):
        resolve({"env": "X"}, {"X": value.decode()})


@pytest.mark.parametrize("value", ["7f3c9", "7f3c9b21a0d84e6", " 7f3c9b21a0d84e6 "])
def test_a_secret_that_can_be_guessed_is_none(value: str) -> None:
    with pytest.raises(
        ValueError, match=r"^the environment variable X is shorter than 16 characters; `openssl"
    ) as caught:
        resolve({"env": "X"}, {"X": value})
    assert value not in str(caught.value)


def test_a_short_secret_that_nothing_is_signed_with_will_do() -> None:
    assert resolve({"env": "X"}, {"X": "syslog://"}).reveal() == b"syslog://"
    assert resolve({"env": "X"}, {"X": "7f3c9b21a0d84e65"}).reveal() == b"7f3c9b21a0d84e65"


def test_no_page_or_sample_has_a_secret_that_would_do() -> None:
    # Whatever can be copied from here is known to everybody.
    root = Path(__file__).parents[2]
    files = [root / "README.md", root / "compose.yaml", *root.glob("conf/*"), *root.glob("docs/**/*.md")]
    found = [
        (file.name, value) for file in files if file.is_file() for value in ASSIGNED.findall(file.read_text("utf-8"))
    ]
    for file, value in found:
        with pytest.raises(ValueError, match=r"placeholder|shorter|empty"):
            pytest.fail(f"{file}: {resolve({'env': 'X'}, {'X': value})}")


def test_what_leads_nowhere_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conf").mkdir()
    with pytest.raises(ValueError, match=r"^the environment variable HOOK_SECRET is not set; set it for every command"):
        resolve({"env": "HOOK_SECRET"}, {})
    for path in ("/run/secrets/hook", "conf/hook", "./hook"):
        with pytest.raises(
            ValueError, match=rf"^the file {path} cannot be read \((No such file or|Not a) directory\); "
        ):
            resolve({"file": path})
    with pytest.raises(ValueError, match=r"cannot be read \(Is a directory\); name the file that holds the secret$"):
        resolve({"file": str(tmp_path)})


@pytest.mark.parametrize(
    ("path", "advice"),
    [
        ("conf/secrets/github", "`duct-tape init` makes it"),
        ("conf/secrets/other", "`openssl rand -hex 32` makes a secret, to be put there"),
    ],
)
def test_what_to_do_about_a_missing_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, advice: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conf").mkdir()
    with pytest.raises(ValueError, match="cannot be read") as caught:
        resolve({"file": path})
    assert str(caught.value) == f"the file {path} cannot be read (No such file or directory); {advice}"


def test_what_to_do_about_a_file_of_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*arguments: object) -> NoReturn:
        # Not by its mode: the tests may run as root.
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(ValueError, match=r"\(Permission denied\); the server's user needs the right to read it"):
        resolve({"file": str(tmp_path / "secret")})


def test_a_file_that_never_ends_is_no_secret() -> None:
    with pytest.raises(ValueError, match=r"^the file /dev/zero is too large to be a secret$"):
        resolve({"file": "/dev/zero"})


@pytest.mark.parametrize("kind", ["env", "file"])
@pytest.mark.parametrize("value", [VALUE, "c2VjcmV0/c2VjcmV0+c2VjcmV0==", "geheim wort", "x" * 5000])
def test_a_secret_in_the_place_of_its_name_is_not_shown(kind: str, value: str) -> None:
    with pytest.raises(ValueError, match=r"is not set; write its name there|cannot be read") as caught:
        resolve({kind: value}, {})
    assert value not in str(caught.value)


def test_the_value_is_in_no_representation() -> None:
    secret = resolve({"env": "X"}, {"X": VALUE})
    assert VALUE not in f"{secret} {[secret]!r}"
    assert "environment variable X" in repr(secret)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["env", "file", "x"]), inner),
        max_leaves=5,
    ),
    st.dictionaries(st.text(max_size=3), st.text(max_size=5), max_size=3),
)
def test_any_reference_gives_a_secret_or_a_sentence(reference: Any, environ: dict[str, str]) -> None:
    try:
        secret = resolve(reference, environ)
    except ValueError:
        return
    assert secret.reveal().strip()
