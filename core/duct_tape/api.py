"""Everything that a plugin imports, and nothing else.

These names are the contract with plugins (``API_VERSION``); all others may change at any time.
"""

import sys
from typing import TYPE_CHECKING

from duct_tape import deprecations
from duct_tape.bodies import commit, header, identity, json_bytes, moment
from duct_tape.conf.options import ApplicationName, TriggerName, option
from duct_tape.context import Context
from duct_tape.delivery import Decision, Ignored, PlannedRun, Pong, RawDelivery, Runs
from duct_tape.errors import (
    DuctTapeError,
    MalformedError,
    PermanentError,
    PluginError,
    Problem,
    SignatureError,
    TransientError,
    UnavailableError,
    UnsupportedMediaError,
)
from duct_tape.events import Event, Release, ReleasePublished
from duct_tape.filters import Filter
from duct_tape.flags import Flag
from duct_tape.hookspecs import API_VERSION, Check, hookimpl
from duct_tape.journal import Acceptance
from duct_tape.payload import member, parse_form, parse_json
from duct_tape.repositories import (
    RepositoriesConf,
    Repository,
    is_pattern,
    names_problems,
    repository_path,
    secrets_problems,
)
from duct_tape.results import Result
from duct_tape.rules import Rule, RulesConf
from duct_tape.runs import Outcome, Refusal, Run, RunState
from duct_tape.sample import Sample, matching, samples
from duct_tape.secret import Secret
from duct_tape.signatures import Hmac
from duct_tape.standard_webhooks import StandardWebhooks, standard_webhooks_problems
from duct_tape.templates import Template
from duct_tape.tokens import SecretPath, SharedToken, fits_path
from duct_tape.triggers import Action
from duct_tape.verifier import Verifier
from duct_tape.volume import Volume, safe_name
from duct_tape.web.receive import Receiver, ReceiverRoute

__all__ = [
    "API_VERSION",
    "Acceptance",
    "Action",
    "ApplicationName",
    "Check",
    "Context",
    "Decision",
    "DuctTapeError",
    "Event",
    "Filter",
    "Flag",
    "Hmac",
    "Ignored",
    "MalformedError",
    "Outcome",
    "PermanentError",
    "PlannedRun",
    "PluginError",
    "Pong",
    "Problem",
    "RawDelivery",
    "Receiver",
    "ReceiverRoute",
    "Refusal",
    "Release",
    "ReleasePublished",
    "RepositoriesConf",
    "Repository",
    "Result",
    "Rule",
    "RulesConf",
    "Run",
    "RunState",
    "Runs",
    "Sample",
    "Secret",
    "SecretPath",
    "SharedToken",
    "SignatureError",
    "StandardWebhooks",
    "Template",
    "TransientError",
    "TriggerName",
    "UnavailableError",
    "UnsupportedMediaError",
    "Verifier",
    "Volume",
    "commit",
    "fits_path",
    "header",
    "hookimpl",
    "identity",
    "is_pattern",
    "json_bytes",
    "matching",
    "member",
    "moment",
    "names_problems",
    "option",
    "parse_form",
    "parse_json",
    "repository_path",
    "safe_name",
    "samples",
    "secrets_problems",
    "standard_webhooks_problems",
]

if not TYPE_CHECKING:  # For type checkers there are the names above and no others.

    def __getattr__(name: str) -> object:
        importer = sys._getframe(1).f_globals.get("__name__", "")
        return deprecations.deprecated_name(name, importer)
