"""Add existing profiles to a list by their Klaviyo id."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from reverse_etl.delivery.concurrency import map_concurrently
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.events import SendProgress
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.receipts import Receipt, ReceiptState, RowException, RowExceptionKind
from reverse_etl.errors import KlaviyoError, ReplyLost

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.delivery.list_delivery import ListDelivery
    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.surfaces.operations import AddToList

_IDENTIFIER_INDEX = 1  # after the row's number; the surface has one identifier


@dataclass(frozen=True)
class AddResult:
    """The result of one request."""

    receipt: Receipt
    row_exceptions: tuple[RowException, ...] = ()
    stop_reason: str = ""


def add_members(delivery: ListDelivery, operation: AddToList) -> None:
    """Add one list's new rows to it. A failed request stops the list; its counter holds the reason."""
    list_id = delivery.list_plan.list_ref.id
    groups = (
        [(row[0], row[_IDENTIFIER_INDEX]) for row in rows]
        for rows in delivery.pending_rows.read_upserts(list_id, operation.max_rows)
    )
    groups_to_send = takewhile(lambda _: not delivery.counter.stopped, groups)
    done = 0
    for result in map_concurrently(
        delivery.context, lambda group: add_group(delivery.context.klaviyo, list_id, group), groups_to_send
    ):
        delivery.record((result.receipt,), result.row_exceptions)
        if result.stop_reason:
            delivery.counter.fail(result.stop_reason)
        done += result.receipt.rows
        delivery.context.on_event(
            SendProgress(
                delivery.model_plan.model.name,
                delivery.list_plan.list_ref.name,
                done,
                delivery.list_plan.upserts,
            )
        )


def add_group(klaviyo: Klaviyo, list_id: str, group: Sequence[tuple[int, str]]) -> AddResult:
    """Add up to 1,000 (row number, profile id) to a list.

    Checks first that the ids exist, because the reply (204) does not report unknown ids.
    """
    first, last = group[0][0], group[-1][0]
    try:
        existing_ids = {
            profile.id
            for profile in klaviyo.find_profiles(IdentifierType.PROFILE_ID, [id_ for _, id_ in group])
        }
        row_exceptions = tuple(
            RowException(
                seq, RowExceptionKind.REJECTED, "not_found", "id", "Klaviyo has no profile with this id."
            )
            for seq, id_ in group
            if id_ not in existing_ids
        )
        if existing_ids:
            klaviyo.add_members(list_id, [id_ for _, id_ in group if id_ in existing_ids])
    except ReplyLost as error:
        return AddResult(
            Receipt(list_id, Op.ADD, first, last, ReceiptState.UNKNOWN, len(group), detail=str(error)),
            (),
            str(error),
        )
    except KlaviyoError as error:
        return AddResult(
            Receipt(list_id, Op.ADD, first, last, ReceiptState.NOT_SENT, len(group)), (), str(error)
        )
    return AddResult(
        Receipt(list_id, Op.ADD, first, last, ReceiptState.APPLIED, len(group) - len(row_exceptions)),
        row_exceptions,
    )
