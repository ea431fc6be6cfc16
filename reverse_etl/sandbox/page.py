"""The page at /."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reverse_etl.sandbox.account import Account


def show_page(account: Account) -> str:
    """Return the page."""
    return account.id
