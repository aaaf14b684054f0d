"""Fixtures of the core's tests."""

from tests.dispatch_support import dispatch

__all__ = ["dispatch"]
