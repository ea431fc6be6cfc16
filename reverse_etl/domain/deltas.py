"""The operations of a delta."""

from __future__ import annotations

from enum import StrEnum


class Op(StrEnum):
    """The operation of a delta on its row.

    HELD is a removal that is not carried out while a rejected row may be the same person. DEFERRED rows are
    left for a later run because of `--limit`.
    """

    ADD = "add"
    UPDATE = "update"
    REMOVE = "remove"
    HELD = "held"
    DEFERRED = "deferred"
