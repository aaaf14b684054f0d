"""Shared type aliases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

# Values as the standard library's JSON decoder returns them. ``Any`` inside containers, since the
# shape of a sender's payload is checked where it is read (see ``duct_tape.payload``).
JSON: TypeAlias = Any
JSONObject: TypeAlias = dict[str, JSON]
Variables: TypeAlias = Mapping[str, JSON]
