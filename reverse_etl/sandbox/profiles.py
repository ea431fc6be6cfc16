"""Profiles in the state file: finding, writing and showing them."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, Final

import orjson

from reverse_etl.sandbox.identities import profile_id
from reverse_etl.sandbox.matching import People, Person, identifiers_of
from reverse_etl.sandbox.replies import invalid
from reverse_etl.sandbox.store import next_number
from reverse_etl.sandbox.times import wire
from reverse_etl.sandbox.validation import IDENTIFIERS, LOCATION, NAMES

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from reverse_etl.sandbox.ask import Ask
    from reverse_etl.sandbox.rules import Rules

COLUMNS: Final = "p.seq, p.id, p.email, p.phone_number, p.external_id, p.attributes, p.created, p.updated"
PROFILE_PARAMETERS: Final = ("fields[profile]", "additional-fields[profile]")

_SHOWN: Final = frozenset(
    {*NAMES, *IDENTIFIERS, "created", "updated", "last_event_date", "location", "properties"}
)
_UNKEPT: Final = ("subscriptions", "predictive_analytics")


def person_of(row: Sequence[Any]) -> Person:
    """Return the profile of a row of `COLUMNS`."""
    seq, identity, email, phone, external, attributes, created, updated = row
    return Person(seq, identity, email, phone, external, orjson.loads(attributes), created, updated)


def find_person(db: sqlite3.Connection, identity: str) -> Person | None:
    """Return the profile with this id, or None."""
    row = db.execute(f"SELECT {COLUMNS} FROM profiles p WHERE p.id = ?", (identity,)).fetchone()
    return None if row is None else person_of(row)


def people_for(
    db: sqlite3.Connection, account: str, rules: Rules, rows: Sequence[Mapping[str, Any]], now: int
) -> People:
    """Return every profile that `rows` could mean or collide with, ready to apply the rows to."""
    numbers = count(next_number(db, "profiles"))

    def make() -> Person:
        number = next(numbers)
        return Person(number, profile_id(account, number), None, None, None, {}, now, now)

    people = People(rules, make)
    asked: dict[str, set[str]] = {"id": {row["id"] for row in rows if row.get("id")}} | {
        name: set() for name in IDENTIFIERS
    }
    for row in rows:
        for name, value in identifiers_of(row, rules).items():
            asked[name].add(value)
    for name, values in asked.items():
        wanted = orjson.dumps(sorted(values)).decode()
        found = db.execute(
            f"SELECT {COLUMNS} FROM profiles p "
            f"WHERE p.{name} IN (SELECT value FROM json_each(?)) ORDER BY p.seq",
            (wanted,),
        )
        people.learn(person_of(row) for row in found)
    return people


def save_people(db: sqlite3.Connection, people: Iterable[Person]) -> None:
    """Write profiles, new ones and changed ones."""
    db.executemany(
        "INSERT INTO profiles (seq, id, email, phone_number, external_id, attributes, created, updated) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (seq) DO UPDATE SET email = excluded.email, "
        "phone_number = excluded.phone_number, external_id = excluded.external_id, "
        "attributes = excluded.attributes, updated = excluded.updated",
        (
            (
                one.seq,
                one.id,
                one.email,
                one.phone_number,
                one.external_id,
                orjson.dumps(one.attributes),
                one.created,
                one.updated,
            )
            for one in people
        ),
    )


def profile_fields(ask: Ask, *more: str) -> frozenset[str] | None:
    """Return the attributes that a request wants, or None for all.

    Raises Refusal (400) for ones that do not exist.

    Subscriptions and predictive analytics are names that Klaviyo knows, but the sandbox keeps neither.
    """
    if "additional-fields[profile]" in ask.query:
        raise invalid(
            "The sandbox keeps no subscriptions or analytics.", parameter="additional-fields[profile]"
        )
    inner = {f"location.{name}" for name in LOCATION}
    unkept = {
        name for name in ask.query.get("fields[profile]", "").split(",") if name.split(".")[0] in _UNKEPT
    }
    return ask.several("fields[profile]", _SHOWN | inner | unkept | {"id", *more})


def profile_resource(
    person: Person, origin: str, wanted: frozenset[str] | None, joined_at: int | None = None
) -> dict[str, Any]:
    """Return a profile as a JSON:API resource; on a list with the time at which it joined."""
    attributes: dict[str, Any] = {name: getattr(person, name) for name in IDENTIFIERS}
    attributes |= {name: person.attributes.get(name) for name in NAMES}
    attributes |= {"created": wire(person.created), "updated": wire(person.updated), "last_event_date": None}
    attributes["location"] = dict.fromkeys(LOCATION) | person.attributes.get("location", {})
    attributes["properties"] = person.attributes.get("properties", {})
    if joined_at is not None:
        attributes["joined_group_at"] = wire(joined_at)
    related = f"{origin}/api/profiles/{person.id}"
    return {
        "type": "profile",
        "id": person.id,
        "attributes": attributes if wanted is None else _only(attributes, wanted),
        "relationships": {
            "lists": {"links": {"self": f"{related}/relationships/lists", "related": f"{related}/lists"}}
        },
        "links": {"self": related},
    }


def _only(attributes: dict[str, Any], wanted: frozenset[str]) -> dict[str, Any]:
    kept = {name: value for name, value in attributes.items() if name in wanted}
    parts = {name.removeprefix("location.") for name in wanted if name.startswith("location.")}
    if parts and "location" not in kept:
        kept["location"] = {name: value for name, value in attributes["location"].items() if name in parts}
    return kept
