"""Duct Tape: turns webhooks into actions on your own machine."""

__version__ = "1.0.0"
