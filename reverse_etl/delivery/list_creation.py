"""Create a list exactly once, even if a reply is lost or the process is killed between two requests.

Klaviyo creates two lists for two requests: names are not unique, and a new list may be listed only later.
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
    from reverse_etl.models.model import Model
    from reverse_etl.state import State

LISTING_DELAY_SECONDS = 60.0  # a list that is not listed this long after its request was not created
POLL_SECONDS = 5.0


def create_list(ref: ListRef, model: Model, state: State, klaviyo: Klaviyo, clock: Clock) -> ListRef:
    """Create a list and register the model as its owner.

    Commits the intent first. If an earlier run left an intent, or the reply is lost, looks up the name until
    a new list would be listed, and takes the list it finds. Raises ReplyLost if the reply was lost and no
    list appears, UsageError if several lists could be the new one.
    """

    def find_list(started_at: datetime | None) -> KlaviyoList | None:
        found = klaviyo.find_lists(ref.name)
        return pick_list(found, started_at, ref.name, model=model.name, where=f"model {model.name}")

    earlier_start = creation_started_at(state.lists.registered(), ref.name)
    age = (klaviyo.server_time - earlier_start).total_seconds() if earlier_start else LISTING_DELAY_SECONDS
    created = _wait_for_list(lambda: find_list(earlier_start), LISTING_DELAY_SECONDS - age, clock)
    if created is None:
        started_at = klaviyo.server_time  # as of the last look-up, so before the request
        state.lists.record_intent(ref.name, model.name, started_at)
        try:
            created = klaviyo.create_list(ref.name)
        except ReplyLost:
            created = _wait_for_list(lambda: find_list(started_at), LISTING_DELAY_SECONDS, clock)
            if created is None:
                raise
    state.lists.claim([(created.id, ref.name, model.name, model.list_aspect)])
    return ListRef(ref.row_value, ref.name, created.id)


def _wait_for_list(
    find_list: Callable[[], KlaviyoList | None], seconds: float, clock: Clock
) -> KlaviyoList | None:
    """Return the list that `find_list` finds, polling for up to `seconds`; None if there is none."""
    end = clock.monotonic() + seconds
    while (klaviyo_list := find_list()) is None and clock.monotonic() < end:
        clock.sleep(POLL_SECONDS)
    return klaviyo_list
