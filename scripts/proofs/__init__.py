"""The parts of ``scripts/prove``: one module for each promise, and what they share."""
