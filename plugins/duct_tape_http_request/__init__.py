"""The plugin ``http-request``: tells another system of a run."""
