"""Add: put profiles that exist on a list by their Klaviyo id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.delivery.flight import in_flight
from reverse_etl.delivery.submit import count
from reverse_etl.errors import KlaviyoError, ReplyLost
from reverse_etl.events import Sending
from reverse_etl.identifiers import IdentifierType
from reverse_etl.klaviyo.pack import MOST_IDS
from reverse_etl.receipts import Receipt, ReceiptState, Refusal, RefusalKind
from reverse_etl.sql import takeover
from reverse_etl.sql.diff import Op

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.delivery.at import At, Recorder
    from reverse_etl.delivery.tally import Tally
    from reverse_etl.klaviyo import Klaviyo
    from reverse_etl.plan import ListPlan, ModelPlan

_ID = 1 + tuple(IdentifierType).index(IdentifierType.PROFILE_ID)


@dataclass(frozen=True)
class Added:
    """What came of one group of ids."""

    receipt: Receipt
    refusals: tuple[Refusal, ...] = ()
    stop: str = ""


def add(at: At, plan: ModelPlan, one: ListPlan, recorder: Recorder, tally: Tally) -> None:
    """Put one list's new rows on it, 1,000 a request; a fault stops the list, with the reason in `tally`."""
    statement = takeover.upserts(at.warehouse.dialect, plan.shape, at.run_id, one.list.id)
    groups = ([(row[0], row[_ID]) for row in rows] for rows in at.warehouse.batches(statement, MOST_IDS))
    unstopped = (group for group in groups if not tally.stopped)
    done = 0
    for added in in_flight(at, lambda group: add_group(at.klaviyo, one.list.id, group), unstopped):
        recorder.add((added.receipt,), added.refusals)
        count(tally, (added.receipt,), added.refusals)
        if added.stop:
            tally.stop(added.stop)
        done += added.receipt.rows
        at.tell(Sending(plan.model.name, one.list.name, done, one.upserts))


def add_group(klaviyo: Klaviyo, list_id: str, group: Sequence[tuple[int, str]]) -> Added:
    """Add at most 1,000 (number, profile id) after checking that the ids exist.

    A 204 says nothing of single ids.
    """
    first, last = group[0][0], group[-1][0]
    try:
        known = {
            profile.id for profile in klaviyo.profiles(IdentifierType.PROFILE_ID, [id_ for _, id_ in group])
        }
        refusals = tuple(
            Refusal(seq, RefusalKind.REJECTED, "not_found", "id", "Klaviyo has no profile with this id.")
            for seq, id_ in group
            if id_ not in known
        )
        if known:
            klaviyo.add_members(list_id, [id_ for _, id_ in group if id_ in known])
    except ReplyLost as error:
        return Added(
            Receipt(list_id, Op.ADD, first, last, ReceiptState.UNKNOWN, len(group), detail=str(error)),
            (),
            str(error),
        )
    except KlaviyoError as error:
        return Added(Receipt(list_id, Op.ADD, first, last, ReceiptState.NOT_SENT, len(group)), (), str(error))
    return Added(
        Receipt(list_id, Op.ADD, first, last, ReceiptState.APPLIED, len(group) - len(refusals)), refusals
    )
