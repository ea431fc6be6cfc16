"""People's consent for each channel: what profiles show of it, and the request that subscribes people.

Sources: API reference, 'Get Profiles' and 'Bulk Subscribe Profiles'; guide 'Collect consent'.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import orjson

from reverse_etl.domain.identifiers import IdentifierType, canonicalize
from reverse_etl.klaviyo.client import get_request
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.klaviyo.errors import refusal_error
from reverse_etl.klaviyo.filters import any_of
from reverse_etl.klaviyo.headers import to_utc
from reverse_etl.klaviyo.imports import RequestRefused, RowsRefused, parse_refusal
from reverse_etl.klaviyo.messages import Request
from reverse_etl.klaviyo.profiles import FIELD_BY_IDENTIFIER_TYPE, PAGE_SIZE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.klaviyo.jsonapi import Resource
    from reverse_etl.klaviyo.messages import Response

ConsentRefusal: TypeAlias = RowsRefused | RequestRefused

_NULL_IF_UNUSED: Final = frozenset({"whatsapp", "mobile_push"})  # what a profile shows as null
_MEDIA_IN_PROFILES: Final = {"push": "mobile_push"}  # by the name in requests, if it is another one
_OF_MAILS_ALONE: Final = frozenset({"UNSUBSCRIBE", "HARD_BOUNCE", "INVALID_EMAIL"})
_JOB_TYPES: Final = {
    Endpoint.SUBSCRIBE: "profile-subscription-bulk-create-job",
    Endpoint.UNSUBSCRIBE: "profile-subscription-bulk-delete-job",
}
_SHOWN: Final = (IdentifierType.EMAIL, IdentifierType.PHONE, IdentifierType.EXTERNAL_ID)
_MISSING: Final = object()
EVERY_LIST: Final = ""  # the list of a suppression that is not of one list


class Channel(StrEnum):
    """A kind of messages, by the name that models give it."""

    EMAIL = "email"
    SMS = "sms"
    SMS_TRANSACTIONAL = "sms_transactional"
    WHATSAPP = "whatsapp"
    WHATSAPP_TRANSACTIONAL = "whatsapp_transactional"
    PUSH = "push"

    @property
    def path(self) -> tuple[str, str]:
        """Return the place of the channel in the subscriptions of a request."""
        medium, _, kind = self.value.partition("_")
        return medium, kind or "marketing"

    @property
    def path_in_profiles(self) -> tuple[str, str]:
        """Return the place of the channel in the subscriptions of a profile."""
        medium, kind = self.path
        return _MEDIA_IN_PROFILES.get(medium, medium), kind

    @property
    def has_lists(self) -> bool:
        """Return whether people may subscribe to the channel by a list."""
        return self.path[1] == "marketing" and self is not Channel.PUSH

    @property
    def identifier(self) -> IdentifierType:
        """Return the identifier by which the channel reaches people."""
        by_email = self in {Channel.EMAIL, Channel.PUSH}
        return IdentifierType.EMAIL if by_email else IdentifierType.PHONE


class ConsentStatus(StrEnum):
    """The consent of a person to a channel. UNKNOWN is one that can't be read."""

    SUBSCRIBED = "SUBSCRIBED"
    UNSUBSCRIBED = "UNSUBSCRIBED"
    NEVER_SUBSCRIBED = "NEVER_SUBSCRIBED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class Suppression:
    """Why a person gets no e-mail, since when (None: not known), and of which list."""

    reason: str
    suppressed_at: datetime | None
    list_id: str = EVERY_LIST


@dataclass(frozen=True)
class Consent:
    """The consent of a profile to one channel. Times are in UTC, and None if they can't be read.

    `changed_at` is the newest time that Klaviyo states. `source` is what the profile shows of the request
    that subscribed it. `suppressions` are those of the e-mail: for other channels complaints and those by
    hand alone. `left_lists` are, for these, the lists that the person's e-mail left.
    """

    status: ConsentStatus
    consented_at: datetime | None = None
    changed_at: datetime | None = None
    source: str = ""
    suppressions: tuple[Suppression, ...] = ()
    left_lists: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ConsentingProfile:
    """A profile with the identifier of a channel, in canonical form, and its consent to the channel.

    `identifiers` are all that it shows, the channel's among them.
    """

    id: str
    identifier: str | None
    consent: Consent
    identifiers: frozenset[tuple[IdentifierType, str]] = frozenset()


@dataclass(frozen=True)
class Subscriber:
    """A person to subscribe. `consented_at` is None for consent that is given now."""

    identifier: str
    consented_at: datetime | None = None
    date_of_birth: str | None = None


@dataclass(frozen=True)
class SubscribeOptions:
    """The values that all people of a request share. `list_id` is "" for no list."""

    channel: Channel
    list_id: str
    source: str


def consents_request(channel: Channel, values: Sequence[str]) -> Request:
    """Return the request for the profiles with one of `values`, and their consent."""
    field = FIELD_BY_IDENTIFIER_TYPE[channel.identifier]
    query = {
        "filter": any_of(field, values),
        "page[size]": PAGE_SIZE,
        "fields[profile]": "email,phone_number,external_id",
        "additional-fields[profile]": "subscriptions",
    }
    return get_request(Endpoint.PROFILES, query=query)


def members_request(list_id: str, channel: Channel, values: Sequence[str]) -> Request:
    """Return the request for the members of a list with one of `values`."""
    field = FIELD_BY_IDENTIFIER_TYPE[channel.identifier]
    query = {"filter": any_of(field, values), "page[size]": PAGE_SIZE, "fields[profile]": field}
    return get_request(Endpoint.LIST_PROFILES, list_id, query=query)


def subscribe_request(subscribers: Sequence[Subscriber], options: SubscribeOptions) -> Request:
    """Return the request that subscribes people, all of them by past consent or all by consent given now."""
    historical = subscribers[0].consented_at is not None
    attributes: dict[str, Any] = {
        "custom_source": options.source,
        "profiles": {"data": [_to_profile(subscriber, options.channel) for subscriber in subscribers]},
    }
    if historical:
        attributes["historical_import"] = True
    return _job_request(Endpoint.SUBSCRIBE, attributes, options.list_id)


def unsubscribe_request(identifiers: Sequence[str], options: SubscribeOptions) -> Request:
    """Return the request that unsubscribes people from a list, or from the channel without one.

    With a list, who is not on it is unsubscribed from everything.
    """
    consent = {"consent": ConsentStatus.UNSUBSCRIBED.value}
    rows = [
        {"type": "profile", "attributes": _profile_attributes(identifier, options.channel, consent)}
        for identifier in identifiers
    ]
    return _job_request(Endpoint.UNSUBSCRIBE, {"profiles": {"data": rows}}, options.list_id)


def _job_request(endpoint: Endpoint, attributes: Mapping[str, Any], list_id: str) -> Request:
    data: dict[str, Any] = {"type": _JOB_TYPES[endpoint], "attributes": attributes}
    if list_id:
        data["relationships"] = {"list": {"data": {"type": "list", "id": list_id}}}
    return Request(endpoint, endpoint.path(), orjson.dumps({"data": data}))


def _profile_attributes(identifier: str, channel: Channel, consent: Mapping[str, str]) -> dict[str, Any]:
    medium, kind = channel.path
    field = FIELD_BY_IDENTIFIER_TYPE[channel.identifier]
    return {field: identifier, "subscriptions": {medium: {kind: consent}}}


def parse_reply(response: Response) -> ConsentRefusal | None:
    """Return why a request that subscribes was refused for its content, None if it was accepted.

    Raises KlaviyoError for any other reply.
    """
    if Endpoint.SUBSCRIBE.is_success(response.status):
        return None
    refusal = parse_refusal(response)
    if refusal is None:
        require_accepted(Endpoint.SUBSCRIBE, response)
    return refusal


def require_accepted(endpoint: Endpoint, response: Response) -> None:
    """Raise KlaviyoError unless a request was accepted. The reply has no content that could be checked."""
    if not endpoint.is_success(response.status):
        raise refusal_error(Request(endpoint, endpoint.path()), response)


def _to_profile(subscriber: Subscriber, channel: Channel) -> dict[str, Any]:
    consent = {"consent": ConsentStatus.SUBSCRIBED.value}
    if subscriber.consented_at is not None:
        consent["consented_at"] = subscriber.consented_at.isoformat()
    attributes = _profile_attributes(subscriber.identifier, channel, consent)
    if subscriber.date_of_birth:
        attributes["age_gated_date_of_birth"] = subscriber.date_of_birth
    return {"type": "profile", "attributes": attributes}


def parse_consent(resource: Resource, channel: Channel) -> ConsentingProfile:
    """Return the consent of a profile to a channel, UNKNOWN if it can't be read. Raises MalformedReply."""
    shown = {kind: canonicalize(kind, resource.get_text(FIELD_BY_IDENTIFIER_TYPE[kind])) for kind in _SHOWN}
    return ConsentingProfile(
        resource.id,
        shown[channel.identifier],
        _read_consent(resource.attributes, channel),
        frozenset((kind, value) for kind, value in shown.items() if value is not None),
    )


def find_block(attributes: Mapping[str, Any], channel: Channel) -> Mapping[str, Any] | None:
    """Return what a profile shows of a channel, None if it can't be read."""
    block: Any = attributes.get("subscriptions")
    for name in channel.path_in_profiles:
        block = block.get(name) if isinstance(block, dict) else None
    return block if isinstance(block, dict) else None


def find_suppressions(block: Mapping[str, Any], name: str) -> list[Mapping[str, Any]] | None:
    """Return one of the lists of suppressions of an e-mail's block, None if it can't be read."""
    entries = block.get(name)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        return None
    return entries


def _read_consent(attributes: Mapping[str, Any], channel: Channel) -> Consent:
    block = find_block(attributes, channel)
    suppressions = _find_suppressions(attributes, channel)
    if suppressions is not None and _is_unused(attributes, channel):
        return Consent(ConsentStatus.NEVER_SUBSCRIBED, suppressions=suppressions)
    if block is None or suppressions is None:
        return Consent(ConsentStatus.UNKNOWN)
    times = [_read_time(block.get(name)) for name in ("consent_timestamp", "last_updated")]
    return Consent(
        next((status for status in ConsentStatus if status == block.get("consent")), ConsentStatus.UNKNOWN),
        times[0],
        max((time for time in times if time is not None), default=None),
        str(block.get("custom_method_detail") or block.get("method_detail") or ""),
        suppressions,
        frozenset() if channel is Channel.EMAIL else _read_left_lists(attributes),
    )


def _is_unused(attributes: Mapping[str, Any], channel: Channel) -> bool:
    """Return whether a profile shows that it never used the medium of a channel."""
    media, (medium, kind) = attributes.get("subscriptions"), channel.path_in_profiles
    if medium not in _NULL_IF_UNUSED or not isinstance(media, dict):
        return False
    shown = media.get(medium, _MISSING)
    return shown is None or (isinstance(shown, dict) and shown.get(kind, _MISSING) is None)


def _find_suppressions(attributes: Mapping[str, Any], channel: Channel) -> tuple[Suppression, ...] | None:
    """Return the suppressions that a subscription to a channel may lift, None if they can't be read.

    The reference does not say whether a subscription to another channel lifts those of the e-mail.
    """
    if channel is not Channel.EMAIL and _has_no_mails(attributes):
        return ()
    block = find_block(attributes, Channel.EMAIL)
    suppressions = _read_suppressions(block) if block is not None else None
    if channel is Channel.EMAIL or suppressions is None:
        return suppressions
    return tuple(
        suppression
        for suppression in suppressions
        if suppression.list_id == EVERY_LIST and suppression.reason not in _OF_MAILS_ALONE
    )


def _has_no_mails(attributes: Mapping[str, Any]) -> bool:
    """Return whether a profile shows null for its e-mail's consent, and no e-mail."""
    if attributes.get("email", _MISSING) is not None:
        return False
    block: Any = attributes.get("subscriptions")
    for name in Channel.EMAIL.path:
        block = block.get(name, _MISSING) if isinstance(block, dict) else _MISSING
        if block is None:
            return True
    return False


def _read_left_lists(attributes: Mapping[str, Any]) -> frozenset[str]:
    """Return the lists whose mails a profile does not get, as far as they can be read."""
    block = find_block(attributes, Channel.EMAIL)
    suppressions = _read_suppressions(block) if block is not None else None
    return frozenset(
        suppression.list_id for suppression in suppressions or () if suppression.list_id != EVERY_LIST
    )


def _read_suppressions(block: Mapping[str, Any]) -> tuple[Suppression, ...] | None:
    of_all, of_lists = (find_suppressions(block, name) for name in ("suppression", "list_suppressions"))
    if of_all is None or of_lists is None:
        return None
    if not all(isinstance(entry.get("list_id"), str) for entry in of_lists):
        return None
    return tuple(
        Suppression(str(entry.get("reason")), _read_time(entry.get("timestamp")), list_id)
        for entry, list_id in (
            *((entry, EVERY_LIST) for entry in of_all),
            *((entry, str(entry.get("list_id"))) for entry in of_lists),
        )
    )


def _read_time(value: object) -> datetime | None:
    try:
        return to_utc(datetime.fromisoformat(value)) if isinstance(value, str) else None
    except ValueError:
        return None
