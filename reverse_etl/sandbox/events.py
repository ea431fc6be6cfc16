"""Store and show events and their metrics."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import orjson

from reverse_etl.sandbox.event_rows import EventRow, repeated_id_error
from reverse_etl.sandbox.identities import derive_event_id, derive_event_uuid, derive_metric_id
from reverse_etl.sandbox.matching import StoredProfile
from reverse_etl.sandbox.profiles import load_matching_profiles, save_profiles
from reverse_etl.sandbox.replies import select_fields
from reverse_etl.sandbox.store import next_number
from reverse_etl.sandbox.times import to_iso

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from reverse_etl.sandbox.replies import ErrorObject
    from reverse_etl.sandbox.rules import Rules

EVENT_COLUMNS: Final = (
    "e.seq, e.id, e.uuid, p.id, p.email, m.id, m.name, e.unique_id, e.at, e.properties, e.value, e.currency, "
    "e.backfill"
)
EVENT_TABLES: Final = "events e JOIN profiles p ON p.seq = e.profile JOIN metrics m ON m.seq = e.metric"
EVENT_FIELDS: Final = frozenset({"id", "timestamp", "event_properties", "datetime", "uuid"})
METRIC_COLUMNS: Final = "m.seq, m.id, m.name, m.created"
METRIC_FIELDS: Final = frozenset({"id", "name", "created", "updated", "integration"})


@dataclass(frozen=True)
class StoredEvent:
    """A stored event, in the order of `EVENT_COLUMNS`. `properties` is JSON."""

    seq: int
    id: str
    uuid: str
    profile_id: str
    email: str | None
    metric_id: str
    metric: str
    unique_id: str
    happened_at: int
    properties: bytes
    value: float | None
    currency: str | None
    backfill: bool

    def to_resource(self, origin: str, fields: frozenset[str] | None) -> dict[str, Any]:
        """Return the event as a JSON:API resource."""
        properties = orjson.loads(self.properties) | {"$event_id": self.unique_id}
        if self.value is not None:
            properties |= {"$value": self.value}
        if self.currency is not None:
            properties |= {"$value_currency": self.currency}
        attributes = {
            "timestamp": self.happened_at,
            "event_properties": properties,
            "datetime": to_iso(self.happened_at),
            "uuid": self.uuid,
        }
        self_url = f"{origin}/api/events/{self.id}"
        return {
            "type": "event",
            "id": self.id,
            "attributes": select_fields(attributes, fields),
            "relationships": {
                "profile": _relationship(self_url, "profile", self.profile_id),
                "metric": _relationship(self_url, "metric", self.metric_id),
            },
            "links": {"self": f"{self_url}/"},
        }

    def summary(self) -> dict[str, Any]:
        """Return the event as plain values, for tests and demos."""
        return {
            "id": self.id,
            "metric": self.metric,
            "profile": self.profile_id,
            "email": self.email,
            "unique_id": self.unique_id,
            "datetime": to_iso(self.happened_at),
            "properties": orjson.loads(self.properties),
            "value": self.value,
            "value_currency": self.currency,
            "backfill": bool(self.backfill),
        }


@dataclass(frozen=True)
class StoredMetric:
    """A stored metric, in the order of `METRIC_COLUMNS`. The first event of its name creates it."""

    seq: int
    id: str
    name: str
    created: int

    def to_resource(self, origin: str, fields: frozenset[str] | None) -> dict[str, Any]:
        """Return the metric as a JSON:API resource."""
        attributes = {
            "name": self.name,
            "created": to_iso(self.created),
            "updated": to_iso(self.created),
            "integration": {"object": "integration", "id": "0rG4eQ", "name": "API", "category": "API"},
        }
        self_url = f"{origin}/api/metrics/{self.id}"
        triggers = {
            "self": f"{self_url}/relationships/flow-triggers/",
            "related": f"{self_url}/flow-triggers/",
        }
        return {
            "type": "metric",
            "id": self.id,
            "attributes": select_fields(attributes, fields),
            "relationships": {"flow-triggers": {"links": triggers}},
            "links": {"self": f"{self_url}/"},
        }


def store_events(
    db: sqlite3.Connection, account_id: str, rules: Rules, events: Sequence[EventRow], now: float
) -> None:
    """Store events with their profiles and metrics. An event whose id is known for both is dropped."""
    for event in events:
        profile = _find_or_create_profile(db, account_id, rules, event, now)
        if profile is None:
            continue
        metric, number = _find_or_create_metric(db, account_id, event.metric, now), next_number(db, "events")
        db.execute(
            "INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                number,
                derive_event_id(account_id, number),
                derive_event_uuid(account_id, number),
                profile.seq,
                metric,
                event.unique_id,
                event.happened_at,
                orjson.dumps(event.properties),
                event.value,
                event.currency,
                event.backfill,
                now + rules.event_seconds,
            ),
        )


def find_known_ids(db: sqlite3.Connection, rules: Rules, events: Sequence[EventRow]) -> list[ErrorObject]:
    """Return an error for each event whose id is stored for its person and metric, if that is refused."""
    if rules.bulk_repeats == "ignore":
        return []
    return [repeated_id_error(event) for event in events if _is_known(db, event)]


def load_events(db: sqlite3.Connection) -> list[StoredEvent]:
    """Return all events, in the order in which they were received, also those that cannot be read yet."""
    return [
        StoredEvent(*row) for row in db.execute(f"SELECT {EVENT_COLUMNS} FROM {EVENT_TABLES} ORDER BY e.seq")
    ]


def _is_known(db: sqlite3.Connection, event: EventRow) -> bool:
    attributes = event.profile["attributes"]
    names = [name for name in ("email", "phone_number", "external_id") if attributes.get(name)]
    keys = [("id", event.profile.get("id")), *((name, attributes[name]) for name in names)]
    query = (
        "SELECT 1 FROM events e JOIN metrics m ON m.seq = e.metric JOIN profiles p ON p.seq = e.profile "
        "WHERE e.unique_id = ? AND m.name = ? AND p.{name} = ?"
    )
    return any(
        db.execute(query.format(name=name), (event.unique_id, event.metric, value)).fetchone() is not None
        for name, value in keys
        if value
    )


def _find_or_create_profile(
    db: sqlite3.Connection, account_id: str, rules: Rules, event: EventRow, now: float
) -> StoredProfile | None:
    lenient = replace(rules, conflicts="drop", patches="obey")
    index = load_matching_profiles(db, account_id, lenient, [event.profile], int(now))
    profile = index.apply_row(event.profile, int(now))
    if not isinstance(profile, StoredProfile):
        return None  # an unknown id: the event vanishes
    save_profiles(db, [profile])
    return profile


def _find_or_create_metric(db: sqlite3.Connection, account_id: str, name: str, now: float) -> int:
    row = db.execute("SELECT seq FROM metrics WHERE name = ?", (name,)).fetchone()
    if row is not None:
        return int(row[0])
    number = next_number(db, "metrics")
    values = (number, derive_metric_id(account_id, number), name, int(now))
    db.execute("INSERT INTO metrics VALUES (?, ?, ?, ?)", values)
    return number


def _relationship(self_url: str, kind: str, resource_id: str) -> dict[str, Any]:
    return {
        "data": {"type": kind, "id": resource_id},
        "links": {"self": f"{self_url}/relationships/{kind}/", "related": f"{self_url}/{kind}/"},
    }
