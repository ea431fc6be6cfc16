"""The account itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reverse_etl.sandbox.paging import links
from reverse_etl.sandbox.replies import Reply, missing
from reverse_etl.sandbox.routes.route import Route

if TYPE_CHECKING:
    from reverse_etl.sandbox.account import Account
    from reverse_etl.sandbox.ask import Ask

_ATTRIBUTES: Final = {
    "test_account": True,
    "contact_information": {
        "default_sender_name": "Sandbox",
        "default_sender_email": "sandbox@example.com",
        "website_url": None,
        "organization_name": "Sandbox",
        "street_address": dict.fromkeys(("address1", "address2", "city", "region", "country", "zip")),
    },
    "industry": None,
    "timezone": "UTC",
    "preferred_currency": "USD",
    "locale": "en-US",
}
_FIELDS: Final = frozenset(
    {
        *_ATTRIBUTES,
        "id",
        "public_api_key",
        *(
            f"contact_information.{name}"
            for name in ("default_sender_name", "organization_name", "website_url")
        ),
    }
)


def get_accounts(account: Account, ask: Ask) -> Reply:
    """Return the one account that the key belongs to."""
    ask.allow("fields[account]")
    return Reply(200, {"data": [_resource(account, ask)], "links": links(ask)})


def get_account(account: Account, ask: Ask) -> Reply:
    """Return the account by its id."""
    ask.allow("fields[account]")
    if ask.places["id"] != account.id:
        raise missing("account", ask.places["id"])
    return Reply(200, {"data": _resource(account, ask), "links": {"self": ask.url()}})


def _resource(account: Account, ask: Ask) -> dict[str, Any]:
    wanted = ask.several("fields[account]", _FIELDS)
    whole = {name.split(".")[0] for name in wanted or ()}
    attributes = {**_ATTRIBUTES, "public_api_key": account.id}
    return {
        "type": "account",
        "id": account.id,
        "attributes": {name: value for name, value in attributes.items() if wanted is None or name in whole},
        "links": {"self": f"{ask.origin}/api/accounts/{account.id}"},
    }


ROUTES: Final = (
    Route("GET", "/api/accounts", "get_accounts", get_accounts),
    Route("GET", "/api/accounts/<id>", "get_account", get_account),
)
