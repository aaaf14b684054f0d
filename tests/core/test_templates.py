"""Templates: what they can say, and that rendering is bounded and never surprises."""

from __future__ import annotations

import json
import time
import tracemalloc
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from duct_tape.errors import TemplateError
from duct_tape.templates import MAX_RESULT, MAX_SOURCE, MAX_TEXT, Template

FILTERS = (
    "d, default, filename, first, int, join, last, length, lower, replace, string, title, tojson, trim, truncate, "
    "upper, urlencode"
)
TESTS = "boolean, defined, eq, false, ge, gt, in, le, lt, ne, number, string, true, undefined"
VARIABLES: dict[str, Any] = {
    "application": "site.example.com",
    "release": {"tag": "v1.2.3-RC.1", "name": None, "prerelease": True, "url": "https://example.com/a b"},
    "repository": "acme/site",
    "vars": {"colour": "blue", "number": 3, "items": ["x", "y"], "title": "T", "split": "S"},
    "payload": {"labels": [None, "red"], "list": ["a", "b"], "empty": [], "big": "x" * 1000, "fraction": 1.5},
    "nothing": None,
}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("", ""),
        ("plain é → text\n", "plain é → text\n"),
        ("{{ application }}", "site.example.com"),
        ("{{ application }}--{{ release.tag | filename }}", "site.example.com--v1.2.3-RC.1"),
        ("{{ release['tag'] }}", "v1.2.3-RC.1"),
        ("{{ release.tag.removeprefix('v').lower() }}", "1.2.3-rc.1"),
        ("{{ release.tag.split('-')[0] }}", "v1.2.3"),
        ("{{ release.tag[1:6] }}", "1.2.3"),
        ("{{ 'pre' if release.prerelease else 'full' }}", "pre"),
        ("{{ 'full' if not release.prerelease }}", ""),
        ("{% if release.prerelease and vars.number > 2 %}yes{% else %}no{% endif %}", "yes"),
        ("{{ release.name | default('unnamed') }}", "unnamed"),
        ("{{ release.nothing.at.all | default('unnamed') }}", "unnamed"),
        ("{{ missing['at'].all | default('unnamed') }}", "unnamed"),
        ("{{ nothing | default('unnamed') }}", "unnamed"),
        ("{{ release.name is defined }} {{ release.tag is defined }}", "False True"),
        ("{{ vars.items | join('-') }} {{ vars.title }} {{ vars.split }}", "x-y T S"),
        ("{{ vars.number - 1 }}{{ vars.number + 1 }}{{ -vars.number }}", "24-3"),
        ("{{ payload.list | first }}{{ payload.list | last }}{{ payload.list | length }}{{ payload.list.0 }}", "ab2a"),
        ("{{ payload | tojson }}", json.dumps(VARIABLES["payload"])),
        ("{{ (vars.title | tojson) + '<&>' }}", '"T"<&>'),
        ("{{ 'a' ~ 1 ~ 'b' | upper }}", "a1B"),
        ("{{ 'a-b-c' | replace('-', '+') }}", "a+b+c"),
        ("{{ '7' | int + 1 }}{{ 'x' | int(5) }}", "85"),
        ("{{ release.url | urlencode }}", "https%3A//example.com/a%20b"),
        ("{{ 'word ' | trim | title | string | truncate(10) }}", "Word"),
        ("{# a comment #}{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
    ],
)
def test_what_templates_can_say(source: str, text: str) -> None:
    assert Template(source).render(VARIABLES) == text


def test_a_value_is_never_a_template() -> None:
    assert Template("{{ a }}{{ a | filename }}").render({"a": "{{7}}"}) == "{{7}}%7B%7B7%7D%7D"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{{ missing }}", "'missing' is undefined"),
        ("{{ missing.a.b }}", "'missing' is undefined"),
        ("{{ missing['a'] }}", "'missing' is undefined"),
        ("{{ nothing }}", "'nothing' is undefined"),
        ("{{ release.name }}", "there is no value for 'name'"),
        ("{{ release.naem }}", "there is no value for 'naem'"),
        ("{{ release['naem'] }}", "there is no value for 'naem'"),
        ("{{ payload.list }}", "a value is a list and no text: use `tojson`"),
        ("{{ release.tag ~ payload.empty }}", "a value is a list and no text: use `tojson`"),
        ("{{ release.tag.partition('-') }}", "a value is a list and no text: use `tojson`"),
        ("{{ payload }}", "a value is an object and no text: use `tojson`"),
        ("{{ payload.labels[0] }}", "there is no value for 0"),
        ("{% if release.name %}{% endif %}", "there is no value for 'name'"),
        ("{% if nothing %}{% endif %}", "'nothing' is undefined"),
        ("{{ release.name ~ '' }}", "there is no value for 'name'"),
        ("{{ payload.labels | first }}", "a value is null"),
        ("{{ payload.labels | first ~ 'x' }}", "a value is null"),
        ("{{ payload.labels | first | filename }}", "a value is null"),
        ("{{ payload.labels | join }}", "a value is null"),
        ("{{ missing | tojson }}", "'missing' is undefined"),
        ("{{ payload.empty | first }}", "No first item, sequence was empty."),
        ("{{ payload.list[9] }}", "list object has no element 9"),
        ("{{ release.tag.split }}", "`split` lacks its brackets: `split()`"),
        ("{{ release.tag.split ~ 'x' }}", "`split` lacks its brackets: `split()`"),
        ("{{ release.tag.split | filename }}", "`split` lacks its brackets: `split()`"),
        ("{{ release.tag.format }}", "'str object' has no attribute 'format'"),
        ("{{ release.tag.__class__ }}", "'str object' has no attribute '__class__'"),
        ("{{ release.tag['__class__'] }}", "'str object' has no attribute '__class__'"),
        ("{{ release.items() }}", "there is no value for 'items'"),
        ("{{ release.tag() }}", "'str' object is not callable (TypeError)"),
        ("{{ release.tag + 1 }}", 'can only concatenate str (not "int") to str (TypeError)'),
        ("{{ ('v'.nosuch ~ 1) | tojson }}", "'str object' has no attribute 'nosuch'"),
        ("{{ range(3) }}", "'range' is undefined"),
        ("{{ lipsum() }}", "'lipsum' is undefined"),
        ("{{ payload.big | replace('x', payload.big) }}", "`replace` makes a text of more than 65536 characters"),
        ("{{ payload.big.split('') }}", "empty separator (ValueError)"),
        (r"{{ '\ud800' }}", "surrogates not allowed (UnicodeEncodeError)"),
    ],
)
def test_what_cannot_be_rendered(source: str, reason: str) -> None:
    with pytest.raises(TemplateError) as caught:
        Template(source).render(VARIABLES)
    assert str(caught.value).startswith("template ")
    assert str(caught.value).endswith(reason)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{{ a", "line 1: unexpected end of template, expected 'end of print statement'"),
        ("\n{{ }}", "line 2: Expected an expression, got 'end of print statement'"),
        ("{{ a | nosuch }}", f"line 1: No filter named 'nosuch'; there are: {FILTERS}"),
        ("{{ a | uper }}", "line 1: No filter named 'uper'; did you mean `upper`?"),
        ("{{ a | attr('x') }}", f"line 1: No filter named 'attr'; there are: {FILTERS}"),
        ("{{ a is nosuch }}", f"line 1: No test named 'nosuch'; there are: {TESTS}"),
        ("{{ a is define }}", "line 1: No test named 'define'; did you mean `defined`?"),
        ("{% for x in a %}{% endfor %}", "`for` is not available in templates"),
        ("{% set x = 1 %}", "`assign` is not available in templates"),
        ("{% include 'x' %}", "`include` is not available in templates"),
        ("{% macro x() %}{% endmacro %}", "`macro` is not available in templates"),
        ("{{ 'a' * 10 }}", "`mul` is not available in templates"),
        ("{{ 2 ** 10 }}", "`pow` is not available in templates"),
        ("{{ '%9s' % 1 }}", "`mod` is not available in templates"),
        ("{{ {} }}", "`dict` is not available in templates"),
        ("{{ a | tojson(indent=9) }}", "`keyword` is not available in templates"),
        ("{{ none }}", "`none` is not available in templates"),
        ("{{ a | default(None) }}", "`none` is not available in templates"),
        ("{{ self }}", "`self` is not available in templates"),
        ("{{" + "[" * 1500 + "]" * 1500 + "}}", "the template is nested too deep"),
        ("{{" + "(" * 1500 + "1" + ")" * 1500 + "}}", "the template is nested too deep"),
        ("{% if a %}" * 120 + "{% endif %}" * 120, "the template is nested too deep"),
        ("{{ 0x" + "f" * 4000 + "}}", "the template holds a number that is too long"),
        ("x" * (MAX_SOURCE + 1), "the template is longer than 4096 characters"),
    ],
)
def test_what_cannot_be_compiled(source: str, reason: str) -> None:
    with pytest.raises(TemplateError) as caught:
        Template(source).render(VARIABLES)
    assert str(caught.value) == reason


def test_a_template_is_its_source() -> None:
    assert Template("{{ a }}") == Template("{{ a }}") != Template("{{ b }}")
    assert repr(Template("{{ a }}")) == "Template(source='{{ a }}')"


def test_the_result_is_bounded() -> None:
    assert len(Template("{{ a }}").render({"a": "x" * MAX_RESULT})) == MAX_RESULT
    for source in ("{{ a }}{{ a }}", "{{ [a, a] | join(a) }}", "{{ b | join(a) }}"):
        with pytest.raises(TemplateError, match="more than 65536 characters"):
            Template(source).render({"a": "x" * 40_000, "b": [""] * 1000})


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        # A text of the sender's that would be there a thousand times, before the result is looked at.
        ("{{ " + "p.text ~ " * 400 + "'' }}", "`~` makes a text of more than 65536 characters"),
        ("{{ " + "p.text + " * 50 + "'' }}", "`+` makes a text or a list of more than 65536 members"),
        ("{{ (" + "p.list + " * 50 + "[]) | length }}", "`+` makes a text or a list of more than 65536 members"),
        ("{{ p.long | length }}", "a text in it has more than 1048576 characters"),
        ("{{ p['long'] | truncate(9) }}", "a text in it has more than 1048576 characters"),
        # Each doubles the backslashes of the last.
        ("{{ p.quote" + " | tojson" * 60 + " | length }}", "a text in it has more than 1048576 characters"),
        ("{{ p.big.strip(p.text) }}", "more than 100 different characters are to be stripped"),
        ("{{ p.big | trim(p.text) }}", "more than 100 different characters are to be stripped"),
        ("{{ p.big.rstrip(p.text) }}", "more than 100 different characters are to be stripped"),
    ],
)
def test_nothing_on_the_way_is_without_bound(source: str, reason: str) -> None:
    payload = {"text": "xy" * 16_000, "list": [1] * 40_000, "long": "x" * (MAX_TEXT + 1), "quote": '"'}
    template = Template(source)
    tracemalloc.start()
    began = time.process_time()
    try:
        with pytest.raises(TemplateError) as caught:
            template.render({"p": {**payload, "big": "x" * MAX_TEXT}})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert str(caught.value).endswith(reason)
    assert time.process_time() - began < 1
    assert peak < 20 * MAX_TEXT


@pytest.mark.parametrize("link", [" | upper", " - ('-')[1](1)", " + a", ".a", "[1]", " if a else a"])
def test_long_chains_compile_at_once(link: str) -> None:
    began = time.process_time()
    for length in (100, 200, 250):
        with suppress(TemplateError):
            Template("{{ a" + link * length + " }}")
    assert time.process_time() - began < 1


def test_a_long_template_is_cut_in_messages() -> None:
    with pytest.raises(TemplateError) as caught:
        Template("{{ a }}" + "x" * 1000).render({})
    assert len(str(caught.value)) < 150


PARTS = st.sampled_from(
    "{{ }} {% %} {# #} {%if {%endif%} {%else%} | . [ ] ( ) ~ + - * / ' \" , : not and or if else in is 0 0xffff 1e999 "
    "none true a b c "
    "a.b c.0 split() join first last default replace(a,b) filename tojson truncate urlencode int upper title string "
    "defined undefined self loop caller {{a}} {{b|filename}} {{a~c}} {{c|join(a)}} {{b|replace(a,b)}} \\ud800 é".split(
        " "
    )
)
SOURCES = st.lists(PARTS, max_size=20).flatmap(
    lambda parts: st.sampled_from([" ".join(parts), "".join(parts), "{{" + " ".join(parts) + "}}"])
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=6,
)


@given(SOURCES | st.text(st.characters(categories=None)), st.dictionaries(st.sampled_from("abc"), JSON))
@example("{{ a | replace('x', a) }}", {"a": "x" * 60_000})
@example("{{ c | join(a) }}", {"a": "x" * 60_000, "c": [""] * 60_000})
@example("{{ " + "a ~ " * 1000 + "a }}", {"a": "x" * 1000})
@example("{{ " + "a | tojson | " * 300 + "tojson }}", {"a": '"'})
def test_rendering_gives_bounded_text_or_the_one_error(source: str, variables: dict[str, Any]) -> None:
    began = time.process_time()
    try:
        text = Template(source).render(variables)
    except TemplateError as error:
        text = str(error)
    assert len(text) <= MAX_RESULT
    assert time.process_time() - began < 5
    text.encode("utf-8", "surrogatepass")


@given(st.dictionaries(st.sampled_from("abc"), JSON))
def test_null_never_becomes_text(variables: dict[str, Any]) -> None:
    for source in ("{{ a }}", "{{ a.b ~ '' }}", "{{ a | first | string }}", "{{ a | last | filename }}", "{{ a[0] }}"):
        try:
            text = Template(source).render({**variables, "a": {**variables, "a": None}})
        except TemplateError:
            continue
        assert text != "None"
