"""The attributes of profiles in replies, as a request's fields, additional fields and includes ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.sandbox.consents import StoredConsent, Subscriptions, load_subscriptions
from reverse_etl.sandbox.times import to_iso
from reverse_etl.sandbox.validation import IDENTIFIERS, LOCATION_FIELDS, TEXT_ATTRIBUTES

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence

    from reverse_etl.sandbox.ask import ApiRequest
    from reverse_etl.sandbox.matching import StoredProfile

PROFILE_PARAMETERS: Final = ("fields[profile]", "additional-fields[profile]")
SUBSCRIPTIONS, ANALYTICS = "subscriptions", "predictive_analytics"
NO_ANALYTICS: Final = dict.fromkeys(
    (
        "historic_clv",
        "predicted_clv",
        "total_clv",
        "historic_number_of_orders",
        "predicted_number_of_orders",
        "average_days_between_orders",
        "average_order_value",
        "churn_probability",
        "expected_date_of_next_order",
        "ranked_channel_affinity",
    )
)


def _list_paths(document: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in document.items():
        yield prefix + name
        if isinstance(value, dict):
            yield from _list_paths(value, f"{prefix}{name}.")


# WhatsApp shows its fields only if it was used.
_FULL_SUBSCRIPTIONS: Final = Subscriptions(
    {"whatsapp.marketing": StoredConsent("whatsapp.marketing", "SUBSCRIBED", None, 0)}
).to_attribute()
_FIELDS: Final = frozenset(
    {
        "id",
        *IDENTIFIERS,
        *TEXT_ATTRIBUTES,
        "created",
        "updated",
        "last_event_date",
        "properties",
        *_list_paths({"location": dict.fromkeys(LOCATION_FIELDS)}),
        *_list_paths({SUBSCRIPTIONS: _FULL_SUBSCRIPTIONS, ANALYTICS: NO_ANALYTICS}),
    }
)


@dataclass(frozen=True)
class ProfileView:
    """The attributes that a request asks for; `fields` is None for all but the additional ones."""

    origin: str
    fields: frozenset[str] | None
    additional: frozenset[str]

    @classmethod
    def from_request(cls, request: ApiRequest, *extra_fields: str) -> ProfileView:
        """Return the view of a request. Raises HttpError (400) for unknown fields."""
        return cls(
            request.origin,
            request.parse_names("fields[profile]", _FIELDS | set(extra_fields)),
            request.parse_names("additional-fields[profile]", frozenset({SUBSCRIPTIONS, ANALYTICS}))
            or frozenset(),
        )

    def to_resources(
        self, db: sqlite3.Connection, profiles: Sequence[StoredProfile], joined: Sequence[int] = ()
    ) -> list[dict[str, Any]]:
        """Return profiles as JSON:API resources; members of a list also with the time of joining."""
        wants_subscriptions = SUBSCRIPTIONS in self._top_level_names()
        subscriptions = load_subscriptions(
            db, [profile.seq for profile in profiles] if wants_subscriptions else []
        )
        return [
            self._to_resource(profile, subscriptions.get(profile.seq), joined[index] if joined else None)
            for index, profile in enumerate(profiles)
        ]

    def _to_resource(
        self, profile: StoredProfile, subscriptions: Subscriptions | None, joined_at: int | None
    ) -> dict[str, Any]:
        attributes = _standard_attributes(profile)
        if joined_at is not None:
            attributes["joined_group_at"] = to_iso(joined_at)
        selected = attributes if self.fields is None else _select(attributes, self.fields)
        extra: dict[str, Any] = {ANALYTICS: dict(NO_ANALYTICS)}
        if subscriptions is not None:
            extra[SUBSCRIPTIONS] = subscriptions.to_attribute()
        selected |= _select(extra, (self.fields or frozenset()) | self.additional)
        related = f"{self.origin}/api/profiles/{profile.id}"
        return {
            "type": "profile",
            "id": profile.id,
            "attributes": selected,
            "relationships": {
                name: {"links": {"self": f"{related}/relationships/{name}/", "related": f"{related}/{name}/"}}
                for name in ("lists", "segments", "push-tokens", "conversation")
            },
            "links": {"self": f"{related}/"},
        }

    def _top_level_names(self) -> set[str]:
        return {name.split(".")[0] for name in (self.fields or frozenset()) | self.additional}


def _standard_attributes(profile: StoredProfile) -> dict[str, Any]:
    attributes: dict[str, Any] = {name: getattr(profile, name) for name in IDENTIFIERS}
    attributes |= {name: profile.attributes.get(name) for name in TEXT_ATTRIBUTES}
    return attributes | {
        "created": to_iso(profile.created),
        "updated": to_iso(profile.updated),
        "last_event_date": None,
        "location": dict.fromkeys(LOCATION_FIELDS) | profile.attributes.get("location", {}),
        "properties": profile.attributes.get("properties", {}),
    }


def _select(attributes: Mapping[str, Any], fields: frozenset[str], prefix: str = "") -> dict[str, Any]:
    """Return the attributes at these dotted names; a name includes everything below it."""
    selected: dict[str, Any] = {}
    for name, value in attributes.items():
        path = prefix + name
        if path in fields:
            selected[name] = value
        elif isinstance(value, dict) and any(field.startswith(f"{path}.") for field in fields):
            selected[name] = _select(value, fields, f"{path}.")
    return selected
