"""The surface `list_memberships`: who is on a list, and their attributes."""

from __future__ import annotations

from typing import Final

from reverse_etl.klaviyo.serialize import column_problem
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
from reverse_etl.surfaces.profile_settings import ProfileSettings
from reverse_etl.surfaces.read_back import ReadMembers
from reverse_etl.surfaces.shared_operations import IMPORT_PROFILES, REMOVE_FROM_LIST

LIST_MEMBERSHIPS: Final = Surface(
    "list_memberships",
    list_rule=ListRule.REQUIRED,
    columns=Columns(OtherColumns.PROFILE_FIELDS, find_problem=column_problem),
    diff=DiffKind.STATE,
    phase=Phase.PEOPLE,
    blocking=Blocking.PEOPLE,
    guards=Guards(min_rows=1),
    upsert=IMPORT_PROFILES,
    remove=REMOVE_FROM_LIST,
    read_back=ReadMembers(),
    settings=ProfileSettings,
)
