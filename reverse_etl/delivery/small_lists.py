"""Blame the model if Klaviyo refused every row of a small list for one reason.

Larger lists are judged while they are sent (`find_systematic_failure`). The few rows of a small
one fit into one request, so that their refusals show only afterwards that nothing of the list was right.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.delivery.systematic_failure import SYSTEMATIC_FAILURE_ALL_ROWS
from reverse_etl.domain.receipts import RowExceptionKind
from reverse_etl.domain.rejections import RejectionReason, RejectionSource
from reverse_etl.errors import FailureReason
from reverse_etl.formatting import end_sentence
from reverse_etl.klaviyo.profiles import FIELD_BY_IDENTIFIER_TYPE

if TYPE_CHECKING:
    from reverse_etl.delivery.list_delivery import ListDelivery
    from reverse_etl.domain.receipts import RowException

_MIN_ROWS: Final = 3  # fewer may fail alike by chance


def blame_model_for_small_list(delivery: ListDelivery) -> None:
    """Stop the list and reject no row, if all rows of the list were refused for one reason.

    A stored rejection would leave the rows out of later runs, although the model or the account is at
    fault. Rows that Klaviyo would refuse whatever the model does (opted out, too large) don't count.
    """
    refused, list_plan = delivery.refused_rows, delivery.list_plan
    is_whole_list = len(refused) == list_plan.upserts == list_plan.rows
    if not is_whole_list or not _MIN_ROWS <= len(refused) < SYSTEMATIC_FAILURE_ALL_ROWS:
        return
    first = refused[0]
    reasons = {(row.code, row.field) for row in refused}
    if len(reasons) > 1 or _is_of_rows(delivery, first):
        return
    delivery.receipt_buffer.flush()
    not_sent = [replace(row, kind=RowExceptionKind.NOT_SENT) for row in refused]
    context = delivery.context
    context.state.receipts.replace_row_exceptions(context.run_id, delivery.model_name, not_sent)
    delivery.counter.replace(Outcome.REJECTED, Outcome.NOT_SENT, len(refused))
    where = f"{first.code} at {first.field}" if first.field else first.code
    reason = (
        f"Klaviyo refused all {len(refused)} rows of the list for the same reason, so the cause is the model "
        f"or the account ({where}). {end_sentence(first.detail)}"
    )
    delivery.counter.fail(FailureReason.refusal(reason))


def _is_of_rows(delivery: ListDelivery, refused: RowException) -> bool:
    """Return whether a reason is each row's own fault, however many rows have it."""
    if not RejectionReason(RejectionSource.KLAVIYO, refused.code, refused.field).is_by_klaviyo:
        return True
    is_of_identifier = refused.field in FIELD_BY_IDENTIFIER_TYPE.values()
    return is_of_identifier and delivery.surface.upsert.identifier_errors_are_of_rows
