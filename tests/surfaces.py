"""Surfaces as tests want them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from reverse_etl.klaviyo.serialize import EncodingError
from reverse_etl.surfaces import catalog
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
from reverse_etl.surfaces.operations import SendRequests
from reverse_etl.surfaces.shared_operations import IMPORT_PROFILES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from reverse_etl.domain.columns import Column
    from reverse_etl.domain.identifiers import IdentifierType


class CodeEncoder:
    """Renders a coupon's code as a profile whose external id is `coupon/code`: imports take nothing else."""

    def __init__(self, identifiers: Sequence[IdentifierType], payload: Sequence[tuple[str, Column]]) -> None:
        assert not identifiers
        self._names = [name for name, _ in payload]

    def encode(self, row: Sequence[Any]) -> bytes | EncodingError:
        """Return the profile of a row."""
        fields = dict(zip(self._names, row, strict=True))
        if fields.get("percent") == 0:
            return EncodingError("percent", "is nothing off")
        external_id = f"{fields.pop('coupon')}/{fields.pop('code')}"
        attributes = {"external_id": external_id, "properties": fields}
        return orjson.dumps({"type": "profile", "attributes": attributes})


CODES = Surface(
    "codes",
    list_rule=ListRule.NONE,
    columns=Columns(OtherColumns.FIELDS, identifiers=(), key=("coupon", "code")),
    diff=DiffKind.APPEND_ONLY,
    phase=Phase.RECORDS,
    blocking=Blocking.ROWS,
    guards=Guards(min_rows=0),
    upsert=replace(IMPORT_PROFILES, make_encoder=CodeEncoder),
)


def limit_rows_per_request(monkeypatch: pytest.MonkeyPatch, max_rows: int) -> None:
    """Let every request hold so few rows, so that few rows make many requests."""
    surfaces = [
        surface
        if isinstance(surface.upsert, SendRequests)
        else replace(surface, upsert=replace(surface.upsert, max_rows=max_rows))
        for surface in catalog.SURFACES
    ]
    monkeypatch.setattr(catalog, "SURFACES", tuple(surfaces))


def register(monkeypatch: pytest.MonkeyPatch, *surfaces: Surface) -> None:
    """Let models name these surfaces too."""
    monkeypatch.setattr(catalog, "SURFACES", (*catalog.SURFACES, *surfaces))
