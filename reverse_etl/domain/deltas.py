"""What a delta asks for."""

from __future__ import annotations

from enum import StrEnum


class Op(StrEnum):
    """What a delta asks for.

    A `held` row is a removal that is not made while a rejected row may be the same person, a `left` one
    waits behind a limit.
    """

    ADD = "add"
    UPDATE = "update"
    REMOVE = "remove"
    HELD = "held"
    DEFERRED = "left"
