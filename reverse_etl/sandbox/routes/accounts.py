"""The endpoints of the account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reverse_etl.sandbox.paging import build_links
from reverse_etl.sandbox.replies import ApiResponse, not_found_error, select_fields
from reverse_etl.sandbox.routes.route import Route

if TYPE_CHECKING:
    from reverse_etl.sandbox.account import SandboxAccount
    from reverse_etl.sandbox.ask import ApiRequest

_CONTACT: Final[dict[str, Any]] = {
    "default_sender_name": "Sandbox",
    "default_sender_email": "sandbox@example.com",
    "website_url": None,
    "organization_name": "Sandbox",
    "street_address": dict.fromkeys(("address1", "address2", "city", "region", "country", "zip")),
}
_ATTRIBUTES: Final = {
    "test_account": True,
    "contact_information": _CONTACT,
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
            for name in (
                *_CONTACT,
                *(f"street_address.{part}" for part in _CONTACT["street_address"] or ()),
            )
        ),
    }
)


def get_accounts(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Return the account of the key."""
    request.reject_unknown_parameters("fields[account]")
    return ApiResponse(200, {"data": [_account_resource(account, request)], "links": build_links(request)})


def get_account(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Return the account by its id."""
    request.reject_unknown_parameters("fields[account]")
    if request.path_parameters["id"] != account.id:
        raise not_found_error("account", request.path_parameters["id"])
    return ApiResponse(200, {"data": _account_resource(account, request), "links": {"self": request.url()}})


def _account_resource(account: SandboxAccount, request: ApiRequest) -> dict[str, Any]:
    requested_fields = request.parse_names("fields[account]", _FIELDS)
    attributes = {**_ATTRIBUTES, "public_api_key": account.id}
    return {
        "type": "account",
        "id": account.id,
        "attributes": select_fields(attributes, requested_fields),
        "links": {"self": f"{request.origin}/api/accounts/{account.id}/"},
    }


ROUTES: Final = (
    Route("GET", "/api/accounts", "get_accounts", get_accounts),
    Route("GET", "/api/accounts/<id>", "get_account", get_account),
)
