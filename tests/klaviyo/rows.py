"""Rendering a row in a line, for tests."""

from __future__ import annotations

import json

from reverse_etl.domain.columns import Column, Kind
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.klaviyo.serialize import Renderer, Unrenderable

EMAIL = "ann@example.com"


def column(name, kind=Kind.TEXT, type_=""):
    """Return a payload column under its own name."""
    return name, Column(name, kind, type_ or kind)


def rendered(payload, row, identifiers=(EMAIL,), kinds=(IdentifierType.EMAIL,)):
    """Return the profile that a row becomes, decoded, or why it can't be sent."""
    encoded = Renderer(kinds, payload).encode([*identifiers, *row])
    return encoded if isinstance(encoded, Unrenderable) else json.loads(encoded)


def properties_of(payload, row):
    """Return only the custom properties, or why the row can't be sent."""
    profile = rendered(payload, row)
    return profile if isinstance(profile, Unrenderable) else profile["attributes"].get("properties")
