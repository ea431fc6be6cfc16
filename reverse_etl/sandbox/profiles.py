"""Find and write profiles in the state file."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, Final

import orjson

from reverse_etl.sandbox.identities import derive_profile_id
from reverse_etl.sandbox.matching import ProfileIndex, StoredProfile, normalize_identifiers
from reverse_etl.sandbox.store import next_number
from reverse_etl.sandbox.validation import IDENTIFIERS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from reverse_etl.sandbox.rules import Rules

PROFILE_COLUMNS: Final = (
    "p.seq, p.id, p.email, p.phone_number, p.external_id, p.attributes, p.created, p.updated"
)


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
