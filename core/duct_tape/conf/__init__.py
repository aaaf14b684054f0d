"""The operator's configuration: files, classes, strict structuring, JSON Schema."""
