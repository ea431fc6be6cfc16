"""Remove members who are no longer desired from a list, after looking up who they are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from reverse_etl.delivery.concurrency import map_concurrently
from reverse_etl.delivery.halving import send_in_halves
from reverse_etl.delivery.known_people import find_unsubscribing_models
from reverse_etl.delivery.members.profile_lookup import resolve_removals
from reverse_etl.delivery.members.removal_evidence import IdentifierMatch, RemovalCandidate, RemovalDecision
from reverse_etl.delivery.members.removal_rules import collect_inherited_first_sent
from reverse_etl.delivery.outcomes import OUTCOME_BY_RECEIPT_STATE, Outcome
from reverse_etl.delivery.row_exceptions import make_row_exception, read_row_error
from reverse_etl.domain.batched import batched
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.receipts import HoldCode, Receipt, ReceiptState, RowException, RowExceptionKind
from reverse_etl.domain.timestamps import parse_timestamp
from reverse_etl.errors import FailureCause, FailureReason, KlaviyoError, SessionLost
from reverse_etl.formatting import format_count
from reverse_etl.state.sql.deltas import RunDeltas
from reverse_etl.state.sql.pending import select_staged_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from reverse_etl.delivery.list_delivery import ListDelivery
    from reverse_etl.delivery.members.profile_lookup import ResolvedRemovals
    from reverse_etl.errors import UnusableReply
    from reverse_etl.surfaces.operations import RemoveFromList
    from reverse_etl.warehouse.interface import Row

READ_ROWS = 10_000  # leaving rows resolved together, with few statements
_MAX_VALUES = 5_000  # in one IN list
_SESSION_LOST_REASON = FailureReason.because(
    FailureCause.WAREHOUSE,
    "The warehouse session ended, and with it the staged rows that protect desired people. Nobody else was "
    "removed from the list. The next run continues.",
)


def remove_members(delivery: ListDelivery, operation: RemoveFromList) -> None:
    """Resolve and remove one list's leaving rows, group by group.

    A failure stops the list; its counter holds the reason. Held rows stay in the snapshot, and so do those
    that Klaviyo refuses to look up or to remove; rows with any other outcome are deleted from it.
    """
    context, list_id = delivery.context, delivery.list_id
    done = 0
    refusal_reason = ""
    waiting_models: set[str] = set()
    for rows in delivery.pending_rows.read_removes(list_id, READ_ROWS):
        candidates = _parse_candidates(delivery, rows)
        try:
            resolved = resolve_removals(delivery, candidates, partial(_read_matches, delivery))
            waiting = _find_waiting_rows(delivery, resolved)
        except KlaviyoError as error:
            delivery.counter.fail(FailureReason.of(error))
            break
        except SessionLost:
            delivery.counter.fail(_SESSION_LOST_REASON)
            break
        waiting_models.update(waiting.values())
        decisions = [decision for decision in resolved.decisions if decision.row.seq not in waiting]
        context.state.backdate_first_sent(
            delivery.model_plan.tables, list_id, collect_inherited_first_sent(decisions)
        )
        context.state.renew_lease_or_raise()  # a run that lost the lease must not remove anybody
        removed = _remove_profiles(delivery, operation, decisions)
        if removed.stop_reason:
            delivery.counter.fail(removed.stop_reason)
        state = removed.state
        refused = {**resolved.unresolved, **_find_refused_rows(decisions, removed.refused)}
        refusal_reason = refusal_reason or _describe_refusal(refused)
        if state is ReceiptState.APPLIED:
            delivery.receipt_buffer.add_outcomes(_collect_outcomes(decisions))
        delivery.receipt_buffer.add(
            (_receipt(list_id, candidates, state, removed.stop_reason),),
            (
                *(_held_exception(decision) for decision in decisions if decision.outcome is Outcome.HELD),
                *(
                    make_row_exception(seq, read_row_error(error, ""), RowExceptionKind.HELD)
                    for seq, error in sorted(refused.items())
                ),
                *(_waiting_exception(seq, name) for seq, name in sorted(waiting.items())),
            ),
            _unmatched_removals(list_id, decisions) if state is ReceiptState.APPLIED else (),
        )
        delivery.counter.add(Outcome.NOT_SENT, len(refused) + len(waiting))
        for decision in decisions:
            if decision.row.seq in refused:
                continue
            proved = state is ReceiptState.APPLIED or decision.outcome is Outcome.HELD
            delivery.counter.add(decision.outcome if proved else OUTCOME_BY_RECEIPT_STATE[state], 1)
        done += len(candidates)
        delivery.report_progress(Op.REMOVE, done)
        if delivery.counter.stopped:
            break
    _stop(delivery, refusal_reason, waiting_models)


def _stop(delivery: ListDelivery, refusal_reason: str, waiting_models: Collection[str]) -> None:
    """Stop the list if rows could not be removed."""
    if refusal_reason:
        delivery.counter.fail(refusal_reason)
    if waiting_models:
        delivery.counter.halt(_describe_waiting(delivery, waiting_models))


def _describe_waiting(delivery: ListDelivery, waiting_models: Collection[str]) -> str:
    """Say which models have to unsubscribe people first, and why they have not."""
    planned = {model_plan.model.name for model_plan in delivery.context.model_plans}
    text = (
        f"The model {', '.join(sorted(waiting_models))} has to unsubscribe people from the list before "
        "they are removed: afterwards, Klaviyo would unsubscribe them from everything."
    )
    if not planned.issuperset(waiting_models):
        return f"{text} Run the models together."
    return f"{text} It could not unsubscribe them yet: its own line says why. The next run continues."


def leave_rows_in_place(delivery: ListDelivery) -> None:
    """Delete the leaving rows of a surface that removes nothing from the snapshot."""
    list_id = delivery.list_id
    for rows in delivery.pending_rows.read_removes(list_id, READ_ROWS):
        outcomes = dict.fromkeys((row[0] for row in rows), Outcome.LEFT_IN_PLACE)
        delivery.receipt_buffer.add_outcomes(outcomes)
        delivery.receipt_buffer.add(
            (_receipt(list_id, _parse_candidates(delivery, rows), ReceiptState.APPLIED, ""),),
        )
        delivery.counter.add(Outcome.LEFT_IN_PLACE, len(rows))


def _collect_outcomes(decisions: Iterable[RemovalDecision]) -> dict[int, Outcome]:
    """Return the outcomes of the rows of which nobody was removed, by the row's number."""
    return {
        decision.row.seq: decision.outcome
        for decision in decisions
        if decision.outcome not in {Outcome.REMOVED, Outcome.HELD}
    }


def _unmatched_removals(list_id: str, decisions: Iterable[RemovalDecision]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (list_id, decision.row.identity) for decision in decisions if decision.outcome is Outcome.NOT_FOUND
    )


def _parse_candidates(delivery: ListDelivery, rows: Iterable[Row]) -> list[RemovalCandidate]:
    return [_parse_candidate(row, delivery.model_plan.tables.identifiers) for row in rows]


def _parse_candidate(row: Row, model_identifiers: Collection[IdentifierType]) -> RemovalCandidate:
    """Return the candidate of a row of `select_removes`.

    A row of a profile id, in a model without ids, is of a member whose address changed: another person may
    have the address by now. See `delivery/address_changes.py`.
    """
    seq, identity, *values, first_sent, in_snapshot, _ = row
    identifiers: dict[IdentifierType, str | None] = dict(zip(IdentifierType, values, strict=True))
    former: dict[IdentifierType, str | None] = {}
    kind, _, value = identity.partition(":")  # another row key is not an identity: its surface has no people
    if kind == IdentifierType.PROFILE_ID and IdentifierType.PROFILE_ID not in model_identifiers:
        identifiers, former = {IdentifierType.PROFILE_ID: value}, identifiers
    return RemovalCandidate(
        seq, identity, identifiers, parse_timestamp(first_sent), bool(in_snapshot), former
    )


def _read_matches(
    delivery: ListDelivery, values_by_kind: Mapping[IdentifierType, Sequence[str]]
) -> Iterator[tuple[str, IdentifierMatch]]:
    """Yield the staged rows that have one of some identifiers, each with the identifier."""
    model_plan, own_list_id = delivery.model_plan, delivery.list_id
    run = RunDeltas(model_plan.tables, delivery.context.run_id, model_plan.model.name)
    pairs = [(kind, value) for kind, values in values_by_kind.items() for value in values]
    for part in batched(pairs, _MAX_VALUES):
        values = {kind: [value for _, value in group] for kind, group in groupby(part, key=itemgetter(0))}
        statement = select_staged_rows(run, own_list_id, values)
        for kind, value, identity, list_id, rejected in delivery.context.warehouse.fetch(statement):
            match = IdentifierMatch(IdentifierType(kind), identity, bool(rejected), list_id == own_list_id)
            yield value, match


@dataclass(frozen=True)
class _RemovedProfiles:
    """The result of removing profiles: `refused` are those that Klaviyo refused to remove, by id."""

    state: ReceiptState
    refused: Mapping[str, UnusableReply]
    stop_reason: str = ""


def _remove_profiles(
    delivery: ListDelivery, operation: RemoveFromList, decisions: Iterable[RemovalDecision]
) -> _RemovedProfiles:
    """Remove the profiles of the decisions from the list.

    If one request fails or its reply is lost, the whole group is unknown, and the next run resolves it again.
    """
    context, list_id = delivery.context, delivery.list_id
    ids = sorted({profile_id for decision in decisions for profile_id in decision.profile_ids})
    refused: dict[str, UnusableReply] = {}
    for part in map_concurrently(
        context,
        lambda part: send_in_halves(
            part, partial(context.klaviyo.remove_members, list_id), delivery.refusals
        ),
        batched(ids, operation.max_rows),
    ):
        if part.error is not None:
            return _RemovedProfiles(ReceiptState.UNKNOWN, {}, FailureReason.of(part.error))
        refused |= part.refused
    return _RemovedProfiles(ReceiptState.APPLIED, refused)


def _find_waiting_rows(delivery: ListDelivery, resolved: ResolvedRemovals) -> dict[int, str]:
    """Return the rows whose person another model unsubscribes from the list first, each with the model."""
    identities_by_seq = {
        decision.row.seq: {
            f"{kind}:{value}"
            for profile_id in decision.profile_ids
            for kind in IdentifierType
            for value in resolved.profiles[profile_id].identifiers(kind)
        }
        for decision in resolved.decisions
    }
    identities = sorted(
        {identity for identities_of_row in identities_by_seq.values() for identity in identities_of_row}
    )
    models = find_unsubscribing_models(delivery.context, delivery.list_id, identities)
    return {
        seq: models[identity]
        for seq, identities_of_row in identities_by_seq.items()
        for identity in identities_of_row
        if identity in models
    }


def _waiting_exception(seq: int, model: str) -> RowException:
    return RowException(
        seq,
        RowExceptionKind.HELD,
        HoldCode.UNSUBSCRIBED_FIRST,
        "",
        f"The model {model} unsubscribes the person first.",
    )


def _find_refused_rows(
    decisions: Iterable[RemovalDecision], refused: Mapping[str, UnusableReply]
) -> dict[int, UnusableReply]:
    """Return the rows of which Klaviyo refused to remove a profile."""
    return {
        decision.row.seq: refused[profile_id]
        for decision in decisions
        for profile_id in decision.profile_ids
        if profile_id in refused
    }


def _describe_refusal(refused: Mapping[int, UnusableReply]) -> str:
    if not refused:
        return ""
    rows = format_count(len(refused), "row")
    return f"{rows} could not be looked up or removed; the others were. {next(iter(refused.values()))}"


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
        HoldCode.SAME_PERSON,
        "",
        "A desired or rejected row may be the same person.",
    )
