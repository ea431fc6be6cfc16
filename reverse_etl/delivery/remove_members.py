"""Remove members who are no longer desired from a list, after looking up who they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.delivery.concurrency import map_concurrently
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.delivery.profile_lookup import resolve_removals
from reverse_etl.delivery.removal_rules import (
    IdentifierMatch,
    RemovalCandidate,
    RemovalDecision,
    collect_inherited_first_sent,
)
from reverse_etl.domain.batched import batched
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.events import RemoveProgress
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.receipts import Receipt, ReceiptState, RowException, RowExceptionKind
from reverse_etl.domain.timestamps import parse_timestamp
from reverse_etl.errors import KlaviyoError, SessionLost
from reverse_etl.state.sql.deltas import RunDeltas
from reverse_etl.state.sql.pending import select_staged_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reverse_etl.delivery.context import DeliveryContext
    from reverse_etl.delivery.list_delivery import ListDelivery
    from reverse_etl.surfaces.operations import RemoveFromList
    from reverse_etl.warehouse.interface import Row

READ_ROWS = 10_000  # leaving rows resolved together, with few statements
_MAX_VALUES = 5_000  # in one IN list
_SESSION_LOST_REASON = (
    "The warehouse session ended, and with it the staged rows that protect desired people. Nobody else was "
    "removed from the list. The next run continues."
)


def remove_members(delivery: ListDelivery, operation: RemoveFromList) -> None:
    """Resolve and remove one list's leaving rows, group by group.

    A failure stops the list; its counter holds the reason. Held rows stay in the snapshot; rows with any
    other outcome are deleted from it.
    """
    context, list_id = delivery.context, delivery.list_plan.list_ref.id
    done = 0
    for rows in delivery.pending_rows.read_removes(list_id, READ_ROWS):
        candidates = [_parse_candidate(row) for row in rows]
        try:
            decisions = resolve_removals(
                context, list_id, candidates, lambda *arguments: _read_matches(delivery, *arguments)
            )
        except KlaviyoError as error:
            delivery.counter.fail(str(error))
            break
        except SessionLost:
            delivery.counter.fail(_SESSION_LOST_REASON)
            break
        context.state.backdate_first_sent(
            delivery.model_plan.tables, list_id, collect_inherited_first_sent(decisions)
        )
        context.state.renew_lease_or_raise()  # a run that lost the lease must not remove anybody
        state, reason = _remove_profiles(context, operation, list_id, decisions)
        if reason:
            delivery.counter.fail(reason)
        delivery.receipt_buffer.add(
            (_receipt(list_id, candidates, state, reason),),
            tuple(_held_exception(r) for r in decisions if r.outcome is Outcome.HELD),
            _unmatched_removals(list_id, decisions) if state is ReceiptState.APPLIED else (),
        )
        for decision in decisions:
            proved = state is ReceiptState.APPLIED or decision.outcome is Outcome.HELD
            delivery.counter.add(decision.outcome if proved else _OUTCOME_BY_RECEIPT_STATE[state], 1)
        done += len(candidates)
        context.on_event(
            RemoveProgress(
                delivery.model_plan.model.name,
                delivery.list_plan.list_ref.name,
                done,
                delivery.list_plan.removes,
            )
        )
        if delivery.counter.stopped:
            break


def leave_rows_in_place(delivery: ListDelivery) -> None:
    """Delete the leaving rows of a surface that removes nothing from the snapshot."""
    list_id = delivery.list_plan.list_ref.id
    for rows in delivery.pending_rows.read_removes(list_id, READ_ROWS):
        delivery.receipt_buffer.add(
            (_receipt(list_id, [_parse_candidate(row) for row in rows], ReceiptState.APPLIED, ""),)
        )
        delivery.counter.add(Outcome.LEFT_IN_PLACE, len(rows))


def _unmatched_removals(list_id: str, decisions: Iterable[RemovalDecision]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (list_id, decision.row.identity) for decision in decisions if decision.outcome is Outcome.NOT_FOUND
    )


_OUTCOME_BY_RECEIPT_STATE = {ReceiptState.UNKNOWN: Outcome.UNKNOWN, ReceiptState.NOT_SENT: Outcome.NOT_SENT}


def _parse_candidate(row: Row) -> RemovalCandidate:
    seq, identity, *identifiers, first_sent, in_snapshot = row
    identifiers_by_type = dict(zip(IdentifierType, identifiers, strict=True))
    return RemovalCandidate(
        seq, identity, identifiers_by_type, parse_timestamp(first_sent), uncertain=not in_snapshot
    )


def _read_matches(
    delivery: ListDelivery, kind: IdentifierType, values: Sequence[str]
) -> Iterator[tuple[str, IdentifierMatch]]:
    model_plan, own_list_id = delivery.model_plan, delivery.list_plan.list_ref.id
    run = RunDeltas(model_plan.tables, delivery.context.run_id, model_plan.model.name)
    for part in batched(values, _MAX_VALUES):
        statement = select_staged_rows(run, own_list_id, kind, part)
        for value, identity, list_id, rejected in delivery.context.warehouse.fetch(statement):
            yield value, IdentifierMatch(kind, identity, bool(rejected), list_id == own_list_id)


def _remove_profiles(
    context: DeliveryContext, operation: RemoveFromList, list_id: str, decisions: Iterable[RemovalDecision]
) -> tuple[ReceiptState, str]:
    """Remove the profiles of the decisions from the list.

    If one request fails or its reply is lost, the whole group is unknown, and the next run resolves it again.
    """
    ids = sorted({profile_id for decision in decisions for profile_id in decision.profile_ids})
    try:
        for _ in map_concurrently(
            context,
            lambda part: context.klaviyo.remove_members(list_id, part),
            batched(ids, operation.max_rows),
        ):
            pass
    except KlaviyoError as error:
        return ReceiptState.UNKNOWN, str(error)
    return ReceiptState.APPLIED, ""


def _receipt(
    list_id: str, candidates: Sequence[RemovalCandidate], state: ReceiptState, reason: str
) -> Receipt:
    return Receipt(
        list_id, Op.REMOVE, candidates[0].seq, candidates[-1].seq, state, len(candidates), detail=reason
    )


def _held_exception(decision: RemovalDecision) -> RowException:
    return RowException(
        decision.row.seq,
        RowExceptionKind.HELD,
        "held",
        "",
        "A desired or rejected row may be the same person.",
    )
