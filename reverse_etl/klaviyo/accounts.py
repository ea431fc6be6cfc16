"""The account of a key. Source: API reference, 'Get Accounts'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.klaviyo.client import get_request
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.klaviyo.jsonapi import Document, MalformedReply, parse_resources

if TYPE_CHECKING:
    from reverse_etl.klaviyo.messages import Request


@dataclass(frozen=True)
class Account:
    """A Klaviyo account. `test` is whether Klaviyo marks it as a test account."""

    id: str
    name: str
    test: bool


def account_request() -> Request:
    """Return the request for the account that the key belongs to."""
    return get_request(Endpoint.ACCOUNTS)


def parse_account(document: Document) -> Account:
    """Return the account of a reply. Raises MalformedReply if it has none."""
    resources = parse_resources(document)
    if not resources:
        raise MalformedReply("the reply has no account")
    contact = resources[0].attributes.get("contact_information")
    name = contact.get("organization_name") if isinstance(contact, dict) else None
    return Account(
        resources[0].id,
        name if isinstance(name, str) else "",
        resources[0].attributes.get("test_account") is True,
    )
