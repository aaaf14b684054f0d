"""Filters: typed conditions over what a delivery says, such as ``payload.ref matches "refs/tags/v*"``.

A language of its own, since that of templates coerces: there ``1 == true`` holds, and what is missing is an error.
Here nothing is coerced, and what cannot be told holds neither itself nor in its negation: it deploys nothing.
"""

from __future__ import annotations

from attrs import field, frozen

from duct_tape.filters.conditions import Condition, Unknown
from duct_tape.filters.parser import parsed
from duct_tape.types import Variables


@frozen
class Filter:
    """A compiled filter.

    :param source: the text in the configuration, at most 4,096 characters.
    :raises DuctTapeError: it is no filter; the text says where.
    """

    source: str
    _condition: Condition = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_condition", parsed(self.source))

    def refusal(self, variables: Variables) -> str:
        """Why the filter does not hold for these variables, for people; an empty string where it does."""
        truth = self._condition(variables)
        if truth is True:
            return ""
        shown = self.source if len(self.source) <= 100 else f"{self.source[:97]}..."
        return f"`{shown}` " + (f"cannot be told: {truth.reason}" if isinstance(truth, Unknown) else "does not hold")
