"""The plugin ``run-command``: runs a program of this machine for a run."""
