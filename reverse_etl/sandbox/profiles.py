"""Find, write and show profiles in the state file."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, Final

import orjson

from reverse_etl.sandbox.identities import derive_profile_id
from reverse_etl.sandbox.matching import ProfileIndex, StoredProfile, normalize_identifiers
from reverse_etl.sandbox.replies import bad_request_error
from reverse_etl.sandbox.store import next_number
from reverse_etl.sandbox.times import to_iso
from reverse_etl.sandbox.validation import IDENTIFIERS, LOCATION_FIELDS, TEXT_ATTRIBUTES

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from reverse_etl.sandbox.ask import ApiRequest
    from reverse_etl.sandbox.rules import Rules

PROFILE_COLUMNS: Final = (
    "p.seq, p.id, p.email, p.phone_number, p.external_id, p.attributes, p.created, p.updated"
)
PROFILE_PARAMETERS: Final = ("fields[profile]", "additional-fields[profile]")

_KNOWN_FIELDS: Final = frozenset(
    {*TEXT_ATTRIBUTES, *IDENTIFIERS, "created", "updated", "last_event_date", "location", "properties"}
)
_UNSUPPORTED_FIELDS: Final = ("subscriptions", "predictive_analytics")


def profile_from_row(row: Sequence[Any]) -> StoredProfile:
    """Return the profile of a row of `PROFILE_COLUMNS`."""
    seq, resource_id, email, phone, external, attributes, created, updated = row
    return StoredProfile(seq, resource_id, email, phone, external, orjson.loads(attributes), created, updated)


def find_profile(db: sqlite3.Connection, resource_id: str) -> StoredProfile | None:
    """Return the profile with this id, or None."""
    row = db.execute(f"SELECT {PROFILE_COLUMNS} FROM profiles p WHERE p.id = ?", (resource_id,)).fetchone()
    return None if row is None else profile_from_row(row)


def load_matching_profiles(
    db: sqlite3.Connection, account_id: str, rules: Rules, rows: Sequence[Mapping[str, Any]], now: int
) -> ProfileIndex:
    """Return an index of all profiles that share an identifier with `rows`."""
    numbers = count(next_number(db, "profiles"))

    def create_profile() -> StoredProfile:
        number = next(numbers)
        return StoredProfile(number, derive_profile_id(account_id, number), None, None, None, {}, now, now)

    profile_index = ProfileIndex(rules, create_profile)
    values_by_identifier: dict[str, set[str]] = {"id": {row["id"] for row in rows if row.get("id")}} | {
        name: set() for name in IDENTIFIERS
    }
    for row in rows:
        for name, value in normalize_identifiers(row, rules).items():
            values_by_identifier[name].add(value)
    for name, values in values_by_identifier.items():
        values_json = orjson.dumps(sorted(values)).decode()
        profile_rows = db.execute(
            f"SELECT {PROFILE_COLUMNS} FROM profiles p "
            f"WHERE p.{name} IN (SELECT value FROM json_each(?)) ORDER BY p.seq",
            (values_json,),
        )
        profile_index.add_profiles(profile_from_row(row) for row in profile_rows)
    return profile_index


def save_profiles(db: sqlite3.Connection, profiles: Iterable[StoredProfile]) -> None:
    """Insert new profiles and update changed ones."""
    db.executemany(
        "INSERT INTO profiles (seq, id, email, phone_number, external_id, attributes, created, updated) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (seq) DO UPDATE SET email = excluded.email, "
        "phone_number = excluded.phone_number, external_id = excluded.external_id, "
        "attributes = excluded.attributes, updated = excluded.updated",
        (
            (
                profile.seq,
                profile.id,
                profile.email,
                profile.phone_number,
                profile.external_id,
                orjson.dumps(profile.attributes),
                profile.created,
                profile.updated,
            )
            for profile in profiles
        ),
    )


def profile_fields(request: ApiRequest, *extra_fields: str) -> frozenset[str] | None:
    """Return the requested attributes, or None for all. Raises Refusal (400) for unknown ones.

    Klaviyo also has subscriptions and predictive analytics, which the sandbox does not support.
    """
    if "additional-fields[profile]" in request.query:
        raise bad_request_error(
            "The sandbox keeps no subscriptions or analytics.", parameter="additional-fields[profile]"
        )
    location_fields = {f"location.{name}" for name in LOCATION_FIELDS}
    unsupported = {
        name
        for name in request.query.get("fields[profile]", "").split(",")
        if name.split(".")[0] in _UNSUPPORTED_FIELDS
    }
    return request.parse_names(
        "fields[profile]", _KNOWN_FIELDS | location_fields | unsupported | {"id", *extra_fields}
    )


def profile_resource(
    profile: StoredProfile, origin: str, requested_fields: frozenset[str] | None, joined_at: int | None = None
) -> dict[str, Any]:
    """Return a profile as a JSON:API resource; a member of a list also has the time at which it joined."""
    attributes: dict[str, Any] = {name: getattr(profile, name) for name in IDENTIFIERS}
    attributes |= {name: profile.attributes.get(name) for name in TEXT_ATTRIBUTES}
    attributes |= {
        "created": to_iso(profile.created),
        "updated": to_iso(profile.updated),
        "last_event_date": None,
    }
    attributes["location"] = dict.fromkeys(LOCATION_FIELDS) | profile.attributes.get("location", {})
    attributes["properties"] = profile.attributes.get("properties", {})
    if joined_at is not None:
        attributes["joined_group_at"] = to_iso(joined_at)
    related = f"{origin}/api/profiles/{profile.id}"
    return {
        "type": "profile",
        "id": profile.id,
        "attributes": attributes
        if requested_fields is None
        else _select_attributes(attributes, requested_fields),
        "relationships": {
            "lists": {"links": {"self": f"{related}/relationships/lists", "related": f"{related}/lists"}}
        },
        "links": {"self": related},
    }


def _select_attributes(attributes: dict[str, Any], requested_fields: frozenset[str]) -> dict[str, Any]:
    selected = {name: value for name, value in attributes.items() if name in requested_fields}
    parts = {name.removeprefix("location.") for name in requested_fields if name.startswith("location.")}
    if parts and "location" not in selected:
        selected["location"] = {
            name: value for name, value in attributes["location"].items() if name in parts
        }
    return selected
