"""The functions that meet bytes from outside, and what their answers have to be."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from duct_tape import logs
from duct_tape.api import (
    Event,
    Ignored,
    MalformedError,
    Pong,
    RawDelivery,
    Runs,
    Secret,
    SignatureError,
    UnsupportedMediaError,
    parse_json,
)
from duct_tape.errors import TemplateError
from duct_tape.filename import filename
from duct_tape.flags import Flag
from duct_tape.listener.environment import environment
from duct_tape.listener.names import aside_name, printable
from duct_tape.payload import parse_form
from duct_tape.results import MAX_OUTPUT, Result
from duct_tape.templates import MAX_RESULT, Template
from duct_tape.volume import name_problem
from duct_tape_github import answers, builds, receive
from duct_tape_github.conf import GitHubConf, Repository
from duct_tape_github.decide import decide
from duct_tape_touch_file.plugin import heartbeat_age
from fuzzing import configuration, forges, inputs
from fuzzing.oracle import Target, hold
from signing import github_signature

KEY = b"only for this fuzzing"
SECRETS = (Secret("fuzzing", KEY),)
KINDS = ("release", "tag", "branch", "package", "build")
SITE: Any = {"application": Template("site"), "prereleases": True, "tags": ("*",), "on": KINDS, "workflows": ("*",)}
DEFAULTS: Any = {"secrets": SECRETS, "triggers": ("deploy",)}
CONF = GitHubConf(**DEFAULTS, repositories={inputs.REPOSITORY: Repository(**SITE)})

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e]")


def delivery_of(data: bytes) -> RawDelivery:
    """Lines of headers, an empty line, and a body."""
    head, _, body = data.partition(b"\n\n")
    pairs = [line.partition(b": ") for line in head.split(b"\n")]
    return RawDelivery.build([(name.decode("latin-1"), value.decode("latin-1")) for name, _, value in pairs], body)


def verify(data: bytes) -> None:
    delivery = delivery_of(data)
    try:
        receive.verifier(SECRETS).verify(delivery)
    except SignatureError as error:
        hold(str(error) == "the signature is missing or wrong", f"a hint: {error}")
        return
    right = github_signature(KEY, delivery.body)
    hold(delivery.values(receive.SIGNATURE) == (right,), "a signature was accepted that is not the right one")


def understand(data: bytes) -> None:
    """Parse and decide: only what the body names is deployed."""
    delivery = delivery_of(data)
    try:
        event = receive.parse(delivery, CONF.kinds)
        hold(isinstance(event, Event), "parse answered something else than an event")
        decision = decide(event, CONF)
    except (MalformedError, UnsupportedMediaError) as error:
        hold(len(str(error)) < 2000, "an endless error")
        return
    hold(isinstance(decision, (Ignored, Pong, Runs)), "decide answered something else than a decision")
    if isinstance(decision, Runs):
        payload = event.payload
        # A package may belong to no repository; then it goes by its own name.
        linked = event.name not in ("package", "registry_package") or payload.get("repository") is not None
        hold(not linked or payload["repository"]["full_name"].lower() == inputs.REPOSITORY, "another repository")
        hold(_ALLOWED[event.name](payload), "something that publishes nothing")


def _of_this_repository(payload: Any) -> bool:
    run = payload["workflow_run"]
    good = payload["action"] == "completed" and run["conclusion"] == "success" and run["event"] in builds.TRUSTED
    return good and run["head_repository"]["full_name"] == payload["repository"]["full_name"]


def _tagged(package: Any) -> bool:
    return bool(package["package_version"]["container_metadata"]["tag"]["name"])


# What has to be true of whatever is deployed.
_ALLOWED: Mapping[str, Callable[[Any], bool]] = {
    "release": lambda payload: (
        payload["action"] in ("published", "released")
        and payload["release"]["draft"] is False
        and bool(payload["release"]["tag_name"])
    ),
    "push": lambda payload: payload["deleted"] is False and payload["after"].strip("0") != "",
    "package": lambda payload: _tagged(payload["package"]),
    "registry_package": lambda payload: _tagged(payload["registry_package"]),
    "workflow_run": _of_this_repository,
}


def read_json(data: bytes) -> None:
    try:
        value = parse_json(data)
    except MalformedError:
        return
    hold(json.loads(data.decode("utf-8")) == value, "Python's decoder reads something else")
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")


def read_form(data: bytes) -> None:
    try:
        parse_form(data, "payload").decode("utf-8")
    except MalformedError:
        return


def read_answer(data: bytes) -> None:
    try:
        value = answers.parse_value(data)
        items = answers.objects(value) if isinstance(value, list) else (value,)
        for read in (answers.hooks, answers.delivered, answers.deployments):
            answers.latest_state([item for item in items if isinstance(item, dict)])
            read([item for item in items if isinstance(item, dict)])
        answers.delivery_payload(value)
    except MalformedError:
        return


def read_link(data: bytes) -> None:
    found = answers.next_page(data.decode("latin-1"), "https://api.github.com/repos")
    hold(not found or answers.origin(found) == ("https", "api.github.com", 443), f"another server: {found}")


def render(data: bytes) -> None:
    source, _, values = data.partition(b"\0")
    try:
        variables = json.loads(values)
    except (ValueError, RecursionError):
        variables = {"application": values.decode("latin-1"), "release": {"tag": values.decode("latin-1")}}
    try:
        text = Template(source.decode("latin-1")).render(variables if isinstance(variables, dict) else {})
    except TemplateError as error:
        text = str(error)
    hold(len(text) <= MAX_RESULT, "a text above the bound")
    text.encode("utf-8", "surrogatepass")


def name_files(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    hold(name_problem(filename(text)) is None, f"no safe name: {filename(text)!r}")
    for shown in (logs.escaped(text), printable(text)):
        hold(not _CONTROL.search(shown), "a control character in a line")
    hold(len(logs.escaped(text)) <= logs.MAX_MESSAGE + 1, "an endless line")
    hold("/" not in aside_name(text), "a path in a name")


def read_flag(data: bytes) -> None:
    flag = Flag.parse(data)
    if flag is not None:
        hold(flag.run and flag.application, "a flag of nothing")
        hold(not any(b"\0" in value for value in environment(flag, "c", {}).values()), "NUL in the environment")


def read_result(data: bytes) -> None:
    age = heartbeat_age(data, 0.0)
    hold(age is None or age >= 0, "an age below zero")
    result = Result.parse(data)
    if result is not None:
        hold(len(result.output) <= MAX_OUTPUT, "endless output")
        hold(Result.parse(result.to_line()) == result, "it is not read as it was written")
        f"{result.run}{result.application}{result.tag}{result.output}".encode()


TARGETS = {
    target.name: target
    for target in (
        Target("verify", verify, inputs.signatures),
        Target("understand", understand, inputs.deliveries),
        Target("json", read_json, inputs.json_texts),
        Target("form", read_form, inputs.forms),
        Target("answer", read_answer, inputs.answers),
        Target("link", read_link, inputs.links),
        # The operator's templates are compiled once, at the start; that is in here, too.
        Target("template", render, inputs.templates, limit=0.25),
        Target("names", name_files, inputs.texts),
        Target("flag", read_flag, inputs.flags),
        Target("result", read_result, inputs.results),
        Target("configuration", configuration.read, inputs.configurations, limit=0.5),
        *forges.TARGETS,
    )
}
