"""The journals under test."""

from tests.journal_support import with_journal

__all__ = ["with_journal"]
