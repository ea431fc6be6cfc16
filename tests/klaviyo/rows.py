"""Helpers that encode one row."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from reverse_etl.domain.columns import Column, ColumnKind
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.klaviyo.serialize import EncodingError, ProfileEncoder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import duckdb

EMAIL = "ann@example.com"


def column(name: str, kind: ColumnKind = ColumnKind.TEXT, type_: str = "") -> tuple[str, Column]:
    """Return a payload column under its own name."""
    return name, Column(name, kind, type_ or kind)


def rendered(
    payload: Sequence[tuple[str, Column]],
    row: Sequence[Any],
    identifiers: Sequence[str | None] = (EMAIL,),
    kinds: Sequence[IdentifierType] = (IdentifierType.EMAIL,),
) -> dict[str, Any]:
    """Return the profile that a row becomes, decoded."""
    encoded = ProfileEncoder(kinds, payload).encode([*identifiers, *row])
    assert isinstance(encoded, bytes), encoded
    return dict(json.loads(encoded))


def refused(payload: Sequence[tuple[str, Column]], row: Sequence[Any]) -> EncodingError:
    """Return why a row can't be sent."""
    encoded = ProfileEncoder([IdentifierType.EMAIL], payload).encode([EMAIL, *row])
    assert isinstance(encoded, EncodingError), encoded
    return encoded


def selected(warehouse: duckdb.DuckDBPyConnection, columns: str) -> tuple[Any, ...]:
    """Return the one row of a SELECT of these columns."""
    row = warehouse.execute(f"SELECT {columns}").fetchone()
    assert row is not None
    return row


def properties_of(payload: Sequence[tuple[str, Column]], row: Sequence[Any]) -> Any:
    """Return only the custom properties; None if there are none."""
    return rendered(payload, row)["attributes"].get("properties")
