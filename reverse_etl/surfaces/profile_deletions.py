"""The surface `profile_deletions`: people who are deleted in Klaviyo for good, with all that it knows."""

from __future__ import annotations

from typing import Final

from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.surfaces.interface import (
    Blocking,
    Columns,
    DiffKind,
    GuardLimit,
    Guards,
    ListRule,
    OtherColumns,
    Phase,
    Surface,
)
from reverse_etl.surfaces.operations import DeleteProfiles, ReadmitPeople

_MOST_PEOPLE: Final = 10  # in a run, if the flag says no other number
_NO_LIMIT: Final = GuardLimit(1.0, floor=1_000_000_000, cap=1_000_000_000)  # the flag is the limit
# An empty table must not readmit everybody: more than half of the rows may not leave at once.
_MAX_READMITTED: Final = GuardLimit(0.5, floor=0, cap=100_000)

PROFILE_DELETIONS: Final = Surface(
    "profile_deletions",
    list_rule=ListRule.NONE,
    columns=Columns(OtherColumns.REFUSED),
    diff=DiffKind.STATE,
    phase=Phase.DELETIONS,
    blocking=Blocking.ROWS,
    guards=Guards(min_rows=0, max_removes=_MAX_READMITTED, max_adds=_NO_LIMIT, max_updates=_NO_LIMIT),
    upsert=DeleteProfiles(Endpoint.DELETE_PROFILE),
    remove=ReadmitPeople(),
    most_deletions=_MOST_PEOPLE,
    upsert_effect="These people are deleted for good, with their events. It can't be undone.",
    remove_effect="These people are not withheld any more: other models may send them again.",
)
