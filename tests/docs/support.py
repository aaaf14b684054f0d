"""Reading the pages: their code blocks, their tables, their marked places."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
# With this variable set, what is generated is written into the pages instead of being compared.
WRITE = "DUCT_TAPE_WRITE_DOCS"

_FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)


@frozen
class Block:
    """One fenced block.

    :param language: the first word behind the fence.
    :param mark: what stands behind it, for the tests only.
    """

    page: str
    line: int
    language: str
    mark: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """Everything that people read."""
    found = [path for path in DOCS.rglob("*.md") if "_build" not in path.parts]
    return sorted([*found, *ROOT.glob("*.md")])


def blocks(*languages: str) -> list[Block]:
    """All blocks in one of the languages."""
    return [block for path in pages() for block in blocks_of(path) if block.language in languages]


def blocks_of(path: Path) -> Iterator[Block]:
    """The blocks of one page."""
    text = path.read_text("utf-8")
    for found in _FENCE.finditer(text):
        language, _, mark = found["info"].strip().partition(" ")
        body = re.sub(rf"^{found['indent']}", "", found["text"], flags=re.MULTILINE)
        line = text.count("\n", 0, found.start()) + 1
        yield Block(str(path.relative_to(ROOT)), line, language, mark.strip(), body)


def page(name: str) -> str:
    """The text of a page below docs/."""
    return (DOCS / name).read_text("utf-8")


def with_notify(folder: Path) -> None:
    """Switch `notify` on in a configuration folder; the starter does not."""
    (folder / "conf.d").mkdir(exist_ok=True)
    (folder / "chat-url").write_text("json://127.0.0.1:9/")
    (folder / "conf.d/notify.toml").write_text(
        f"[plugins.notify]\nurls = [{{ file = '{folder}/chat-url' }}]\n"
        f"[plugins.pager]\nuse = 'notify'\nurls = [{{ file = '{folder}/chat-url' }}]\n"
    )


def with_senders(folder: Path, *names: str) -> None:
    """Switch on senders beside GitHub, which have their command `send` then."""
    (folder / "sender").write_text("4f1d0c5a9b3e4c7d8a6f")
    for name in names:
        kind = "kind = 'ghcr'\n" if name == "registry" else ""
        text = f"[plugins.{name}]\n{kind}secrets = [{{ file = '{folder}/sender' }}]\n"
        (folder / f"conf.d/{name}.toml").write_text(text)


def with_rules(folder: Path) -> None:
    """Switch on the sender without a plugin that the pages call `ci`."""
    (folder / "secrets").mkdir(exist_ok=True)
    (folder / "secrets/ci").write_text("4f1d0c5a9b3e4c7d8a6f")
    secrets = f"secrets = [{{ file = '{folder}/secrets/ci' }}]"
    text = f"[plugins.ci]\nuse = 'webhook'\n{secrets}\ntoken = {{ header = 'X-Token' }}\n"
    (folder / "conf.d/ci.toml").write_text(text)


def rows(text: str) -> list[list[str]]:
    """The cells of the first table in ``text``, without its heading."""
    table = re.search(r"^\|.*\n\|[-|]+\|\n((?:\|.*\n?)*)", text, re.MULTILINE)
    assert table, "there is no table"
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table[1].splitlines()]


def after(text: str, marker: str) -> str:
    """What follows a marker, which must be there exactly once."""
    assert text.count(marker) == 1, f"{marker!r} is there {text.count(marker)} times"
    return text.partition(marker)[2]


def commands(text: str) -> Iterator[str]:
    """The commands of a console block: what follows ``$``, with continued lines joined."""
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith("$ "):
            yield line[2:]


def hold(path: Path, start: str, end: str, generated: str) -> None:
    """Compare what stands between two markers with what it must be, or write it there."""
    text = path.read_text("utf-8")
    before, _, rest = text.partition(start)
    old, _, behind = rest.partition(end)
    assert rest, f"{path}: there is no {start!r}"
    assert behind or rest.endswith(end), f"{path}: there is no {end!r} after {start!r}"
    if os.environ.get(WRITE):
        path.write_text(f"{before}{start}{generated}{end}{behind}", "utf-8")
    else:
        assert old == generated, f"{path} is out of date: {WRITE}=1 scripts/test tests/docs writes it anew"
