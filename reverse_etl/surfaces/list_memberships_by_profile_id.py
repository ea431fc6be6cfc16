"""The surface `list_memberships_by_profile_id`: who is on a list, by the ids of profiles that exist."""

from __future__ import annotations

from typing import Final

from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.surfaces.interface import (
    Blocking,
    Columns,
    DiffKind,
    Guards,
    ListRule,
    OtherColumns,
    Phase,
    Surface,
)
from reverse_etl.surfaces.list_memberships import LIST_MEMBERSHIPS
from reverse_etl.surfaces.read_back import ReadMembers
from reverse_etl.surfaces.shared_operations import ADD_TO_LIST, REMOVE_FROM_LIST

LIST_MEMBERSHIPS_BY_PROFILE_ID: Final = Surface(
    "list_memberships_by_profile_id",
    list_rule=ListRule.REQUIRED,
    columns=Columns(OtherColumns.REFUSED, identifiers=(IdentifierType.PROFILE_ID,)),
    diff=DiffKind.STATE,
    phase=Phase.PEOPLE,
    blocking=Blocking.PEOPLE,
    guards=Guards(min_rows=1),
    upsert=ADD_TO_LIST,
    remove=REMOVE_FROM_LIST,
    read_back=ReadMembers(),
    alternative=LIST_MEMBERSHIPS,
)
