"""Rules: which deliveries count, what is made of them, and what is never deployed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duct_tape.api import DuctTapeError, Event, Filter, Ignored, ReleasePublished, Rule, RulesConf, Runs, Template
from duct_tape.rules import is_template, rule_path

PAYLOAD = {"project": "shop", "version": "1.2.3", "number": 7, "at": "2026-01-02T04:04:05+01:00", "none": None}


def rule(version: str = "{{ payload.version }}", application: str = "shop", **given: Any) -> Rule:
    """A rule, with texts in place of templates and filters."""
    names = {"repository", "id", "key", "commit", "url", "published_at"}
    made: dict[str, Any] = {name: Template(value) if name in names else value for name, value in given.items()}
    if "when" in made:
        made["when"] = Filter(made["when"])
    return Rule(application=Template(application), version=Template(version), **made)


def conf(**rules: Rule) -> RulesConf:
    return RulesConf(triggers=("deploy",), rules=rules)  # type: ignore[arg-type] # the reader makes names of them


def told(rules: RulesConf, payload: dict[str, Any] | None = None, action: str = "") -> list[Any]:
    """Of each event what is deployed as which version, or why nothing is."""
    event = Event(name="webhook", delivery="d-1", action=action, payload=PAYLOAD if payload is None else payload)
    return [said(rules, event) for event in rules.read(event)]


def said(rules: RulesConf, event: Event) -> Any:
    decision = rules.decide(event)
    if isinstance(decision, Runs):
        return decision.runs[0].application, decision.title
    assert isinstance(decision, Ignored)
    return decision.reason


def test_a_rule_makes_a_version_of_a_delivery() -> None:
    rules = conf(
        release=rule(
            application="{{ repository.split('/') | last }}-{{ vars.stage }}",
            repository="acme/{{ payload.project }}",
            id="{{ payload.number }}",
            commit="{{ payload.version }}-commit",
            url="https://ci.example.com/{{ payload.number }}",
            published_at="{{ payload.at }}",
            vars={"stage": "live"},
            allow_older=True,
        )
    )
    [event] = rules.read(Event(name="webhook", delivery="d-1", payload=PAYLOAD))
    assert isinstance(event, ReleasePublished)
    assert (event.name, event.delivery, event.action, event.repository) == ("webhook", "d-1", "release", "acme/shop")
    release = event.release
    assert (release.id, release.tag, release.commit) == ("7", "1.2.3", "1.2.3-commit")
    assert (release.url, release.published_at) == ("https://ci.example.com/7", "2026-01-02T03:04:05Z")
    decision = rules.decide(event)
    assert isinstance(decision, Runs)
    [run] = decision.runs
    assert (run.application, run.trigger, run.vars) == ("shop-live", "deploy", {"stage": "live"})
    assert decision.key == '["acme/shop", "7", "1.2.3"]'
    assert (decision.version, decision.title, decision.allow_older) == ("2026-01-02T03:04:05Z", "1.2.3", True)


def test_every_rule_that_holds_counts() -> None:
    rules = conf(
        one=rule(when='payload.project == "shop"'),
        other=rule(when='payload.project == "blog"', application="blog"),
        two=rule(when="payload.number > 6", application="search", version="{{ payload.number }}"),
    )
    assert told(rules) == [("shop", "1.2.3"), ("search", "7")]


def test_where_no_rule_holds_each_says_why() -> None:
    rules = conf(one=rule(when='payload.project == "blog"'), two=rule(when="payload.number > 7"))
    expected = (
        """rule `one`: the filter `payload.project == "blog"` does not hold; """
        "rule `two`: the filter `payload.number > 7` does not hold"
    )
    assert told(rules) == [expected]
    assert told(conf()) == ["no rule is configured"]
    [many] = told(conf(**{f"r{number}": rule(when="payload.number > 7") for number in range(9)}))
    assert many.count("rule `") == 5
    assert many.endswith("; and 4 rules more")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"version": "{{ payload.missing }}"}, "`version` cannot be made: template '{{ payload.missing }}'"),
        ({"version": "{{ payload.none }}"}, "there is no value for 'none'"),
        ({"version": " {{ payload.text }}"}, "`version` would be '', which stands for no value"),
        ({"version": "{{ payload.word }}"}, "`version` would be 'None', which stands for no value"),
        ({"version": "{{ payload.flag }}"}, "`version` would be 'True', which stands for no value"),
        ({"version": "{{ payload.list }}"}, "a value is a list and no text"),
        ({"version": "{{ payload.table }}"}, "a value is an object and no text"),
        ({"version": "{{ payload.long }}"}, "`version` is longer than 1000 characters"),
        ({"published_at": "{{ payload.version }}"}, "`published_at` is not a time with a zone: '1.2.3'"),
        ({"id": "{{ payload.missing }}"}, "`id` cannot be made"),
        ({"key": "{{ payload.missing }}"}, "`key` cannot be made"),
        ({"repository": "{{ payload.missing }}"}, "`repository` cannot be made"),
        ({"application": "{{ payload.missing }}"}, "`application` cannot be made"),
        ({"application": "{{ payload.word }}"}, "`application` would be 'None'"),
        ({"application": "../{{ payload.version }}"}, "'../1.2.3' cannot be an application"),
        ({"application": "{{ payload.path }}"}, "'/etc' cannot be an application"),
    ],
)
def test_what_is_missing_is_never_deployed(values: dict[str, str], reason: str) -> None:
    payload = PAYLOAD | {"text": "", "word": "None", "flag": True, "list": ["a"], "table": {"a": 1}, "path": "/etc"}
    # The other rule is deployed all the same.
    found = told(conf(broken=rule(**values), fine=rule()), payload | {"long": "1" * 1001})
    assert found[1:] == [("shop", "1.2.3")]
    assert found[0].startswith("rule `broken`: ")
    assert reason in found[0]


def test_a_filter_pins_a_type() -> None:
    rules = conf(release=rule(when='payload.version matches "*"'))
    assert told(rules) == [("shop", "1.2.3")]
    [reason] = told(rules, PAYLOAD | {"version": 5})
    assert "compares a number with a pattern" in reason


def test_a_recorded_event_is_read_by_its_own_rule_again() -> None:
    rules = conf(one=rule(), two=rule(application="blog"))
    first, second = rules.read(Event(name="webhook", delivery="d-1", payload=PAYLOAD))
    assert rules.read(second) == (second,)
    corrected = conf(one=rule(), two=rule(application="wiki", version="v{{ payload.version }}"))
    assert [said(corrected, event) for event in corrected.read(second)] == [("wiki", "v1.2.3")]
    assert [said(conf(one=rule()), event) for event in conf(one=rule()).read(second)] == ["there is no rule `two`"]
    closed = conf(one=rule(when="payload.number > 7"))
    assert [said(closed, event) for event in closed.read(first)] == [
        "rule `one`: the filter `payload.number > 7` does not hold"
    ]


def test_one_that_was_ignored_is_read_by_all_rules_again() -> None:
    [event] = conf(one=rule(when="payload.number > 7")).read(Event(name="w", delivery="d-1", payload=PAYLOAD))
    corrected = conf(one=rule(), two=rule(application="blog"))
    assert [said(corrected, event) for event in corrected.read(event)] == [("shop", "1.2.3"), ("blog", "1.2.3")]
    assert said(corrected, event) == "no rule has read it"


def key(payload: dict[str, str], **values: str) -> str | None:
    rules = conf(one=rule(repository="{{ payload.a }}", **values))
    [event] = rules.read(Event(name="w", delivery="d-1", payload=payload))
    decision = rules.decide(event)
    assert isinstance(decision, Runs)
    return decision.key


@given(*[st.text("ab:\"',[]", min_size=1, max_size=5)] * 4)
def test_different_versions_have_different_keys(a: str, version: str, other: str, again: str) -> None:
    one, two = {"a": a, "version": version}, {"a": other, "version": again}
    assert (key(one) == key(two)) == (one == two)


def test_a_key_of_ones_own_tells_the_same_event() -> None:
    values = {"key": "{{ payload.number }}"}
    assert key({"a": "x", "version": "1", "number": "7"}, **values) == key(
        {"a": "y", "version": "2", "number": "7"}, **values
    )


def test_problems_of_a_rule() -> None:
    wrong = rule("main", "../site", triggers=("deploy", "deploy"), vars={"x": float("nan")})
    found = [(problem.path, problem.message) for problem in wrong.ducttape_problems()]
    assert [path for path, _ in found] == ["application", "version", "triggers", 'vars."x"']
    assert "the same for every delivery" in found[1][1]
    for fine in (
        rule("main", id="{{ payload.commit }}"),
        rule("main", key="{{ delivery }}"),
        rule("{% if x %}y{% endif %}"),
    ):
        assert list(fine.ducttape_problems()) == []


def test_problems_of_all_rules() -> None:
    rules = RulesConf(vars={"x": None}, rules={"a rule": rule(), "own": rule(triggers=("deploy",))})
    found = [(problem.path, problem.message) for problem in rules.ducttape_problems()]
    assert found == [('vars."x"', "JSON has no NoneType,"), ('rules."a rule"', "the rule `a rule` has no trigger,")]
    assert rule_path("a rule") == 'rules."a rule"'
    assert not is_template(None)


def test_samples_are_files(tmp_path: Path) -> None:
    path = tmp_path / "payload.json"
    rules = conf(one=rule(), two=rule(sample=path))
    assert (rules.has_samples, conf(one=rule()).has_samples) == (True, False)
    with pytest.raises(DuctTapeError, match=r".*payload\.json cannot be read \(No such file or directory\)"):
        rules.sample_of()
    path.write_text(json.dumps(PAYLOAD))
    assert json.loads(rules.sample_of()) == json.loads(rules.sample_of("two")) == PAYLOAD
    with pytest.raises(DuctTapeError, match="no rule one names a `sample`"):
        rules.sample_of("one")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
RULES = conf(
    one=rule(application="{{ payload.project }}", published_at="{{ payload.at }}", id="{{ payload.number }}"),
    two=rule(when='payload.project == "shop" and payload.number > 6', key="{{ payload.at }}"),
)


@given(st.dictionaries(st.sampled_from(sorted(PAYLOAD)), json_values))
def test_any_payload_has_an_answer(payload: dict[str, Any]) -> None:
    for event in RULES.read(Event(name="webhook", delivery="d-1", payload=payload)):
        decision = RULES.decide(event)
        if isinstance(decision, Runs):
            assert type(payload["version"]) in (str, int, float)
            assert decision.title == str(payload["version"]).strip() != ""
        else:
            assert isinstance(decision, Ignored)
            assert decision.reason
