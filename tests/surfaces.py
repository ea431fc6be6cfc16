"""Surfaces as tests want them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reverse_etl.surfaces import catalog

if TYPE_CHECKING:
    import pytest

    from reverse_etl.surfaces.interface import Surface


def limit_rows_per_request(monkeypatch: pytest.MonkeyPatch, max_rows: int) -> None:
    """Let every request hold so few rows, so that few rows make many requests."""
    surfaces = [
        replace(surface, upsert=replace(surface.upsert, max_rows=max_rows)) for surface in catalog.SURFACES
    ]
    monkeypatch.setattr(catalog, "SURFACES", tuple(surfaces))


def register(monkeypatch: pytest.MonkeyPatch, *surfaces: Surface) -> None:
    """Let models name these surfaces too."""
    monkeypatch.setattr(catalog, "SURFACES", (*catalog.SURFACES, *surfaces))
