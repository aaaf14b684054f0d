"""Everything that a plugin imports, and nothing else.

These names are the contract with plugins (``API_VERSION``); all others may change at any time.
"""

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
from duct_tape.events import Event, Release
from duct_tape.flags import Flag
from duct_tape.hookspecs import API_VERSION, Check, hookimpl
from duct_tape.journal import Acceptance
from duct_tape.payload import member, parse_form, parse_json
from duct_tape.results import Result
from duct_tape.runs import Outcome, Refusal, Run, RunState
from duct_tape.secret import Secret
from duct_tape.signatures import check_hmac_form, sign_hmac_sha256, verify_hmac_sha256
from duct_tape.templates import Template
from duct_tape.triggers import Action
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
    "Flag",
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
    "Result",
    "Run",
    "RunState",
    "Runs",
    "Secret",
    "SignatureError",
    "Template",
    "TransientError",
    "TriggerName",
    "UnavailableError",
    "UnsupportedMediaError",
    "Volume",
    "check_hmac_form",
    "hookimpl",
    "member",
    "option",
    "parse_form",
    "parse_json",
    "safe_name",
    "sign_hmac_sha256",
    "verify_hmac_sha256",
]
