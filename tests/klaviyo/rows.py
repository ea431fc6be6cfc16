"""Rendering a row in a line, for tests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from reverse_etl.domain.columns import Column, ColumnKind
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.klaviyo.serialize import EncodingError, ProfileEncoder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

EMAIL = "ann@example.com"


def column(name: str, kind: ColumnKind = ColumnKind.TEXT, type_: str = "") -> tuple[str, Column]:
    """Return a payload column under its own name."""
    return name, Column(name, kind, type_ or kind)


def rendered(
    payload: Sequence[tuple[str, Column]],
    row: Sequence[Any] | tuple[Any, ...],
    identifiers: Sequence[str | None] | tuple[str] = (EMAIL,),
    kinds: Sequence[IdentifierType] | tuple[IdentifierType] = (IdentifierType.EMAIL,),
) -> EncodingError | dict[str, Any]:
    """Return the profile that a row becomes, decoded, or why it can't be sent."""
    encoded = ProfileEncoder(kinds, payload).encode([*identifiers, *row])
    return encoded if isinstance(encoded, EncodingError) else json.loads(encoded)


def properties_of(
    payload: Sequence[tuple[str, Column]], row: tuple[Mapping[str, Any] | str | None, int | str]
) -> dict[str, Any]:
    """Return only the custom properties, or why the row can't be sent."""
    profile = rendered(payload, row)
    return profile if isinstance(profile, EncodingError) else profile["attributes"].get("properties")
