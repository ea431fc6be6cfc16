"""Add: put profiles that exist on a list by their Klaviyo id."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from reverse_etl.delivery.concurrency import in_flight
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.events import Sending
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.receipts import Receipt, ReceiptState, Refusal, RefusalKind
from reverse_etl.errors import KlaviyoError, ReplyLost
from reverse_etl.klaviyo.lists import MOST_MEMBERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.delivery.list_delivery import Delivery
    from reverse_etl.klaviyo.api import Klaviyo

_ID = 1  # after its number, the one identifier that the surface has


@dataclass(frozen=True)
class Added:
    """What came of one group of ids."""

    receipt: Receipt
    refusals: tuple[Refusal, ...] = ()
    stop: str = ""


def add(to: Delivery) -> None:
    """Put one list's new rows on it, 1,000 a request; a fault stops the list, and its tally says why."""
    list_id = to.one.list.id
    groups = ([(row[0], row[_ID]) for row in rows] for rows in to.deltas.upserts(list_id, MOST_MEMBERS))
    unstopped = takewhile(lambda _: not to.tally.stopped, groups)
    done = 0
    for added in in_flight(to.at, lambda group: add_group(to.at.klaviyo, list_id, group), unstopped):
        to.note((added.receipt,), added.refusals)
        if added.stop:
            to.tally.stop(added.stop)
        done += added.receipt.rows
        to.at.tell(Sending(to.plan.model.name, to.one.list.name, done, to.one.upserts))


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
