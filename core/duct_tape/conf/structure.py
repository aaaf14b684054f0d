"""Strict structuring of tables into attrs classes: nothing is coerced, every problem is reported."""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime, time
from pathlib import Path
from types import GenericAlias
from typing import Any, Literal, TypeVar, get_args, get_origin

import attrs
import cattrs
from cattrs.errors import ClassValidationError, ForbiddenExtraKeysError, IterableValidationError
from cattrs.gen import make_dict_structure_fn

from duct_tape.conf.options import Address, ApplicationName, HttpUrl, Proxy, Seconds, Size, TriggerName, http_url, proxy
from duct_tape.conf.sources import KeyPath, Sources, dotted, undotted
from duct_tape.errors import FilterError, Problem, TemplateError
from duct_tape.filters import Filter
from duct_tape.secret import Secret, resolve
from duct_tape.templates import Template
from duct_tape.volume import name_problem

T = TypeVar("T")

_NAMES: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    dict: "a table",
    list: "a list",
    datetime: "a date",
    date: "a date",
    time: "a time",
}
# What stands in for a secret that is not there, so that the rest of its table can be looked at.
_NO_SECRET = Secret("nowhere", b"0" * 64)
_ADDRESS = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^\s:\[\]/]+):([0-9]{1,5})|unix:/.+")


class Reader:
    """Structures tables of one configuration.

    :param sources: where the tables come from, for messages.
    :param triggers: the names that a ``TriggerName`` may have.
    """

    def __init__(self, sources: Sources, triggers: Iterable[str] = ()) -> None:
        self._sources = sources
        self._triggers = tuple(triggers)
        self._converter = _converter(self._trigger)

    def read(self, cls: type[T], table: Any, path: KeyPath) -> tuple[T | None, list[Problem]]:
        """An instance of ``cls``, or every reason why there is none.

        Beside what its types say, a class may say more of its instances, in a method
        ``ducttape_problems(self)`` that returns problems with key paths relative to its own table. It is asked
        as long as every value has the right type, also where other values cannot be used.
        """
        problems: list[Problem] = []
        value: T | None = None
        try:
            value = self._converter.structure(table, cls)
        except Exception as error:
            # attrs validators and converters of a plugin's class may raise anything.
            problems += self._problems(error, path)
            with suppress(Exception):
                value = _converter(_exactly(str), lenient=True).structure(table, cls)
        problems += self._own(value, path)
        return (None, problems) if problems else (value, [])

    def _own(self, value: Any, path: KeyPath) -> Iterator[Problem]:
        if isinstance(value, Mapping):
            for key, item in value.items():
                yield from self._own(item, (*path, key))
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                yield from self._own(item, (*path, index))
        elif attrs.has(type(value)):
            yield from self._said(value, path)
            for field in attrs.fields(type(value)):
                if field.init:
                    yield from self._own(getattr(value, field.name), (*path, field.name))

    def _said(self, value: Any, path: KeyPath) -> Iterator[Problem]:
        ask = getattr(value, "ducttape_problems", None)
        try:
            found: list[object] = list(ask()) if callable(ask) else []
        except Exception as error:
            # It is a plugin's.
            yield self._sources.problem(f"`ducttape_problems` failed ({type(error).__name__}: {error}),", path)
            return
        for problem in found:
            if isinstance(problem, Problem):
                here = (*path, *undotted(problem.path))
                yield attrs.evolve(problem, path=dotted(here), file=self._sources.file(here))
            else:
                yield self._sources.problem("`ducttape_problems` returned something else than problems,", path)

    def _trigger(self, value: Any, _: Any) -> TriggerName:
        name = _exactly(str)(value, str)
        if name not in self._triggers:
            known = ", ".join(self._triggers) or "none"
            raise ValueError(f"there is no trigger `{name}` (there are: {known}){suggestion(name, self._triggers)}")
        return TriggerName(name)

    def _problems(self, error: BaseException, path: KeyPath) -> Iterator[Problem]:
        if isinstance(error, ClassValidationError):
            grouped, rest = error.group_exceptions()
            for exception, note in grouped:
                yield from self._attribute(exception, path, note.name)
            for exception in rest:
                yield from self._class(exception, path)
        elif isinstance(error, IterableValidationError):
            items, others = error.group_exceptions()
            for exception, item in items:
                yield from self._problems(exception, (*path, item.index))
            for exception in others:
                yield from self._problems(exception, path)
        else:
            message, _, hint = (str(error) or type(error).__name__).partition("; ")
            yield self._sources.problem(f"{message},", path, hint)

    def _attribute(self, error: BaseException, path: KeyPath, name: str) -> Iterator[Problem]:
        if isinstance(error, KeyError) and error.args == (name,):
            yield self._sources.problem(f"the key `{name}` is missing", path)
        else:
            yield from self._problems(error, (*path, name))

    def _class(self, error: BaseException, path: KeyPath) -> Iterator[Problem]:
        if not isinstance(error, ForbiddenExtraKeysError):
            yield from self._problems(error, path)
            return
        known = [field.name for field in attrs.fields(error.cl) if field.init]
        for key in sorted(error.extra_fields):
            problem = self._sources.problem(f"unknown key `{key}`", path)
            file = self._sources.file((*path, key))
            hint = suggestion(key, known).removeprefix("; ") or f"known keys: {', '.join(known) or 'none'}"
            yield attrs.evolve(problem, file=file, hint=hint)


def suggestion(word: str, known: Iterable[str]) -> str:
    """``; did you mean `x`?`` for the known word that is nearest, or an empty string."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean `{near[0]}`?" if near else ""


def described(value: Any) -> str:
    """The kind of a value, for a message."""
    return _NAMES.get(type(value), type(value).__name__)


def _exactly(*kinds: type) -> Any:
    def hook(value: Any, _: Any) -> Any:
        if type(value) not in kinds:
            # Never the value itself: it may be a secret that was put in the wrong place.
            raise TypeError(f"expected {_NAMES[kinds[0]]} and not {described(value)}")
        return value

    return hook


def _converter(trigger: Any, *, lenient: bool = False) -> cattrs.Converter:
    """The strict one; or one that takes every value of the right type, for looking at what is wrong besides."""
    converter = cattrs.Converter(forbid_extra_keys=not lenient, detailed_validation=True)
    factory = converter.register_structure_hook_factory
    factory(attrs.has, lambda cls: _table_hook(cls, converter, lenient))
    factory(_is(tuple), lambda kind: _tuple_hook(kind, converter))
    factory(_is(Mapping), lambda kind: (_some_of_mapping_hook if lenient else _mapping_hook)(kind, converter))
    factory(_is(Literal), lambda kind: lambda value, _: _choice(value, kind))
    for kind in (str, int, bool):
        converter.register_structure_hook(kind, _exactly(kind))
    converter.register_structure_hook(float, lambda value, kind: float(_exactly(float, int)(value, kind)))
    converter.register_structure_hook(Seconds, _seconds)
    converter.register_structure_hook(Size, _size)
    converter.register_structure_hook(Path, lambda value, kind: Path(_exactly(str)(value, kind)))
    converter.register_structure_hook(Secret, lambda value, _: resolve(value))
    converter.register_structure_hook(Template, _template)
    converter.register_structure_hook(Filter, _filter)
    converter.register_structure_hook(TriggerName, trigger)
    converter.register_structure_hook(ApplicationName, _application)
    converter.register_structure_hook(Address, lambda value, _: address(_exactly(str)(value, str)))
    converter.register_structure_hook(Proxy, lambda value, _: proxy(_exactly(str)(value, str)))
    converter.register_structure_hook(HttpUrl, lambda value, _: http_url(_exactly(str)(value, str)))
    if lenient:
        converter.register_structure_hook(Secret, lambda value, _: _or(_NO_SECRET, resolve, value))
        converter.register_structure_hook(Template, lambda value, _: _or(Template(""), Template, value))
        converter.register_structure_hook(Filter, lambda value, _: _or(Filter("true"), Filter, value))
        for name in (ApplicationName, Address, HttpUrl, Proxy):
            converter.register_structure_hook(name, _exactly(str))
    return converter


def _or(otherwise: T, read: Callable[[Any], T], value: Any) -> T:
    try:
        return read(value)
    except (ValueError, TypeError, TemplateError, FilterError):
        return otherwise


def _is(origin: Any) -> Callable[[Any], bool]:
    wanted = get_origin(Mapping[str, Any]) if origin is Mapping else origin
    return lambda kind: get_origin(kind) is wanted


def _table_hook(cls: type, converter: cattrs.Converter, lenient: bool) -> Any:
    hook: Any = make_dict_structure_fn(
        cls, converter, _cattrs_forbid_extra_keys=not lenient, _cattrs_detailed_validation=True
    )
    return lambda value, kind: hook(_exactly(dict)(value, dict), kind)


def _tuple_hook(kind: Any, converter: cattrs.Converter) -> Any:
    items: Any = GenericAlias(list, (get_args(kind)[0],))
    return lambda value, _: tuple(converter.structure(_exactly(list)(value, list), items))


def _mapping_hook(kind: Any, converter: cattrs.Converter) -> Any:
    # Structured as a plain dictionary: cattrs' own hook for Mapping also takes lists of pairs.
    items: Any = GenericAlias(dict, get_args(kind))
    return lambda value, _: converter.structure(_exactly(dict)(value, dict), items)


def _some_of_mapping_hook(kind: Any, converter: cattrs.Converter) -> Any:
    item = get_args(kind)[1]

    def hook(value: Any, _: Any) -> Any:
        found = {}
        for key, content in _exactly(dict)(value, dict).items():
            with suppress(Exception):
                found[key] = converter.structure(content, item)
        return found

    return hook


def _choice(value: Any, kind: Any) -> Any:
    choices = get_args(kind)
    if type(value) is not type(choices[0]):
        raise TypeError(f"expected {described(choices[0])} and not {described(value)}")
    if value not in choices:
        shown = ", ".join(map(json.dumps, choices))
        raise ValueError(f"expected one of {shown}{suggestion(str(value), map(str, choices))}")
    return value


def _seconds(value: Any, kind: Any) -> Seconds:
    number = float(_exactly(float, int)(value, kind))
    if not (math.isfinite(number) and number > 0):
        raise ValueError("expected a number of seconds above 0")
    return Seconds(number)


def _size(value: Any, kind: Any) -> Size:
    if _exactly(int)(value, kind) < 1:
        raise ValueError("expected a number of bytes above 0")
    return Size(value)


def _template(value: Any, _: Any) -> Template:
    try:
        return Template(_exactly(str)(value, str))
    except TemplateError as error:
        raise ValueError(f"the template cannot be used: {error}") from None


def _filter(value: Any, _: Any) -> Filter:
    try:
        return Filter(_exactly(str)(value, str))
    except FilterError as error:
        raise ValueError(f"the filter cannot be used: {error}") from None


def _application(value: Any, _: Any) -> ApplicationName:
    name = _exactly(str)(value, str)
    if problem := name_problem(name):
        raise ValueError(f"{name[:80]!r} cannot be an application: {problem}")
    return ApplicationName(name)


def address(text: str) -> Address:
    """The text, if it is an address to listen on.

    :raises ValueError: it is not.
    """
    found = _ADDRESS.fullmatch(text)
    if not found or int(found.group(1) or 0) > 65535:
        shown = repr(text[:80])
        raise ValueError(f"{shown} is not an address such as '127.0.0.1:9000' or 'unix:/run/duct-tape.sock'")
    return Address(text)
