"""The operations of a delta."""

from __future__ import annotations

from enum import StrEnum


class Op(StrEnum):
    """The operation of a delta on its row, or of a receipt.

    HELD is a removal that is not carried out while a rejected row may be the same person. DEFERRED rows are
    left for a later run because of `--limit`. CLEAR and SUBSCRIBE are those of receipts alone: a row whose
    values are cleared is an update, and its clear has its number with a minus; that people were subscribed is
    no evidence of who was put on a list.
    """

    ADD = "add"
    UPDATE = "update"
    REMOVE = "remove"
    HELD = "held"
    DEFERRED = "deferred"
    CLEAR = "clear"
    SUBSCRIBE = "subscribe"
