"""Creation: a list is made once, though a reply may be lost and a process may die between any two requests.

Klaviyo makes two lists of two requests, and promises neither unique names nor how soon a new list is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.errors import ReplyLost
from reverse_etl.planning.lists import ListRef, begun_at, the_one

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from reverse_etl.clock import Clock
    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.klaviyo.lists import KlaviyoList
    from reverse_etl.state import State

LATE_SECONDS = 60.0  # a list that is not shown so long after its request was not made
PAUSE_SECONDS = 5.0


def create(ref: ListRef, model: str, state: State, klaviyo: Klaviyo, clock: Clock) -> ListRef:
    """Make a list that no name finds, and note that the model drives it.

    Its intent is committed first. Where one is open from an earlier run, or the reply is lost, the name is
    looked up until a list would be shown, and the one that is found is ours. Raises ReplyLost when the reply
    was lost and none was found, UsageError when it can't be told which of several is ours.
    """

    def look(begun: datetime | None) -> KlaviyoList | None:
        found = klaviyo.find_lists(ref.name)
        return the_one(found, begun, ref.name, model=model, where=f"model {model}")

    earlier = begun_at(state.lists.known(), ref.name)
    age = (klaviyo.server_time - earlier).total_seconds() if earlier else LATE_SECONDS
    made = _shown(lambda: look(earlier), LATE_SECONDS - age, clock)
    if made is None:
        begun = klaviyo.server_time  # of the look just taken, so before the request
        state.lists.intend(ref.name, model, begun)
        try:
            made = klaviyo.create_list(ref.name)
        except ReplyLost:
            made = _shown(lambda: look(begun), LATE_SECONDS, clock)
            if made is None:
                raise
    state.lists.own([(made.id, ref.name, model)])
    return ListRef(ref.row_name, ref.name, made.id)


def _shown(look: Callable[[], KlaviyoList | None], seconds: float, clock: Clock) -> KlaviyoList | None:
    """Return what a look finds: one, and others for so many seconds if it finds nothing."""
    end = clock.monotonic() + seconds
    while (found := look()) is None and clock.monotonic() < end:
        clock.sleep(PAUSE_SECONDS)
    return found
