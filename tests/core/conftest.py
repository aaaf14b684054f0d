"""Fixtures of the core's tests."""

from tests.dispatch_support import dispatch
from tests.follow_support import follow
from tests.journal_support import with_journal

__all__ = ["dispatch", "follow", "with_journal"]
