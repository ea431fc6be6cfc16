"""The surfaces that models can name, in the order in which documents list them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reverse_etl.surfaces.events import EVENTS
from reverse_etl.surfaces.list_memberships import LIST_MEMBERSHIPS
from reverse_etl.surfaces.list_memberships_by_profile_id import LIST_MEMBERSHIPS_BY_PROFILE_ID
from reverse_etl.surfaces.profile_deletions import PROFILE_DELETIONS
from reverse_etl.surfaces.profiles import PROFILES
from reverse_etl.surfaces.request import REQUEST
from reverse_etl.surfaces.subscriptions import SUBSCRIPTIONS
from reverse_etl.surfaces.suppressions import SUPPRESSIONS

if TYPE_CHECKING:
    from reverse_etl.surfaces.interface import Surface

SURFACES: tuple[Surface, ...] = (
    PROFILES,
    LIST_MEMBERSHIPS,
    LIST_MEMBERSHIPS_BY_PROFILE_ID,
    SUBSCRIPTIONS,
    SUPPRESSIONS,
    EVENTS,
    PROFILE_DELETIONS,
    REQUEST,
)
EXAMPLE: Final = LIST_MEMBERSHIPS  # the surface of first models and of examples in messages


def surface_names() -> tuple[str, ...]:
    """Return the names that a model's `surface` can be."""
    return tuple(surface.name for surface in SURFACES)


def get_surface(name: str) -> Surface:
    """Return the surface of a name that a model may name. Raises KeyError for another."""
    return {surface.name: surface for surface in SURFACES}[name]


def surfaces_with_setting(name: str) -> tuple[str, ...]:
    """Return the names of the surfaces whose models alone have a setting of `config()`."""
    return tuple(surface.name for surface in SURFACES if name in surface.setting_names)


def find_surface(name: str) -> Surface | None:
    """Return the surface of a name, None where there is none, as of a newer version's state."""
    return next((surface for surface in SURFACES if surface.name == name), None)
