"""Clear the values that became NULL of one list's rows, by a request a row.

It begins when the imports of the list are settled, and takes only rows whose import is proved. The row is
applied when the reply shows the values cleared. Until then it is uncertain: the next run sends it again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from reverse_etl.delivery.concurrency import map_concurrently
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.delivery.row_exceptions import make_row_exception
from reverse_etl.delivery.systematic_failure import find_systematic_failure
from reverse_etl.domain.batched import batched
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.null_rules import OnNull
from reverse_etl.domain.progress import ClearProgress
from reverse_etl.domain.receipts import Receipt, ReceiptState, RowException, RowExceptionKind
from reverse_etl.errors import FailureReason, KlaviyoError, ReplyLost, UnusableReply
from reverse_etl.klaviyo import profile_changes
from reverse_etl.klaviyo.errors import is_content_refusal
from reverse_etl.klaviyo.filters import MAX_VALUES
from reverse_etl.klaviyo.imports import RowError
from reverse_etl.klaviyo.profile_changes import ProfileChanged, ProfileRefused
from reverse_etl.warehouse.model_tables import split_column_marks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reverse_etl.delivery.list_delivery import ListDelivery
    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.surfaces.operations import ClearValues
    from reverse_etl.warehouse.interface import Row

_READ_ROWS: Final = 10_000  # at a time from the warehouse
_GROUP_ROWS: Final = 2 * MAX_VALUES  # half of them are looked up, in one request
NO_PROFILE: Final = RowError("no_profile", "", "Klaviyo no longer has one profile with this identifier.")
NOT_CLEARED: Final = RowError("not_cleared", "", "Klaviyo's reply does not show the value cleared.")


@dataclass(frozen=True)
class ValuesToClear:
    """The properties to clear of one row, its first identifier, and the profile's id if it is known.

    Those in `unset` go with their names.
    """

    seq: int
    names: tuple[str, ...]
    kind: IdentifierType
    value: str
    profile_id: str | None = None
    unset: tuple[str, ...] = ()


@dataclass(frozen=True)
class ClearResult:
    """The result of one row: the state of its clear, Klaviyo's error, or the failure that stops the list."""

    seq: int
    state: ReceiptState
    error: RowError | None = None
    failure: str = ""


def clear_values(delivery: ListDelivery, operation: ClearValues) -> None:
    """Clear what one list's rows no longer have. A failure stops the list; its counter holds the reason."""
    delivery.receipt_buffer.flush()  # which rows are read depends on the receipts of their imports
    list_id = delivery.list_id
    total = delivery.pending_rows.count_clears(list_id)
    done = 0
    for group in _read_groups(delivery):
        if delivery.counter.stopped:
            break
        try:
            takes_turns = operation.by_identifier is not None
            rows = _look_up_profiles(delivery.context.klaviyo, group, takes_turns=takes_turns)
        except KlaviyoError as error:
            delivery.counter.fail(FailureReason.of(error))
            break
        results = [*map_concurrently(delivery.context, lambda row: _send(delivery, operation, row), rows)]
        _record(delivery, results)
        done += len(results)
        delivery.context.on_progress(ClearProgress(delivery.model_name, delivery.list_name, done, total))
    delivery.counter.replace(Outcome.APPLIED, Outcome.NOT_SENT, total - done)


def _read_groups(delivery: ListDelivery) -> Iterator[Sequence[ValuesToClear]]:
    kinds = delivery.model_plan.tables.identifiers
    names_by_column = delivery.model_plan.model.names_by_column
    for rows in delivery.pending_rows.read_clears(delivery.list_id, _READ_ROWS):
        for group in batched(rows, _GROUP_ROWS):
            yield [_find_unset(_read_row(row, kinds, names_by_column), delivery) for row in group]


def _find_unset(row: ValuesToClear, delivery: ListDelivery) -> ValuesToClear:
    """Return the row with those custom properties marked that go with their names."""
    model = delivery.model_plan.model
    rules = model.config.surface.columns.null_rules
    columns = {part.property: part.column for part in model.payload}
    unset = (
        name
        for name in row.names
        if rules.find_rule(columns[name]) is OnNull.UNSET and profile_changes.is_custom_property(name)
    )
    return replace(row, unset=tuple(unset))


def _read_row(row: Row, kinds: Sequence[IdentifierType], names_by_column: Mapping[str, str]) -> ValuesToClear:
    seq, marks, *values = row
    by_kind = dict(zip(IdentifierType, values, strict=True))
    kind = next(kind for kind in kinds if by_kind[kind] is not None)
    names = tuple(names_by_column[column] for column in split_column_marks(marks))
    return ValuesToClear(seq, names, kind, by_kind[kind])


def _look_up_profiles(
    klaviyo: Klaviyo, group: Sequence[ValuesToClear], *, takes_turns: bool
) -> list[ValuesToClear]:
    """Return the rows, those to be sent by id with that of the one profile that has their identifier."""
    profile_ids: dict[tuple[IdentifierType, str], list[str]] = {}
    step = 2 if takes_turns else 1
    looked_up = [row for row in group[step - 1 :: step] if row.kind is not IdentifierType.PROFILE_ID]
    for kind in dict.fromkeys(row.kind for row in looked_up):
        values = [row.value for row in looked_up if row.kind is kind]
        try:
            profiles = klaviyo.find_profiles(kind, values)
        except UnusableReply as error:
            if not is_content_refusal(error):
                raise
            continue  # one of the values can't be looked up: the other endpoint finds these profiles
        for profile in profiles:
            for value in profile.identifiers(kind):
                profile_ids.setdefault((kind, value), []).append(profile.id)
    return [_with_profile_id(row, profile_ids.get((row.kind, row.value), ())) for row in group]


def _with_profile_id(row: ValuesToClear, profile_ids: Sequence[str]) -> ValuesToClear:
    if row.kind is IdentifierType.PROFILE_ID:
        profile_ids = (row.value,)
    return replace(row, profile_id=profile_ids[0] if len(profile_ids) == 1 else None)


def _send(delivery: ListDelivery, operation: ClearValues, row: ValuesToClear) -> ClearResult:
    """Send one row's request, in a thread of its own. Never raises KlaviyoError.

    A profile that was merged or deleted since its look-up is found by its identifier.
    """
    klaviyo = delivery.context.klaviyo
    try:
        reply = None
        if row.profile_id is not None:
            request = profile_changes.update_request(operation.by_id, row.profile_id, row.names, row.unset)
            reply = klaviyo.change_profile(request)
        is_gone = reply is None or (
            isinstance(reply, ProfileRefused) and reply.status == HTTPStatus.NOT_FOUND
        )
        if is_gone and operation.by_identifier is not None:
            request = profile_changes.import_request(
                operation.by_identifier, row.kind, row.value, row.names, row.unset
            )
            reply = klaviyo.change_profile(request)
    except ReplyLost as error:
        return ClearResult(row.seq, ReceiptState.UNKNOWN, failure=FailureReason.of(error))
    except KlaviyoError as error:
        return ClearResult(row.seq, ReceiptState.NOT_SENT, failure=FailureReason.of(error))
    match reply:
        case None:
            return ClearResult(row.seq, ReceiptState.UNKNOWN, NO_PROFILE)
        case ProfileChanged(_, attributes):
            is_cleared = not profile_changes.find_uncleared(attributes, row.names)
            state = ReceiptState.APPLIED if is_cleared else ReceiptState.UNKNOWN
            return ClearResult(row.seq, state, None if is_cleared else NOT_CLEARED)
        case ProfileRefused(_, refusal):
            return ClearResult(row.seq, ReceiptState.NOT_SENT, refusal)


def _record(delivery: ListDelivery, results: Sequence[ClearResult]) -> None:
    """Record a group's results by one receipt, of the cleared rows, and a row exception for each other."""
    refused = [result.error for result in results if result.error and result.state is ReceiptState.NOT_SENT]
    systematic = find_systematic_failure(refused, len(results))
    failures = [result.failure for result in results if result.failure]
    for reason in (systematic, *failures):
        if reason:
            delivery.counter.fail(reason)
    exceptions = [
        _row_exception(result, is_rejected=systematic is None)
        for result in results
        if result.state is not ReceiptState.APPLIED
    ]
    seqs = sorted(result.seq for result in results)
    cleared = len(results) - len(exceptions)
    list_id = delivery.list_id
    receipt = Receipt(list_id, Op.CLEAR, -seqs[-1], -seqs[0], ReceiptState.APPLIED, cleared)
    delivery.receipt_buffer.add((receipt,), exceptions)
    for exception in exceptions:
        delivery.counter.replace(Outcome.APPLIED, _OUTCOMES[exception.kind], 1)


_OUTCOMES: Final = {
    RowExceptionKind.REJECTED: Outcome.REJECTED,
    RowExceptionKind.NOT_SENT: Outcome.NOT_SENT,
    RowExceptionKind.UNKNOWN: Outcome.UNKNOWN,
}


def _row_exception(result: ClearResult, *, is_rejected: bool) -> RowException:
    """Return why a row's values are not cleared. Its number is that of the row with a minus."""
    error = result.error or RowError("", "", "")
    if result.state is ReceiptState.UNKNOWN:
        kind = RowExceptionKind.UNKNOWN
    elif result.error is not None and is_rejected:
        kind = RowExceptionKind.REJECTED
    else:
        kind = RowExceptionKind.NOT_SENT
    return make_row_exception(-result.seq, error, kind)
