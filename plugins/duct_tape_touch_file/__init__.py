"""The touch-file action."""
