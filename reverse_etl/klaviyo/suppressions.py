"""Requests that suppress and unsuppress people's e-mails, and read which are suppressed.

Source: API reference, 'Bulk Suppress Profiles', 'Bulk Unsuppress Profiles' and 'Get Profiles'.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import orjson

from reverse_etl.domain.identifiers import IdentifierType, canonicalize
from reverse_etl.klaviyo.client import get_request
from reverse_etl.klaviyo.consents import Channel, find_block, find_suppressions
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.klaviyo.filters import MAX_VALUES, any_of, quote_value
from reverse_etl.klaviyo.jsonapi import MalformedReply, Resource
from reverse_etl.klaviyo.messages import Request
from reverse_etl.klaviyo.other_identifiers import find_all
from reverse_etl.klaviyo.profiles import PAGE_SIZE, Profile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

MAX_EMAILS: Final = 100  # of one job
BY_HAND: Final = "USER_SUPPRESSED"  # the reason of a job's suppressions, and of those made in Klaviyo's pages
_JOB_TYPES: Final = {
    Endpoint.SUPPRESS: b"profile-suppression-bulk-create-job",
    Endpoint.UNSUPPRESS: b"profile-suppression-bulk-delete-job",
}


@dataclass(frozen=True)
class EmailState:
    """A profile's e-mail, and since when it is suppressed by hand or by a job; None if it is not.

    Suppressions for other reasons, such as an unsubscription or a bounce, are left out. `email` is None if
    Klaviyo does not show it.
    """

    profile_id: str
    email: str | None
    suppressed_at: datetime | None


def suppression_request(endpoint: Endpoint, emails: Sequence[str]) -> Request:
    """Return the request that suppresses or unsuppresses e-mails. A repeat changes nothing.

    Raises ValueError for no e-mails or more than 100.
    """
    if not 1 <= len(emails) <= MAX_EMAILS:
        raise ValueError(f"{len(emails)} e-mails in a request that takes 1 to {MAX_EMAILS}")
    rows = orjson.dumps([{"type": "profile", "attributes": {"email": email}} for email in emails])
    body = b'{"data":{"type":"%b","attributes":{"profiles":{"data":%b}}}}' % (_JOB_TYPES[endpoint], rows)
    return Request(endpoint, endpoint.path(), body)


def email_states_request(emails: Sequence[str]) -> Request:
    """Return the request that reads whether e-mails are suppressed, at most `MAX_VALUES` of them."""
    query = {
        "filter": any_of("email", emails),
        "page[size]": str(MAX_VALUES),
        "fields[profile]": "email",
        "additional-fields[profile]": "subscriptions",
    }
    return get_request(Endpoint.PROFILES, query=query)


def suppressed_request() -> Request:
    """Return the request that reads all people who are suppressed by hand or by a job, oldest first."""
    field = f"subscriptions.{'.'.join(Channel.EMAIL.path)}.suppression"
    query = {
        "filter": f"equals({field}.reason,{quote_value(BY_HAND)})",
        "sort": f"{field}.timestamp",
        "page[size]": PAGE_SIZE,
        "fields[profile]": "email",
        "additional-fields[profile]": "subscriptions",
    }
    return get_request(Endpoint.PROFILES, query=query)


def find_email_states(
    emails: Sequence[str], fetch: Callable[[Sequence[str]], Iterable[EmailState]]
) -> Iterator[EmailState]:
    """Yield the state of each profile that has one of the e-mails, under the e-mail by which it was found.

    `fetch` returns all profiles in the reply to a group of e-mails.
    """
    states: dict[str, EmailState] = {}

    def fetch_all(group: Sequence[str]) -> list[Profile]:
        states_by_id = {state.profile_id: state for state in fetch(group)}
        states.update(states_by_id)
        return [Profile(state.profile_id, state.email, None, None) for state in states_by_id.values()]

    for profile in find_all(IdentifierType.EMAIL, emails, fetch_all):
        for email in sorted(profile.identifiers(IdentifierType.EMAIL).intersection(emails)):
            yield replace(states[profile.id], email=email)


def parse_email_state(resource: Resource) -> EmailState:
    """Return the state of a profile's e-mail. Raises MalformedReply.

    A profile without subscriptions is malformed: what is not known may not be taken for no suppression.
    """
    block = find_block(resource.attributes, Channel.EMAIL)
    entries = find_suppressions(block, "suppression") if block is not None else None
    if entries is None:
        raise MalformedReply(f"the suppressions of profile {resource.id} can't be read")
    times = [
        Resource(resource.id, entry).get_timestamp("timestamp")
        for entry in entries
        if entry.get("reason") == BY_HAND
    ]
    email = canonicalize(IdentifierType.EMAIL, resource.get_text("email"))
    return EmailState(resource.id, email, max(times, default=None))
