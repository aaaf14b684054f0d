"""Reading a filter. Total: any text gives a condition or a ``FilterError``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from duct_tape.errors import FilterError
from duct_tape.filters.conditions import (
    COMPARISONS,
    Condition,
    Operand,
    Unknown,
    boolean,
    combined,
    comparison,
    negation,
    reading,
    shown,
)

MAX_SOURCE = 4096
MAX_DEPTH = 32
# Python takes half a second to compile the worst pattern of 4,000 characters.
MAX_PATTERN = 1000

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>-?[0-9]{1,18}(?:\.[0-9]{1,18})?)(?![A-Za-z0-9_.])
      | (?P<text>"[^"\\]*"|'[^'\\]*')
      | (?P<word>[A-Za-z_][A-Za-z0-9_-]*)
      | (?P<sign>==|!=|<=|>=|[<>()\[\],.])
      | (?P<wrong>\S)
    )""",
    re.VERBOSE,
)
_MEMBERS = "a list holds texts, numbers, true and false only"
_WORDS = frozenset("and or not in matches contains exists true false".split())


def parsed(source: str) -> Condition:
    """The condition that a text says.

    :raises FilterError: it says none; the error says where.
    """
    return _Parser(source).parsed()


class _Parser:
    """Recursive descent; ``or`` binds least, then ``and``, ``not``, comparisons."""

    def __init__(self, source: str) -> None:
        if len(source) > MAX_SOURCE:
            raise FilterError(f"the filter is longer than {MAX_SOURCE} characters")
        self._tokens = list(_tokens(source))
        self._at = 0
        self._depth = 0

    def parsed(self) -> Condition:
        condition = self._or()
        if self._at < len(self._tokens):
            self._fail("the filter could end here")
        return condition

    def _or(self) -> Condition:
        return self._joined("or", self._and, deciding=True)

    def _and(self) -> Condition:
        return self._joined("and", self._not, deciding=False)

    def _joined(self, word: str, part: Callable[[], Condition], deciding: bool) -> Condition:
        parts = [part()]
        while self._take("word", word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else lambda values: combined(parts, values, deciding)

    def _not(self) -> Condition:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FilterError("the filter is nested too deep")
        try:
            if self._take("word", "not"):
                return negation(self._not())
            if self._take("sign", "("):
                inner = self._or()
                self._expect("sign", ")")
                return inner
            return self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> Condition:
        if self._take("word", "exists"):
            path = self._path()
            return lambda values: not isinstance(path.read(values), Unknown)
        left = self._operand()
        kind, text = self._peek()
        if (kind, text) == ("word", "not"):
            self._at += 1
            self._expect("word", "in")
            return negation(comparison("in", left, self._operand()))
        if text not in COMPARISONS:
            return lambda values: boolean(left, values)
        self._at += 1
        right = self._patterns() if text == "matches" else self._operand()
        return comparison(text, left, right)

    def _patterns(self) -> Operand:
        operand = self._operand()
        patterns = operand.read({}) if operand.literal else None
        if isinstance(patterns, str):
            patterns = [patterns]
        if not isinstance(patterns, list) or not all(isinstance(pattern, str) for pattern in patterns):
            self._fail('`matches` needs a pattern such as "v*", or a list of patterns', back=1)
        if any(len(pattern) > MAX_PATTERN for pattern in patterns):
            self._fail(f"a pattern is longer than {MAX_PATTERN} characters", back=1)
        return Operand(operand.shown, lambda _: patterns, literal=True)

    def _operand(self) -> Operand:
        kind, text = self._peek()
        if kind == "number":
            self._at += 1
            number = float(text) if "." in text else int(text)
            return Operand(text, lambda _: number, literal=True)
        if kind == "text":
            self._at += 1
            return Operand(text, lambda _: text[1:-1], literal=True)
        if kind == "word" and text in ("true", "false"):
            self._at += 1
            return Operand(text, lambda _: text == "true", literal=True)
        return self._list() if (kind, text) == ("sign", "[") else self._path()

    def _list(self) -> Operand:
        self._expect("sign", "[")
        items: list[Any] = []
        while not self._take("sign", "]"):
            if items:
                self._expect("sign", ",")
            # Asked before it is read: lists in lists could be nested without an end.
            if self._peek() == ("sign", "["):
                self._fail(_MEMBERS)
            item = self._operand()
            if not item.literal:
                self._fail(_MEMBERS, back=1)
            items.append(item.read({}))
        return Operand("the list", lambda _: items, literal=True)

    def _path(self) -> Operand:
        kind, text = self._peek()
        if kind != "word" or text in _WORDS:
            self._fail("a name such as `payload.ref` or a value belongs here")
        self._at += 1
        keys: list[str | int] = [text]
        while True:
            if self._take("sign", "."):
                keys.append(self._expect("word"))
            elif self._take("sign", "["):
                kind, text = self._peek()
                if kind != "text" and not (kind == "number" and text.isdigit()):
                    self._fail('a key such as ["a key"] or a place such as [0] belongs here')
                self._at += 1
                keys.append(text[1:-1] if kind == "text" else int(text))
                self._expect("sign", "]")
            else:
                return Operand(shown(keys), lambda values: reading(values, keys))

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at][:2] if self._at < len(self._tokens) else ("end", "")

    def _take(self, kind: str, text: str) -> bool:
        taken = self._peek() == (kind, text)
        self._at += taken
        return taken

    def _expect(self, kind: str, text: str = "") -> str:
        found = self._peek()
        if found[0] != kind or (text and found[1] != text):
            self._fail(f"`{text}` belongs here" if text else "a name belongs here")
        self._at += 1
        return found[1]

    def _fail(self, message: str, back: int = 0) -> NoReturn:
        at = min(self._at - back, len(self._tokens) - 1)
        if not self._tokens or self._at - back >= len(self._tokens):
            raise FilterError(f"the filter ends too early: {message}")
        _, text, column = self._tokens[at]
        raise FilterError(f"at column {column}, `{text[:40]}`: {message}")


def _tokens(source: str) -> Iterator[tuple[str, str, int]]:
    for found in _TOKEN.finditer(source.rstrip()):
        kind = found.lastgroup or ""
        text, column = found[kind], found.start(kind) + 1
        if kind == "wrong":
            raise FilterError(f"at column {column}: `{text}` has no meaning in a filter")
        yield kind, text, column
