"""The kinds of Klaviyo state that a model can drive."""

from __future__ import annotations

from enum import StrEnum


class Surface(StrEnum):
    """What the rows of a model are."""

    PROFILES = "profiles"
    LIST_MEMBERSHIPS = "list_memberships"
    LIST_MEMBERSHIPS_BY_PROFILE_ID = "list_memberships_by_profile_id"
