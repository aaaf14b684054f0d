"""Rules: what is deployed of deliveries whose form only the operator knows, and the decision that goes with it.

An integration of one sender knows where in a payload the version stands. Here the configuration says it, in templates.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from duct_tape.bodies import moment
from duct_tape.conf.options import TriggerName, option
from duct_tape.delivery import Decision, Ignored, PlannedRun, Runs
from duct_tape.errors import DuctTapeError, MalformedError, Problem, TemplateError
from duct_tape.events import Event, Release, ReleasePublished
from duct_tape.filters import Filter
from duct_tape.repositories import MAX_TAG, trigger_problems, vars_problems
from duct_tape.templates import Template
from duct_tape.types import JSONObject, Variables
from duct_tape.volume import name_problem

# What scripts send in place of a text that they do not have, and what becomes of `true` and `false` in a template.
_NO_TEXT = frozenset({"", "None", "null", "nil", "undefined", "NaN", "True", "False", "true", "false"})
_MAX_REASONS = 5


@frozen(kw_only=True)
class Rule:
    """One kind of delivery, and what is deployed because of it.

    A value that a template needs and a delivery lacks means that nothing is deployed.
    """

    application: Template = option(
        "What is deployed: the name of a folder on the host that holds `bin/deploy`, or a template such as "
        '`"{{ payload.project }}"`. It may use `release` and `repository`, which the other templates make.'
    )
    version: Template = option('The version, `release.tag`, such as `"{{ payload.version }}"`.')
    when: Filter | None = option("Only deliveries that this filter lets through.", default=None)
    repository: Template | None = option("Whose version it is, such as `owner/name`.", default=None)
    id: Template | None = option(
        "What tells a version from another of the same name, such as the commit behind a branch. Without it, the same "
        "version is deployed once.",
        default=None,
    )
    key: Template | None = option(
        "The same for all deliveries that tell of the same event, and for no others: it is carried out once. By "
        "default it is made of `repository`, `id` and `version`.",
        default=None,
    )
    commit: Template | None = option("The commit, `release.commit`.", default=None)
    url: Template | None = option("A page for people, `release.url`.", default=None)
    published_at: Template | None = option(
        "When it was published, with a time zone, such as `2026-01-02T03:04:05Z`. With it, an older version that "
        "arrives late does not replace a newer one.",
        default=None,
    )
    triggers: tuple[TriggerName, ...] | None = option("The triggers, in place of the default ones.", default=None)
    vars: Mapping[str, Any] | None = option(
        "Offered to templates as `vars`, in place of the default ones.", default=None
    )
    allow_older: bool = option(
        "Whether a version that is older than the last one may replace it, when it arrives late.", default=False
    )
    sample: Path | None = option(
        "A file with the payload of such a delivery. `duct-tape check` tries the rule on it, and `send` sends it.",
        default=None,
    )

    def ducttape_problems(self) -> Iterator[Problem]:
        """What the types cannot say."""
        source = self.application.source
        problem = name_problem(source)
        if problem and not is_template(self.application):
            message = f"{source[:80]!r} cannot be an application: {problem},"
            yield Problem(message=message, path="application", hint="write the name of its folder on the host")
        if not any(is_template(item) for item in (self.version, self.id, self.key)):
            message = "`version` is the same for every delivery, so only the first would be deployed,"
            yield Problem(message=message, path="version", hint='write a template, or add `id = "{{ delivery }}"`')
        yield from trigger_problems(self.triggers or ())
        yield from vars_problems("vars", self.vars or {})

    def published(self, event: Event, variables: Variables) -> ReleasePublished:
        """The version that this rule makes of an event.

        :raises TemplateError: a value is missing or unusable.
        """

        def text(name: str) -> str | None:
            template = getattr(self, name)
            return None if template is None else rendered(name, template, variables)

        version, repository = text("version") or "", text("repository") or ""
        number, key = text("id") or "", text("key")
        release = Release(
            id=number or version,
            tag=version,
            commit=text("commit"),
            url=text("url"),
            published_at=_time(text("published_at")),
        )
        return ReleasePublished(
            name=event.name,
            delivery=event.delivery,
            action=event.action,
            repository=repository,
            release=release,
            payload=event.payload,
            # As JSON: `a:b` and `c` must not be the same as `a` and `b:c`.
            key=json.dumps([key] if key else [repository, number, version], ensure_ascii=False),
        )


@frozen(kw_only=True)
class RulesConf:
    """Base of the configuration of an integration whose payloads only the operator knows.

    Derive from it and add the secrets. Let ``parse`` end with ``read``, and give ``read`` and ``decide`` to the
    receiver, as ``reread`` and ``decide``.
    """

    triggers: tuple[TriggerName, ...] = option("The triggers of every rule without its own.", default=())
    vars: Mapping[str, Any] = option("The `vars` of every rule without its own.", factory=dict)
    rules: Mapping[str, Rule] = option(
        "What is deployed of which deliveries, by names of your choice. Every rule that holds counts, whatever the "
        "others do.",
        factory=dict,
    )

    def ducttape_problems(self) -> Iterator[Problem]:
        """What the types cannot say."""
        yield from trigger_problems(self.triggers)
        yield from vars_problems("vars", self.vars)
        for name, rule in self.rules.items():
            if not (self.triggers if rule.triggers is None else rule.triggers):
                hint = "set `triggers` there or for all rules"
                yield Problem(message=f"the rule `{name}` has no trigger,", path=rule_path(name), hint=hint)

    def read(self, event: Event) -> tuple[Event, ...]:
        """What the rules make of an event: a ``ReleasePublished`` for each that holds, whose action is its name.

        :param event: name, delivery and payload are read. One that a rule made before is read by that rule only.
        """
        plain = Event(name=event.name, delivery=event.delivery, action=event.action, payload=event.payload)
        found = [made for name in self._named(plain) if (made := self._tried(name, plain)[0]) is not None]
        return tuple(found) or (plain,)

    def decide(self, event: Event) -> Decision:
        """The decision for an event that ``read`` made: each version is deployed once."""
        rule = self.rules.get(event.action)
        if not isinstance(event, ReleasePublished) or rule is None:
            return Ignored(reason=self._refusals(event))
        variables = self._variables(rule, event)
        try:
            application = rendered("application", rule.application, variables)
        except TemplateError as error:
            return Ignored(reason=f"rule `{event.action}`: {error}")
        if problem := name_problem(application):
            reason = f"rule `{event.action}`: {application[:80]!r} cannot be an application: {problem}"
            return Ignored(reason=reason)
        triggers = self.triggers if rule.triggers is None else rule.triggers
        planned = [PlannedRun(application=application, trigger=name, vars=variables["vars"]) for name in triggers]
        return Runs(
            runs=tuple(planned),
            key=event.key,
            version=event.release.published_at,
            title=event.release.tag,
            allow_older=rule.allow_older,
        )

    @property
    def has_samples(self) -> bool:
        """Whether any rule names a file with a sample."""
        return any(rule.sample for rule in self.rules.values())

    def sample_of(self, name: str = "") -> bytes:
        """The payload in a rule's file.

        :param name: of the rule; by default the first that names a file.
        :raises DuctTapeError: there is none, or it cannot be read.
        """
        path = next((rule.sample for key, rule in self.rules.items() if rule.sample and name in ("", key)), None)
        if path is None:
            raise DuctTapeError(f"no rule {name}{' ' if name else ''}names a `sample`")
        try:
            return path.read_bytes()
        except OSError as error:
            raise DuctTapeError(f"{path} cannot be read ({error.strerror})") from None

    def _named(self, event: Event) -> list[str]:
        return [name for name in self.rules if event.action in ("", name)]

    def _variables(self, rule: Rule, event: Event) -> JSONObject:
        return {**event.variables(), "vars": self.vars if rule.vars is None else rule.vars}

    def _tried(self, name: str, event: Event) -> tuple[Event | None, str]:
        """What a rule makes of an event, or why nothing.

        :return: the event itself where a value is missing, and no event where the rule does not hold.
        """
        rule, named = self.rules[name], evolve(event, action=name)
        variables = self._variables(rule, named)
        reason = rule.when.refusal(variables) if rule.when is not None else ""
        if reason:
            return None, f"rule `{name}`: the filter {reason}"
        try:
            return rule.published(named, variables), ""
        except TemplateError as error:
            return named, f"rule `{name}`: {error}"

    def _refusals(self, event: Event) -> str:
        names = self._named(event)
        if not names:
            return f"there is no rule `{event.action[:100]}`" if event.action else "no rule is configured"
        reasons = [reason for name in names if (reason := self._tried(name, event)[1])]
        more = f"; and {len(reasons) - _MAX_REASONS} rules more" if len(reasons) > _MAX_REASONS else ""
        return "; ".join(reasons[:_MAX_REASONS]) + more or "no rule has read it"


def rule_path(name: str) -> str:
    """The key path of a rule below the plugin's table."""
    return f"rules.{json.dumps(name, ensure_ascii=False)}"


def is_template(template: Template | None) -> bool:
    """Whether the text is another for other deliveries."""
    return template is not None and ("{{" in template.source or "{%" in template.source)


def rendered(name: str, template: Template, variables: Variables) -> str:
    """The text, without spaces around it.

    :raises TemplateError: a value is missing, or stands for none.
    """
    try:
        text = template.render(variables).strip()
    except TemplateError as error:
        raise TemplateError(f"`{name}` cannot be made: {error}") from None
    if text in _NO_TEXT:
        raise TemplateError(f"`{name}` would be {text!r}, which stands for no value")
    if len(text) > MAX_TAG:
        raise TemplateError(f"`{name}` is longer than {MAX_TAG} characters")
    return text


def _time(text: str | None) -> str | None:
    try:
        return moment({"published_at": text}, "published_at")
    except MalformedError:
        raise TemplateError(f"`published_at` is not a time with a zone: {str(text)[:80]!r}") from None
