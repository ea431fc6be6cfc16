"""Parse and check requests that create events. The checks do not read the state."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.sandbox.replies import ErrorObject, HttpError, bad_request_error
from reverse_etl.sandbox.times import from_iso
from reverse_etl.sandbox.validation import IDENTIFIERS, find_row_errors, parse_resource, require_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.sandbox.rules import Rules

EVENTS_POINTER: Final = "/data/attributes/events-bulk-create/data"
_MAX_EVENTS: Final = 1_000
_MAX_PROPERTIES: Final = 400
_MAX_TEXT_BYTES: Final = 100_000
_MAX_METRIC_CHARACTERS: Final = 127
_MAX_NESTING: Final = 10
_MAX_ITEMS: Final = 4_000
_EARLIEST: Final = from_iso("1990-01-01T00:00:00Z")
_LATEST_SECONDS: Final = 366 * 24 * 3600
_EVENT_FIELDS: Final = frozenset(
    {"properties", "time", "value", "value_currency", "unique_id", "metric", "backfill"}
)
_SINGLE_FIELDS: Final = _EVENT_FIELDS | {"profile"}


@dataclass(frozen=True)
class EventRow:
    """An event of a profile. `profile` is a resource, `pointer` leads to the event in the request."""

    profile: Mapping[str, Any]
    metric: str
    happened_at: int
    unique_id: str
    properties: Mapping[str, Any]
    value: float | None
    currency: str | None
    backfill: bool
    pointer: str


@dataclass
class _EventReader:
    """Reads the events of one request and collects their errors, each with its pointer."""

    rules: Rules
    now: float
    errors: list[ErrorObject] = field(default_factory=list)

    def read_profile(self, attributes: Mapping[str, Any], pointer: str) -> dict[str, Any]:
        """Return the profile's resource. Revisions differ in the place of its `meta`."""
        holder = attributes.get("profile")
        row = holder.get("data") if isinstance(holder, dict) else None
        if isinstance(row, dict) and isinstance(row.get("attributes"), dict) and "meta" in row["attributes"]:
            inner = dict(row["attributes"])
            row = {**row, "meta": inner.pop("meta"), "attributes": inner}
        errors = tuple(find_row_errors(row, f"{pointer}/profile/data", self.rules, check_size=True))
        self.errors += errors
        return row if isinstance(row, dict) and not errors else {}

    def read_event(
        self,
        attributes: Mapping[str, Any],
        pointer: str,
        profile: Mapping[str, Any],
        *,
        backfill: bool = False,
    ) -> EventRow | None:
        """Return an event, or None if it has errors. Without a time it is now; without an id, its second."""
        before = len(self.errors)
        properties = attributes.get("properties")
        if not isinstance(properties, dict):
            self._add("'properties' should be an object.", f"{pointer}/properties")
        elif len(properties) > _MAX_PROPERTIES:
            self._add(f"At most {_MAX_PROPERTIES} properties are allowed.", f"{pointer}/properties")
        else:
            self._check_value(properties, f"{pointer}/properties", 1)
        happened_at = self._read_time(attributes.get("time"), f"{pointer}/time")
        metric = self._read_metric(attributes.get("metric"), f"{pointer}/metric")
        value, currency = attributes.get("value"), attributes.get("value_currency")
        if isinstance(value, bool) or not isinstance(value, int | float | None):
            self._add("'value' should be a number.", f"{pointer}/value")
        if currency is not None and (not isinstance(currency, str) or not _is_currency(currency)):
            self._add("An ISO 4217 code is required.", f"{pointer}/value_currency")
        unique_id = attributes.get("unique_id")
        if not isinstance(unique_id, str | None):
            self._add("'unique_id' should be text.", f"{pointer}/unique_id")
        if len(self.errors) > before or not isinstance(properties, dict):
            return None
        backfill = backfill or attributes.get("backfill") is True
        return EventRow(
            profile,
            metric,
            happened_at,
            unique_id or str(happened_at),
            properties,
            value,
            currency,
            backfill,
            pointer,
        )

    def _read_time(self, value: Any, pointer: str) -> int:
        if value is None:
            return int(self.now)
        try:
            moment = from_iso(value)
        except (TypeError, ValueError):
            self._add("A date-time is required.", pointer)
            return 0
        if not _EARLIEST <= moment <= self.now + _LATEST_SECONDS:
            self._add("The time should be after 1990, and at most a year ahead.", pointer)
        return int(moment)

    def _read_metric(self, holder: Any, pointer: str) -> str:
        data = holder.get("data") if isinstance(holder, dict) else None
        attributes = data.get("attributes") if isinstance(data, dict) else None
        name = attributes.get("name") if isinstance(attributes, dict) else None
        if not isinstance(name, str) or not 1 <= len(name) <= _MAX_METRIC_CHARACTERS:
            self._add("A name of less than 128 characters is required.", f"{pointer}/data/attributes/name")
            return ""
        return name

    def _check_value(self, value: Any, pointer: str, depth: int) -> None:
        if isinstance(value, str) and len(value.encode()) > _MAX_TEXT_BYTES:
            self._add("A text may have at most 100 KB.", pointer)
        if isinstance(value, dict | list) and depth > _MAX_NESTING:
            self._add(f"At most {_MAX_NESTING} levels are allowed.", pointer)
        elif isinstance(value, dict):
            for name, item in value.items():
                self._check_value(item, f"{pointer}/{name}", depth + 1)
        elif isinstance(value, list):
            if len(value) > _MAX_ITEMS:
                self._add(f"At most {_MAX_ITEMS} items are allowed.", pointer)
            for index, item in enumerate(value):
                self._check_value(item, f"{pointer}/{index}", depth + 1)

    def _add(self, detail: str, pointer: str) -> None:
        self.errors.append(ErrorObject(detail, pointer))

    def raise_errors(self) -> None:
        """Raise HttpError (400) if there were errors."""
        if self.errors:
            raise HttpError(400, *self.errors[: self.rules.errors_per_reply])


def parse_event(document: Any, rules: Rules, now: float) -> EventRow:
    """Return the event of a body. Raises HttpError (400)."""
    resource = parse_resource(document, "event")
    attributes = require_object(resource.get("attributes"), "/data/attributes", set(_SINGLE_FIELDS))
    reader = _EventReader(rules, now)
    profile = reader.read_profile(attributes, "/data/attributes")
    event = reader.read_event(attributes, "/data/attributes", profile)
    reader.raise_errors()
    assert event is not None  # noqa: S101 - there were no errors
    return event


def parse_bulk_events(document: Any, rules: Rules, now: float) -> list[EventRow]:
    """Return the events of a body, in order. Raises HttpError (400), with a pointer to each one at fault."""
    resource = parse_resource(document, "event-bulk-create-job")
    attributes = require_object(resource.get("attributes"), "/data/attributes", {"events-bulk-create"})
    holder_pointer = EVENTS_POINTER.removesuffix("/data")
    groups = require_object(attributes.get("events-bulk-create"), holder_pointer, {"data"}).get("data")
    if not isinstance(groups, list) or not groups:
        raise bad_request_error("At least one profile with events is required.", pointer=EVENTS_POINTER)
    reader = _EventReader(rules, now)
    events: list[EventRow | None] = []
    for index, group in enumerate(groups):
        events += _read_group(reader, group, f"{EVENTS_POINTER}/{index}")
    if len(events) > _MAX_EVENTS:
        raise bad_request_error(f"At most {_MAX_EVENTS} events are allowed.", pointer=EVENTS_POINTER)
    reader.raise_errors()
    parsed = [event for event in events if event is not None]
    _reject_repeats(parsed, rules)
    return parsed


def _read_group(reader: _EventReader, group: Any, pointer: str) -> list[EventRow | None]:
    attributes = group.get("attributes") if isinstance(group, dict) else None
    events = attributes.get("events") if isinstance(attributes, dict) else None
    rows = events.get("data") if isinstance(events, dict) else None
    is_group = isinstance(group, dict) and group.get("type") == "event-bulk-create"
    if not is_group or not isinstance(attributes, dict) or not isinstance(rows, list):
        raise bad_request_error("A resource of type 'event-bulk-create' is required.", pointer=pointer)
    profile = reader.read_profile(attributes, f"{pointer}/attributes")
    backfill = attributes.get("backfill") is True
    event_rows: list[EventRow | None] = []
    for index, row in enumerate(rows):
        row_pointer = f"{pointer}/attributes/events/data/{index}"
        is_event = isinstance(row, dict) and row.get("type") == "event"
        if not is_event or not isinstance(row.get("attributes"), dict):
            raise bad_request_error("A resource of type 'event' is required.", pointer=row_pointer)
        require_object(row["attributes"], f"{row_pointer}/attributes", set(_EVENT_FIELDS))
        event_rows.append(
            reader.read_event(row["attributes"], f"{row_pointer}/attributes", profile, backfill=backfill)
        )
    return event_rows


def _reject_repeats(events: list[EventRow], rules: Rules) -> None:
    """Raise HttpError (400) if an id is repeated for the same person and metric."""
    seen: set[tuple[str, str, str]] = set()
    errors = []
    for event in events:
        attributes = event.profile["attributes"]
        person = event.profile.get("id") or [attributes.get(name) for name in IDENTIFIERS]
        key = (str(person), event.metric, event.unique_id)
        if key in seen:
            errors.append(repeated_id_error(event))
        seen.add(key)
    if errors:
        raise HttpError(400, *errors[: rules.errors_per_reply])


def repeated_id_error(event: EventRow) -> ErrorObject:
    """Return the error of an event whose id was sent before."""
    return ErrorObject("The unique_id is repeated.", f"{event.pointer}/unique_id")


def _is_currency(text: str) -> bool:
    return len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()  # noqa: PLR2004 - ISO 4217
