"""Add existing profiles to a list by their Klaviyo id."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING

from reverse_etl.delivery.concurrency import map_concurrently
from reverse_etl.delivery.halving import HalvedRequest, send_in_halves
from reverse_etl.delivery.refusals import describe_missing_list
from reverse_etl.delivery.row_exceptions import make_row_exception, read_row_error
from reverse_etl.domain.batched import batched
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.receipts import Receipt, ReceiptState, RowException, RowExceptionKind
from reverse_etl.errors import FailureReason, ReplyLost
from reverse_etl.klaviyo.filters import MAX_VALUES
from reverse_etl.klaviyo.imports import RowError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from reverse_etl.delivery.list_delivery import ListDelivery
    from reverse_etl.delivery.refusals import ListRefusals
    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.surfaces.operations import AddToList

_IDENTIFIER_INDEX = 1  # after the row's number; the surface has one identifier


@dataclass(frozen=True)
class AddResult:
    """The result of a group of rows. `stop_reason`: why the list stops, or empty."""

    receipts: tuple[Receipt, ...]
    row_exceptions: tuple[RowException, ...] = ()
    stop_reason: str = ""


def add_members(delivery: ListDelivery, operation: AddToList) -> None:
    """Add one list's new rows to it. A failed request stops the list; its counter holds the reason."""
    list_id = delivery.list_id
    groups = (
        [(row[0], row[_IDENTIFIER_INDEX]) for row in rows]
        for rows in delivery.pending_rows.read_upserts(list_id, operation.max_rows)
    )
    groups_to_send = takewhile(lambda _: not delivery.counter.stopped, groups)
    done = 0
    for result in map_concurrently(
        delivery.context,
        lambda group: add_group(delivery.context.klaviyo, list_id, group, delivery.refusals),
        groups_to_send,
    ):
        delivery.record(result.receipts, result.row_exceptions)
        if result.stop_reason:
            delivery.counter.fail(result.stop_reason)
        done += sum(receipt.rows for receipt in result.receipts)
        delivery.report_progress(Op.ADD, done)


def add_group(
    klaviyo: Klaviyo, list_id: str, group: Sequence[tuple[int, str]], refusals: ListRefusals
) -> AddResult:
    """Add up to 1,000 (row number, profile id) to a list, in as many requests as it takes.

    Checks first that the ids exist, because the reply (204) does not report unknown ids.
    """
    existing_ids: set[str] = set()
    refused: dict[str, RowError] = {}
    for part in batched([id_ for _, id_ in group], MAX_VALUES):
        look_up = send_in_halves(part, partial(klaviyo.find_profiles, IdentifierType.PROFILE_ID), refusals)
        if look_up.error is not None:
            return AddResult(
                (_receipt(list_id, group, ReceiptState.NOT_SENT),), (), FailureReason.of(look_up.error)
            )
        existing_ids |= {profile.id for profiles in look_up.results for profile in profiles}
        refused |= {id_: read_row_error(error, "id") for id_, error in look_up.refused.items()}
    unknown = RowError("no_profile", "id", "Klaviyo has no profile with this id.")
    refused = {id_: refused.get(id_, unknown) for _, id_ in group if id_ not in existing_ids}
    return _add_existing(klaviyo, list_id, group, refused, refusals)


def _add_existing(
    klaviyo: Klaviyo,
    list_id: str,
    group: Sequence[tuple[int, str]],
    refused: Mapping[str, RowError],
    refusals: ListRefusals,
) -> AddResult:
    """Add the group's profiles but for those that are refused."""
    ids = [id_ for _, id_ in group if id_ not in refused]
    added = (
        send_in_halves(ids, partial(klaviyo.add_members, list_id), refusals) if ids else HalvedRequest[None]()
    )
    if added.done:
        refusals.note_applied_rows()
    stop_reason = FailureReason.of(added.error) if added.error is not None else ""
    if added.refused and not stop_reason:
        stop_reason = describe_missing_list(klaviyo, list_id)
        if not stop_reason and not refusals.has_applied_rows:
            stop_reason = FailureReason.of(next(iter(added.refused.values())))
    kind = RowExceptionKind.NOT_SENT if stop_reason else RowExceptionKind.REJECTED
    refused_now = {id_: read_row_error(error, "id") for id_, error in added.refused.items()}
    row_exceptions = [
        make_row_exception(seq, error) for seq, id_ in group if (error := refused.get(id_)) is not None
    ] + [
        make_row_exception(seq, error, kind)
        for seq, id_ in group
        if (error := refused_now.get(id_)) is not None
    ]
    unsent = {*added.unsent}
    first_unsent = next((index for index, (_, id_) in enumerate(group) if id_ in unsent), len(group))
    rest_state = ReceiptState.UNKNOWN if isinstance(added.error, ReplyLost) else ReceiptState.NOT_SENT
    exceptional = {exception.seq for exception in row_exceptions}
    receipts = [
        _receipt(list_id, rows, state, exceptional, detail)
        for rows, state, detail in (
            (group[:first_unsent], ReceiptState.APPLIED, ""),
            (group[first_unsent:], rest_state, stop_reason),
        )
        if rows
    ]
    return AddResult(tuple(receipts), tuple(row_exceptions), stop_reason)


def _receipt(
    list_id: str,
    rows: Sequence[tuple[int, str]],
    state: ReceiptState,
    exceptional: Collection[int] = (),
    detail: str = "",
) -> Receipt:
    count = sum(seq not in exceptional for seq, _ in rows)
    return Receipt(list_id, Op.ADD, rows[0][0], rows[-1][0], state, count, detail=detail)
