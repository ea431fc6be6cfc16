"""Creation: a list is made once, though a reply may be lost and a process may die between any two requests.

Klaviyo makes two lists of two requests, and promises neither unique names nor how soon a new list is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.errors import ReplyLost
from reverse_etl.planning.lists import ListRef, creation_started_at, pick_list

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from reverse_etl.clock import Clock
    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.klaviyo.lists import KlaviyoList
    from reverse_etl.state import State

LISTING_DELAY_SECONDS = 60.0  # a list that is not shown so long after its request was not made
POLL_SECONDS = 5.0


def create_list(ref: ListRef, model: str, state: State, klaviyo: Klaviyo, clock: Clock) -> ListRef:
    """Make a list that no name finds, and note that the model drives it.

    Its intent is committed first. Where one is open from an earlier run, or the reply is lost, the name is
    looked up until a list would be shown, and the one that is found is ours. Raises ReplyLost when the reply
    was lost and none was found, UsageError when it can't be told which of several is ours.
    """

    def find_list(started_at: datetime | None) -> KlaviyoList | None:
        found = klaviyo.find_lists(ref.name)
        return pick_list(found, started_at, ref.name, model=model, where=f"model {model}")

    earlier_start = creation_started_at(state.lists.registered(), ref.name)
    age = (klaviyo.server_time - earlier_start).total_seconds() if earlier_start else LISTING_DELAY_SECONDS
    created = _wait_for_list(lambda: find_list(earlier_start), LISTING_DELAY_SECONDS - age, clock)
    if created is None:
        started_at = klaviyo.server_time  # of the look just taken, so before the request
        state.lists.record_intent(ref.name, model, started_at)
        try:
            created = klaviyo.create_list(ref.name)
        except ReplyLost:
            created = _wait_for_list(lambda: find_list(started_at), LISTING_DELAY_SECONDS, clock)
            if created is None:
                raise
    state.lists.claim([(created.id, ref.name, model)])
    return ListRef(ref.row_value, ref.name, created.id)


def _wait_for_list(
    find_list: Callable[[], KlaviyoList | None], seconds: float, clock: Clock
) -> KlaviyoList | None:
    """Return what a look finds: one, and others for so many seconds if it finds nothing."""
    end = clock.monotonic() + seconds
    while (klaviyo_list := find_list()) is None and clock.monotonic() < end:
        clock.sleep(POLL_SECONDS)
    return klaviyo_list
