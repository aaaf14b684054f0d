"""Every error that Duct Tape raises on purpose derives from ``DuctTapeError``.

The text of each is a sentence for the person who can do something about it.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen


class DuctTapeError(Exception):
    """Base of all errors; operators and senders see its text, never a traceback."""


@frozen(kw_only=True)
class Problem:
    """One thing that is wrong with the configuration.

    :param message: what is wrong; reads on with "in plugins.github (conf/duct_tape.toml)".
    :param path: dotted key path, for instance ``plugins.github.secrets[0]``.
    :param file: the file that holds the key, if known.
    :param hint: what to do about it.
    """

    message: str
    path: str = ""
    file: str = ""
    hint: str = ""

    def __str__(self) -> str:
        where = f" in {self.path}" if self.path else ""
        file = f" ({self.file})" if self.file else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{self.message}{where}{file}{hint}"


class ConfigurationError(DuctTapeError):
    """The operator's configuration is wrong; nothing starts. Carries every problem at once."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class StartupError(DuctTapeError):
    """The server cannot start on this machine (port taken, folder missing, …)."""


class PluginError(DuctTapeError):
    """Raised by a plugin that cannot work; its text is shown as it is, without a traceback."""


class SignatureError(DuctTapeError):
    """A request is not from the sender. Answered 401, without a hint at the cause."""


class MalformedError(DuctTapeError):
    """A signed request does not have the shape of its event. Answered 400."""


class UnsupportedMediaError(DuctTapeError):
    """A signed request has a content type that the integration does not read. Answered 415."""


class UnavailableError(DuctTapeError):
    """Nothing can be accepted at the moment. Answered 503 with ``Retry-After``."""


class JournalError(UnavailableError):
    """The journal cannot be read or written."""


class VolumeError(DuctTapeError, OSError):
    """The shared volume cannot be used at the moment; the text names the folder, the key and what to do."""


class RunError(DuctTapeError):
    """Base of the errors with which an action ends an attempt."""


class PermanentError(RunError):
    """Another attempt cannot succeed; the run fails at once."""


class TemplateError(PermanentError):
    """A template cannot be compiled or rendered."""


class FilterError(DuctTapeError):
    """A filter cannot be compiled."""


class TransientError(RunError):
    """Another attempt may succeed; the run is tried again.

    :param after: seconds before which that makes no sense. No pause is longer than a minute, whatever is asked for.
    """

    def __init__(self, text: str, after: float = 0.0) -> None:
        super().__init__(text)
        self.after = after
