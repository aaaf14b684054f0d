"""What can go wrong with a request to GitHub's REST API."""

from __future__ import annotations

from duct_tape.api import DuctTapeError


class ApiError(DuctTapeError):
    """A request to GitHub did not succeed; another one may."""


class Limited(ApiError):
    """Too many requests.

    :param seconds: before this time has passed, none may be made.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"GitHub asks to wait for {seconds:.0f} seconds: too many requests")
        self.seconds = seconds


class Refused(ApiError):
    """GitHub does not let this request through; the same one will not succeed later either."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"GitHub answers {status} ({message})" if message else f"GitHub answers {status}")
        self.status = status


def explained(error: ApiError, what: str, permission: str, token: str) -> str:
    """The error as a sentence for operators, with what to do about it.

    :param what: what was asked for, such as ``the webhooks of acme/site``.
    :param permission: what a token needs for that, in the words of GitHub's page.
    :param token: where the token comes from.
    """
    if not isinstance(error, Refused):
        return f"{what} cannot be read at the moment: {error}"
    if error.status == 401:
        return f"GitHub does not accept the token in the {token}: it is wrong, expired or revoked; make a new one"
    if error.status in (403, 404):
        return (
            f"the token in the {token} cannot reach {what}: {error}; it needs the permission {permission} for this "
            "repository, and the repository has to exist under this name"
        )
    return f"{what}: {error}"
