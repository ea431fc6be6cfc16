"""Remove: take the members off a list who are no longer desired, after resolving who they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.delivery.concurrency import in_flight
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.delivery.profile_lookup import resolve
from reverse_etl.delivery.removal_rules import Claim, Leaving, Resolved, inheritance
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.events import Removing
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.receipts import Receipt, ReceiptState, Refusal, RefusalKind
from reverse_etl.domain.timestamps import read
from reverse_etl.errors import KlaviyoError, SessionLost
from reverse_etl.klaviyo.batching import chunks
from reverse_etl.klaviyo.lists import MOST_MEMBERS
from reverse_etl.state.sql import pending as deltas

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reverse_etl.delivery.context import At
    from reverse_etl.delivery.list_delivery import Delivery
    from reverse_etl.warehouse.interface import Row

READ_ROWS = 10_000  # leaving rows resolved together: a few statements for so many
_MOST_VALUES = 5_000  # in one IN list
_NOBODY_KNOWS = (
    "The session with the warehouse ended, and with it the rows that say who is wanted: "
    "nobody more was taken off the list. The next run goes on."
)


def remove(to: Delivery) -> None:
    """Resolve and remove one list's leaving rows, group by group.

    A fault stops the list, with the reason in its tally.

    Rows that were removed, superseded, gone, or never ours are forgotten; held rows stay in the snapshot.
    """
    at, list_id = to.at, to.one.list.id
    done = 0
    for rows in to.deltas.removes(list_id, READ_ROWS):
        leaving = [_leaving(row) for row in rows]
        try:
            resolved = resolve(at, list_id, leaving, lambda *asked: _claims(to, *asked))
        except KlaviyoError as error:
            to.tally.stop(str(error))
            break
        except SessionLost:
            to.tally.stop(_NOBODY_KNOWS)
            break
        at.state.inherit(to.plan.shape, list_id, inheritance(resolved))
        at.state.still_leased()  # whoever lost the lease meanwhile must not remove
        state, reason = _take_off(at, list_id, resolved)
        if reason:
            to.tally.stop(reason)
        to.recorder.add(
            (_receipt(list_id, leaving, state, reason),),
            tuple(_held(r) for r in resolved if r.outcome is Outcome.HELD),
            _gone(list_id, resolved) if state is ReceiptState.APPLIED else (),
        )
        for r in resolved:
            proved = state is ReceiptState.APPLIED or r.outcome is Outcome.HELD
            to.tally.add(r.outcome if proved else _OUTCOMES[state], 1)
        done += len(leaving)
        at.tell(Removing(to.plan.model.name, to.one.list.name, done, to.one.removes))
        if to.tally.stopped:
            break


def forget(to: Delivery) -> None:
    """Forget the leaving rows of a surface from which nobody is removed."""
    list_id = to.one.list.id
    for rows in to.deltas.removes(list_id, READ_ROWS):
        to.recorder.add((_receipt(list_id, [_leaving(row) for row in rows], ReceiptState.APPLIED, ""),))
        to.tally.add(Outcome.FORGOTTEN, len(rows))


def _gone(list_id: str, resolved: Iterable[Resolved]) -> tuple[tuple[str, str], ...]:
    return tuple((list_id, r.row.identity) for r in resolved if r.outcome is Outcome.GONE)


_OUTCOMES = {ReceiptState.UNKNOWN: Outcome.UNKNOWN, ReceiptState.NOT_SENT: Outcome.NOT_SENT}


def _leaving(row: Row) -> Leaving:
    seq, identity, *identifiers, first_sent, in_snapshot = row
    kinds = dict(zip(IdentifierType, identifiers, strict=True))
    return Leaving(seq, identity, kinds, read(first_sent), uncertain=not in_snapshot)


def _claims(to: Delivery, kind: IdentifierType, values: Sequence[str]) -> Iterator[tuple[str, Claim]]:
    warehouse, plan = to.at.warehouse, to.plan
    for part in chunks(values, _MOST_VALUES):
        run = (to.at.run_id, plan.model.name)
        statement = deltas.wanted(warehouse.dialect, plan.shape, run, to.one.list.id, kind, part)
        for value, identity, list_id, rejected in warehouse.fetch(statement):
            yield value, Claim(kind, identity, bool(rejected), list_id == to.one.list.id)


def _take_off(at: At, list_id: str, resolved: Iterable[Resolved]) -> tuple[ReceiptState, str]:
    """Remove who was resolved.

    One refused or lost request makes the whole group unknown: it is resolved anew in the next run.
    """
    ids = sorted({profile for r in resolved for profile in r.profiles})
    try:
        for _ in in_flight(
            at, lambda part: at.klaviyo.remove_members(list_id, part), chunks(ids, MOST_MEMBERS)
        ):
            pass
    except KlaviyoError as error:
        return ReceiptState.UNKNOWN, str(error)
    return ReceiptState.APPLIED, ""


def _receipt(list_id: str, leaving: Sequence[Leaving], state: ReceiptState, reason: str) -> Receipt:
    return Receipt(list_id, Op.REMOVE, leaving[0].seq, leaving[-1].seq, state, len(leaving), detail=reason)


def _held(resolved: Resolved) -> Refusal:
    return Refusal(
        resolved.row.seq,
        RefusalKind.HELD,
        "held",
        "",
        "A row that is wanted, or was rejected, may be the same person.",
    )
