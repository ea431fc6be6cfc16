"""Accounts: whose key it is. (API reference, 'Get Accounts'.) Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.klaviyo.client import asking
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.klaviyo.jsonapi import Document, Unreadable, resources_of

if TYPE_CHECKING:
    from reverse_etl.klaviyo.messages import Request


@dataclass(frozen=True)
class Account:
    """A Klaviyo account. `test`: Klaviyo's own mark for test accounts."""

    id: str
    name: str
    test: bool


def ask_account() -> Request:
    """Return the request for the account that the key belongs to."""
    return asking(Endpoint.ACCOUNTS)


def account_of(document: Document) -> Account:
    """Return the account of the reply. Raises Unreadable when there is none."""
    found = resources_of(document)
    if not found:
        raise Unreadable("the reply holds no account")
    contact = found[0].attributes.get("contact_information")
    name = contact.get("organization_name") if isinstance(contact, dict) else None
    return Account(
        found[0].id, name if isinstance(name, str) else "", found[0].attributes.get("test_account") is True
    )
