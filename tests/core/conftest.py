"""Fixtures of the core's tests."""

from tests.dispatch_support import dispatch
from tests.journal_support import with_journal

__all__ = ["dispatch", "with_journal"]
