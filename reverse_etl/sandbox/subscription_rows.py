"""Parse and check requests that subscribe or unsubscribe profiles. The checks do not read the state."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.sandbox.consents import SUBSCRIBED, UNSUBSCRIBED
from reverse_etl.sandbox.replies import ErrorObject, HttpError, bad_request_error
from reverse_etl.sandbox.times import from_iso
from reverse_etl.sandbox.validation import (
    ROWS_POINTER,
    is_email,
    is_phone,
    parse_resource,
    parse_resource_ids,
    require_object,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reverse_etl.sandbox.rules import Rules

LIST_POINTER: Final = "/data/relationships/list/data/id"
_MAX_SUBSCRIBED, _MAX_UNSUBSCRIBED = 1_000, 100
_TRACKING: Final = ("open_tracking", "click_tracking")
_SUBSCRIBE_LEAVES: Final[Mapping[str, tuple[str, ...]]] = {
    "email": ("marketing", *_TRACKING),
    "sms": ("marketing", "transactional"),
    "whatsapp": ("marketing", "transactional"),
    "push": ("marketing",),
}
_UNSUBSCRIBE_LEAVES: Final = {
    **_SUBSCRIBE_LEAVES,
    "whatsapp": ("marketing", "transactional", "conversational"),
}
_IDENTIFIER_OF: Final = {"email": "email", "sms": "phone_number", "whatsapp": "phone_number"}
_ROW_FIELDS: Final = frozenset({"email", "phone_number", "subscriptions", "age_gated_date_of_birth"})


@dataclass(frozen=True)
class ConsentRow:
    """A person, and the time of consent (None: now) for each channel such as `sms.marketing`."""

    id: str | None
    email: str | None
    phone_number: str | None
    channels: dict[str, float | None]

    def document(self) -> dict[str, Any]:
        """Return the person as stored in the state file."""
        return {
            "id": self.id,
            "email": self.email,
            "phone_number": self.phone_number,
            "channels": self.channels,
        }

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> ConsentRow:
        """Return the person of a stored document; the inverse of `document`."""
        return cls(stored["id"], stored["email"], stored["phone_number"], stored["channels"])


@dataclass(frozen=True)
class ConsentRequest:
    """A request that subscribes or unsubscribes people, globally or for one list."""

    rows: list[ConsentRow]
    list_id: str | None = None
    historical: bool = False
    source: str | None = None
    requested_at: float = 0.0

    def document(self) -> dict[str, Any]:
        """Return the request as stored in the state file."""
        return {
            "rows": [row.document() for row in self.rows],
            "list_id": self.list_id,
            "historical": self.historical,
            "source": self.source,
            "at": self.requested_at,
        }

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> ConsentRequest:
        """Return the request of a stored document; the inverse of `document`."""
        return cls(
            [ConsentRow.of(row) for row in stored["rows"]],
            stored["list_id"],
            stored["historical"],
            stored["source"],
            stored["at"],
        )


@dataclass
class _RowReader:
    """Reads the rows of one request and collects their errors, each with its pointer."""

    subscribes: bool
    historical: bool
    rules: Rules
    now: float
    errors: list[ErrorObject] = field(default_factory=list)

    def read(self, row: Any, index: int) -> ConsentRow | None:
        pointer = f"{ROWS_POINTER}/{index}"
        attributes = row.get("attributes") if isinstance(row, dict) else None
        if not isinstance(attributes, dict) or row.get("type") != "profile":
            self._add("A resource of type 'profile' with attributes is required.", pointer)
            return None
        allowed = {"type", "attributes", *(("id",) if self.subscribes else ())}
        for name in row.keys() - allowed:
            self._add(f"'{name}' is not allowed here.", f"{pointer}/{name}")
        for name in attributes.keys() - _ROW_FIELDS:
            self._add(f"'{name}' is not a valid field here.", f"{pointer}/attributes/{name}")
        channels = self._read_channels(attributes.get("subscriptions"), f"{pointer}/attributes/subscriptions")
        parsed = ConsentRow(
            row.get("id"), _normalize(attributes.get("email")), attributes.get("phone_number"), channels
        )
        self._check_identifiers(parsed, f"{pointer}/attributes")
        if self.subscribes and "sms.marketing" in channels and self.rules.age_gated:
            self._require(attributes, "age_gated_date_of_birth", f"{pointer}/attributes")
        return parsed

    def _read_channels(self, subscriptions: Any, pointer: str) -> dict[str, float | None]:
        if not isinstance(subscriptions, dict) or not subscriptions:
            self._add("At least one channel is required.", pointer)
            return {}
        channels: dict[str, float | None] = {}
        for channel, settings in subscriptions.items():
            if channel not in _SUBSCRIBE_LEAVES or not isinstance(settings, dict):
                self._add(f"'{channel}' is not a valid channel.", f"{pointer}/{channel}")
                continue
            if channel == "push":
                self._check_push(settings, f"{pointer}/push")
            leaves = (_SUBSCRIBE_LEAVES if self.subscribes else _UNSUBSCRIBE_LEAVES)[channel]
            for name, leaf in settings.items():
                if channel == "push" and name in {"tokens", "anonymous_id"}:
                    continue
                leaf_pointer = f"{pointer}/{channel}/{name}"
                if name not in leaves or not isinstance(leaf, dict):
                    self._add(f"'{name}' is not a valid kind of message.", leaf_pointer)
                else:
                    channels[f"{channel}.{name}"] = self._read_leaf(name, leaf, leaf_pointer)
        return channels

    def _read_leaf(self, name: str, leaf: Mapping[str, Any], pointer: str) -> float | None:
        expected = SUBSCRIBED if self.subscribes else UNSUBSCRIBED
        if leaf.get("consent") != expected:
            self._add(f"The consent should be {expected}.", f"{pointer}/consent")
        consented_at = leaf.get("consented_at")
        if name in _TRACKING or not self.subscribes:
            if consented_at is not None:
                self._add("'consented_at' is not allowed here.", f"{pointer}/consented_at")
            return None
        if self.historical == (consented_at is None):
            needed = "is required with" if self.historical else "is allowed only with"
            self._add(f"'consented_at' {needed} historical_import.", f"{pointer}/consented_at")
            return None
        return None if consented_at is None else self._read_past_time(consented_at, f"{pointer}/consented_at")

    def _read_past_time(self, value: Any, pointer: str) -> float | None:
        try:
            moment = from_iso(value)
        except (TypeError, ValueError):
            self._add("A date-time is required.", pointer)
            return None
        if moment >= self.now:
            self._add("The consent should be in the past.", pointer)
        return moment

    def _check_push(self, settings: Mapping[str, Any], pointer: str) -> None:
        self._require(settings, "marketing", pointer)
        if not self.subscribes:
            self._require(settings, "tokens", pointer)

    def _check_identifiers(self, row: ConsentRow, pointer: str) -> None:
        values = {"email": row.email, "phone_number": row.phone_number}
        for channel in sorted({name.split(".")[0] for name in row.channels}):
            identifier = _IDENTIFIER_OF.get(channel)
            if identifier and values[identifier] is None and row.id is None:
                self._add(f"'{identifier}' is required for {channel}.", f"{pointer}/{identifier}")
        if row.email is not None and not is_email(str(row.email)):
            self._add("The e-mail is not valid.", f"{pointer}/email")
        phone = row.phone_number
        if phone is None:
            return
        if not is_phone(str(phone)):
            self._add("The phone number is not valid; it should be in E.164.", f"{pointer}/phone_number")
        elif any(name.startswith("sms.") for name in row.channels) and any(
            str(phone).startswith(prefix) for prefix in self.rules.refused_sms_prefixes
        ):
            self._add("The account has no sender for this region.", f"{pointer}/phone_number")

    def _require(self, document: Mapping[str, Any], name: str, pointer: str) -> None:
        if document.get(name) is None:
            self._add(f"'{name}' is required.", f"{pointer}/{name}")

    def _add(self, detail: str, pointer: str) -> None:
        self.errors.append(ErrorObject(detail, pointer))


def parse_subscribe(document: Any, rules: Rules, now: float) -> ConsentRequest:
    """Return the request of a body. Raises HttpError (400), with a pointer to each row at fault."""
    allowed = {"profiles", "custom_source", "historical_import"}
    rows, attributes, list_id = _parse_body(document, "create", allowed, _MAX_SUBSCRIBED)
    historical = attributes.get("historical_import") is True
    reader = _RowReader(True, historical, rules, now)
    return ConsentRequest(_read_rows(reader, rows), list_id, historical, attributes.get("custom_source"), now)


def parse_unsubscribe(document: Any, rules: Rules, now: float) -> ConsentRequest:
    """Return the request of a body. Raises HttpError (400), with a pointer to each row at fault."""
    rows, _, list_id = _parse_body(document, "delete", {"profiles"}, _MAX_UNSUBSCRIBED)
    reader = _RowReader(False, False, rules, now)
    return ConsentRequest(_read_rows(reader, rows), list_id, requested_at=now)


def _read_rows(reader: _RowReader, rows: list[Any]) -> list[ConsentRow]:
    parsed = [reader.read(row, index) for index, row in enumerate(rows)]
    if reader.errors:
        raise HttpError(400, *reader.errors[: reader.rules.errors_per_reply])
    return [row for row in parsed if row is not None]


def _parse_body(
    document: Any, verb: str, allowed: set[str], max_rows: int
) -> tuple[list[Any], dict[str, Any], str | None]:
    resource = parse_resource(document, f"profile-subscription-bulk-{verb}-job")
    attributes = require_object(resource.get("attributes"), "/data/attributes", allowed)
    profiles = require_object(attributes.get("profiles"), "/data/attributes/profiles", {"data"})
    rows = profiles.get("data")
    if not isinstance(rows, list) or not 1 <= len(rows) <= max_rows:
        raise bad_request_error(f"From 1 to {max_rows} profiles are required.", pointer=ROWS_POINTER)
    relationships = require_object(resource.get("relationships") or {}, "/data/relationships", {"list"})
    return rows, attributes, next(_list_ids(relationships), None)


def _list_ids(relationships: Mapping[str, Any]) -> Iterator[str]:
    if relationships.get("list") is not None:
        data = require_object(relationships["list"], "/data/relationships/list", {"data"}).get("data")
        yield from parse_resource_ids([data], "list", "/data/relationships/list/data")


def _normalize(email: Any) -> Any:
    return email.strip().lower() if isinstance(email, str) else email
