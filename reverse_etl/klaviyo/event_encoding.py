"""Encode a row of the warehouse as one event. Source: guide 'Events API overview', section 'Limitations'.

Only identifiers of the person are sent: other attributes would overwrite those of the profile.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

from reverse_etl.domain.columns import Column, ColumnKind
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.errors import Problem
from reverse_etl.klaviyo.events import MAX_EVENT_BYTES, EncodedEvent
from reverse_etl.klaviyo.json_values import to_text
from reverse_etl.klaviyo.profiles import FIELD_BY_IDENTIFIER_TYPE
from reverse_etl.klaviyo.serialize import EncodingError, ValueReader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reverse_etl.domain.engine import Engine

MAX_PROPERTIES: Final = 400
MAX_ITEMS: Final = 4_000  # of an array
MAX_NESTING: Final = 10
MAX_TEXT_BYTES: Final = 100_000
MAX_METRIC_CHARACTERS: Final = 127
UNIQUE_ID, TIME, METRIC, VALUE, CURRENCY = "unique_id", "time", "metric", "value", "value_currency"
OWN_COLUMNS: Final = frozenset({UNIQUE_ID, TIME, METRIC, VALUE, CURRENCY})
_NUMBERS: Final = frozenset({ColumnKind.INTEGER, ColumnKind.DECIMAL, ColumnKind.FLOAT, ColumnKind.REAL})
_CURRENCY: Final = re.compile("[A-Z]{3}")


def column_problem(name: str, column: Column, engine: Engine) -> Problem | None:
    """Return why a column can't have a name that means something to an event, None if it can."""
    if name == TIME and column.kind is not ColumnKind.TIMESTAMP_TZ:
        return Problem(
            f"The column {column.name} has the type {column.type}, but must be a timestamp with a time zone.",
            hint=engine.zoned_time_hint,
        )
    if name == VALUE and column.kind not in _NUMBERS:
        return Problem(
            f"The column {column.name} has the type {column.type}, but must be a number.",
            hint="Cast it to a number, or give it another name: then it is a property of the event.",
        )
    if name in {METRIC, CURRENCY} and column.kind is not ColumnKind.TEXT:
        return Problem(
            f"The column {column.name} has the type {column.type}, but must be text.",
            hint="Cast it to text, or give it another name: then it is a property of the event.",
        )
    return None


class EventEncoder:
    """Encodes the rows of one model.

    `identifiers` are the types of the identifiers of a row, `payload` the other columns with the names under
    which they are sent; both in the order of the values passed to `encode`. `metric` is that of all rows, ''
    if a column names it. `is_backfilled` tells of an event's time whether it starts no flows.
    """

    def __init__(
        self,
        identifiers: Sequence[IdentifierType],
        payload: Sequence[tuple[str, Column]],
        metric: str,
        is_backfilled: Callable[[datetime], bool],
    ) -> None:
        self._identifiers = identifiers
        self._metric = metric
        self._is_backfilled = is_backfilled
        # An event's own columns are known by their names in lower case, whatever the case in the model.
        names = [name.lower() if name.lower() in OWN_COLUMNS else name for name, _ in payload]
        self._time_index = len(identifiers) + names.index(TIME)
        self._reader = ValueReader([(name, column) for name, (_, column) in zip(names, payload, strict=True)])

    def encode(self, row: Sequence[Any]) -> EncodedEvent | EncodingError:
        """Return the event of a row, or why it can't be sent. Never raises for a value."""
        values = self._reader.read(row[len(self._identifiers) :])
        if isinstance(values, EncodingError):
            return values
        time = row[self._time_index]
        if not isinstance(time, datetime) or time.tzinfo is None:
            return EncodingError(TIME, "is missing")
        properties = {name: value for name, value in values.items() if _is_property(name, value)}
        metric = self._metric or str(values.get(METRIC) or "").strip()
        currency = values.get(CURRENCY)
        currency = currency.strip().upper() if isinstance(currency, str) else None
        if (error := _find_error(values, properties, metric, currency)) is not None:
            return error
        attributes: dict[str, Any] = {
            "metric": {"data": {"type": "metric", "attributes": {"name": metric}}},
            "unique_id": to_text(values[UNIQUE_ID]),
            "time": time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "properties": properties,
        }
        attributes |= {VALUE: values[VALUE]} if values.get(VALUE) is not None else {}
        attributes |= {CURRENCY: currency} if currency else {}
        attributes |= {"backfill": True} if self._is_backfilled(time) else {}
        event = EncodedEvent(orjson.dumps(self._build_profile(row)), orjson.dumps(attributes))
        size = len(event.profile) + len(event.attributes)
        if size > MAX_EVENT_BYTES:
            return EncodingError("", f"is {size} bytes, and a request has at most {MAX_EVENT_BYTES}")
        return event

    def _build_profile(self, row: Sequence[Any]) -> dict[str, Any]:
        profile: dict[str, Any] = {"type": "profile", "attributes": {}}
        for kind, value in zip(self._identifiers, row, strict=False):
            if not value:
                continue
            if kind is IdentifierType.PROFILE_ID:
                profile["id"] = value
            else:
                profile["attributes"][FIELD_BY_IDENTIFIER_TYPE[kind]] = value
        return profile


def _is_property(name: str, value: Any) -> bool:
    return name not in OWN_COLUMNS and value is not None


def _find_error(
    values: Mapping[str, Any], properties: Mapping[str, Any], metric: str, currency: str | None
) -> EncodingError | None:
    if not 1 <= len(metric) <= MAX_METRIC_CHARACTERS:
        return EncodingError(
            METRIC, f"has {len(metric)} characters, and must have 1 to {MAX_METRIC_CHARACTERS}"
        )
    if currency and not _CURRENCY.fullmatch(currency):
        return EncodingError(CURRENCY, "is not a currency code of three letters")
    if isinstance(values.get(VALUE), str):
        return EncodingError(VALUE, "has more digits than a number in JSON keeps")
    if len(properties) > MAX_PROPERTIES:
        return EncodingError(
            "", f"has {len(properties)} properties, and an event has at most {MAX_PROPERTIES}"
        )
    for name, value in properties.items():
        if (reason := _find_value_problem(value, 1)) is not None:
            return EncodingError(name, reason)
    return None


def _find_value_problem(value: Any, depth: int) -> str | None:
    """Return which limit a value exceeds; the properties themselves are the first level of nesting."""
    if isinstance(value, str):
        too_long = len(value) > MAX_TEXT_BYTES // 4 and len(value.encode()) > MAX_TEXT_BYTES
        return f"is a text of more than {MAX_TEXT_BYTES:,} bytes" if too_long else None
    if not isinstance(value, dict | list):
        return None
    if depth >= MAX_NESTING:
        return f"is nested in more than {MAX_NESTING} levels"
    if isinstance(value, list) and len(value) > MAX_ITEMS:
        return f"has {len(value)} items, and an array has at most {MAX_ITEMS}"
    members = value.values() if isinstance(value, dict) else value
    problems = (_find_value_problem(member, depth + 1) for member in members)
    return next((problem for problem in problems if problem is not None), None)
