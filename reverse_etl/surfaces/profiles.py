"""The surface `profiles`: people and their attributes, on no list."""

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
from reverse_etl.surfaces.list_memberships import LIST_MEMBERSHIPS
from reverse_etl.surfaces.profile_settings import ProfileSettings
from reverse_etl.surfaces.shared_operations import IMPORT_PROFILES

PROFILES: Final = Surface(
    "profiles",
    list_rule=ListRule.NONE,
    columns=Columns(OtherColumns.PROFILE_FIELDS, find_problem=column_problem),
    diff=DiffKind.STATE,
    phase=Phase.PEOPLE,
    blocking=Blocking.PEOPLE,
    guards=Guards(min_rows=1),
    upsert=IMPORT_PROFILES,
    remove=None,  # no run deletes a profile
    alternative=LIST_MEMBERSHIPS,
    settings=ProfileSettings,
)
