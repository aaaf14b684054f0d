"""Templates: sandboxed Jinja2 with strict rules, so that rendering is bounded and never surprises.

A template is expressions and ``{% if %}``; there are no loops, macros or imports. An undefined or null
value is an error, never the text ``None``. Only the operator writes templates: values of a payload are
data and are never compiled.
"""

from __future__ import annotations

import difflib
import functools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import jinja2
from attrs import field, frozen
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from duct_tape.errors import TemplateError
from duct_tape.filename import filename
from duct_tape.types import Variables

MAX_SOURCE = 4096
MAX_RESULT = 64 * 1024
# Of one text on the way to the result: a chain of filters could make each ten times as long as the last.
MAX_TEXT = 1024 * 1024
# `strip` looks for each character of the text in its argument.
MAX_STRIPPED = 100

_NODES = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr,
    nodes.Getitem, nodes.Slice, nodes.Filter, nodes.Test, nodes.If, nodes.CondExpr, nodes.Call,
    nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Add, nodes.Sub,
    nodes.Concat, nodes.Tuple, nodes.List,
)  # fmt: skip
_METHODS = frozenset(
    "endswith lower lstrip partition removeprefix removesuffix rpartition rsplit rstrip split "
    "startswith strip title upper".split()
)
_FILTERS = frozenset(
    "d default first int join last length lower replace string title tojson trim truncate upper urlencode".split()
)
_TESTS = frozenset("defined undefined eq ne in lt gt le ge string number boolean true false".split())

# Jinja's words.
_UNKNOWN = re.compile(r"No (?P<kind>filter|test) named '(?P<name>.*)'")


def _bounded(value: Any) -> Any:
    """The value, which must not be a text that is too long to go on with."""
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise TemplateError(f"a text in it has more than {MAX_TEXT} characters")
    return value


def _stripped(function: Callable[..., Any], *arguments: Any) -> Any:
    if any(len(text) > MAX_STRIPPED for text in arguments if isinstance(text, str)):
        raise TemplateError(f"more than {MAX_STRIPPED} different characters are to be stripped")
    return function(*arguments)


class _Method:
    """A method of a text, which has no text of its own: nobody wants one in the name of a file."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        if self._function.__name__.endswith("strip"):
            return _stripped(self._function, *arguments)
        return self._function(*arguments)

    def __str__(self) -> str:
        raise jinja2.UndefinedError(f"`{self._function.__name__}` lacks its brackets: `{self._function.__name__}()`")


class _Generator(CodeGenerator):
    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        self.write("environment.concatenated(")
        for value in node.nodes:
            self.visit(value, frame)
            self.write(", ")
        self.write(")")


class _Environment(ImmutableSandboxedEnvironment):
    """Knows mappings, lists and plain values only; null is undefined."""

    code_generator_class = _Generator
    intercepted_binops = frozenset("+")

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if sum(len(side) for side in (left, right) if isinstance(side, (str, list, tuple))) > MAX_RESULT:
            raise TemplateError(f"`+` makes a text or a list of more than {MAX_RESULT} members")
        return super().call_binop(context, operator, left, right)

    def concatenated(self, *values: object) -> str:
        """What ``~`` makes, which Jinja would put together first however long it is."""
        return "".join(_texts(values, "~"))

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, jinja2.Undefined):
            # `{{ a.b.c }}` says which of them is missing, and `{{ a.b.c | default("x") }}` is "x".
            return obj
        if isinstance(obj, Mapping):
            # `payload.items` is the key, not the method of the dictionary.
            return self._present(obj.get(attribute), attribute)
        if isinstance(obj, str) and attribute in _METHODS:
            return _Method(getattr(obj, attribute))
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, jinja2.Undefined):
            return obj
        try:
            return self._present(obj[argument], argument)
        except (TypeError, LookupError, AttributeError):
            return self.undefined(obj=obj, name=argument)

    def _present(self, value: Any, name: Any) -> Any:
        return self.undefined(hint=f"there is no value for {name!r}") if value is None else _bounded(value)


def _strict(environment: _Environment, function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, with null as undefined: ``{{ labels | first ~ "x" }}`` must not become ``Nonex``. And bounded."""

    # The copied attributes of Jinja's filters say what else they are given.
    @functools.wraps(function)
    def strict(*arguments: Any) -> Any:
        result = function(*arguments)
        return environment.undefined(hint="a value is null") if result is None else _bounded(result)

    return strict


def _join(values: Iterable[object], separator: str = "") -> str:
    return str(separator).join(_texts(values, "join", len(str(separator))))


def _texts(values: Iterable[object], operation: str, more: int = 0) -> Iterator[str]:
    """The values as texts, as long as all of them together are not too long.

    :param more: characters between two of them.
    """
    size = 0
    for value in values:
        text = str(_finalize(value))
        size += len(text) + more
        if size > MAX_RESULT:
            raise TemplateError(f"`{operation}` makes a text of more than {MAX_RESULT} characters")
        yield text


def _trim(value: object, characters: str | None = None) -> str:
    return str(_stripped(str(value).strip, characters))


def _tojson(value: object) -> str:
    # Jinja's own is for HTML: whatever is added to its result is escaped.
    return json.dumps(value, ensure_ascii=False, default=str)


def _replace(text: object, old: str, new: str) -> str:
    source = str(text)
    if len(source) + source.count(str(old)) * len(str(new)) > MAX_RESULT:
        raise TemplateError(f"`replace` makes a text of more than {MAX_RESULT} characters")
    return source.replace(str(old), str(new))


def _finalize(value: Any) -> Any:
    if value is None:
        raise jinja2.UndefinedError("a value is null")
    if isinstance(value, (Mapping, list, tuple)):
        # Python's way to write one down, such as `['a']`, is nobody's text.
        kind = "an object" if isinstance(value, Mapping) else "a list"
        raise jinja2.UndefinedError(f"a value is {kind} and no text: use `tojson`")
    return value


def _environment() -> _Environment:
    # Not optimized: working out constants beforehand takes cubic time, ten seconds for a long chain of filters, and
    # raises for a constant without a value.
    environment = _Environment(
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        optimized=False,
        keep_trailing_newline=True,
        finalize=_finalize,
    )
    filters: dict[str, Callable[..., Any]] = {name: environment.filters[name] for name in _FILTERS}
    filters |= {"filename": filename, "join": _join, "replace": _replace, "tojson": _tojson, "trim": _trim}
    environment.filters = {name: _strict(environment, function) for name, function in filters.items()}
    environment.tests = {name: environment.tests[name] for name in _TESTS}
    environment.globals = {}
    return environment


_ENVIRONMENT = _environment()


@frozen
class Template:
    """A compiled template.

    :param source: the text in the configuration, at most 4,096 characters.
    :raises TemplateError: the source cannot be compiled or uses more than the language offers.
    """

    source: str
    _compiled: jinja2.Template = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_compiled", _compile(self.source))

    def render(self, variables: Variables) -> str:
        """The text for these variables.

        :raises TemplateError: a value is undefined, null or of the wrong type, or the text is longer than
            64 Ki characters.
        """
        pieces: list[str] = []
        size = 0
        try:
            # A null at the top is undefined too: `{% if x %}` must not take it for false.
            known = {name: value for name, value in variables.items() if value is not None}
            for piece in self._compiled.generate(known):
                pieces.append(piece)
                size += len(piece)
                if size > MAX_RESULT:
                    raise TemplateError(f"it renders to more than {MAX_RESULT} characters")
            text = "".join(pieces)
            # An escape such as "\ud800" in the template is not a character and cannot be written to a file.
            text.encode("utf-8")
        except TemplateError as error:
            raise TemplateError(f"template {self._shown()}: {error}") from None
        except Exception as error:
            # Whatever a template provokes in Jinja2 or in a filter is the template's fault.
            raise TemplateError(f"template {self._shown()}: {_cause(error)}") from None
        return text

    def _shown(self) -> str:
        return repr(self.source if len(self.source) <= 80 else self.source[:77] + "...")


def _compile(source: str) -> jinja2.Template:
    if len(source) > MAX_SOURCE:
        raise TemplateError(f"the template is longer than {MAX_SOURCE} characters")
    try:
        tree = _ENVIRONMENT.parse(source)
        for node in tree.find_all(nodes.Node):
            if not isinstance(node, _NODES):
                raise TemplateError(f"`{type(node).__name__.lower()}` is not available in templates")
            if isinstance(node, nodes.Const) and node.value is None:
                raise TemplateError("`none` is not available in templates")
            if isinstance(node, nodes.Name) and node.name == "self":
                raise TemplateError("`self` is not available in templates")
        return _ENVIRONMENT.from_string(source)
    except jinja2.TemplateSyntaxError as error:
        message = (error.message or "").rstrip(".")
        raise TemplateError(f"line {error.lineno}: {message}{_known(message)}") from None
    except (RecursionError, SyntaxError, MemoryError):
        # Python's own parser, which compiles what Jinja2 makes, has limits of several kinds.
        raise TemplateError("the template is nested too deep") from None
    except ValueError:
        raise TemplateError("the template holds a number that is too long") from None


def _known(message: str) -> str:
    """What there is in place of a filter or a test that there is not."""
    found = _UNKNOWN.fullmatch(message)
    if not found:
        return ""
    known = sorted(_ENVIRONMENT.filters if found["kind"] == "filter" else _ENVIRONMENT.tests)
    near = difflib.get_close_matches(found["name"], known, n=1)
    return f"; did you mean `{near[0]}`?" if near else f"; there are: {', '.join(known)}"


def _cause(error: Exception) -> str:
    text = str(error).replace("'dict object' has no attribute", "there is no value for")
    return f"{text[:200]}{'' if isinstance(error, jinja2.UndefinedError) else f' ({type(error).__name__})'}"
