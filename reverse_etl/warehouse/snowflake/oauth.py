"""Exchanges an OAuth refresh token for an access token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reverse_etl.errors import UsageError, WarehouseError
from reverse_etl.warehouse.snowflake.account import account_url

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN_TIMEOUT_SECONDS = 30


def exchange_refresh_token(settings: Mapping[str, Any], refresh_token: str) -> str:
    """Return a new access token ("Snowflake OAuth"). Raises errors without a token in them."""
    import requests  # noqa: PLC0415 - few sign in this way

    url = str(settings.get("oauth_token_request_url") or f"{account_url(settings)}/oauth/token-request")
    try:
        response = requests.post(
            url,
            auth=(str(settings["oauth_client_id"]), str(settings["oauth_client_secret"])),
            data={"grant_type": "refresh_token", "refresh_token": refresh_token},
            timeout=TOKEN_TIMEOUT_SECONDS,
            allow_redirects=False,
        )
    except requests.RequestException as error:
        raise WarehouseError.of(
            f"The OAuth token could not be renewed: {type(error).__name__}.",
            where=url,
            hint="It is safe to run again.",
        ) from None
    token = _access_token(response)
    if token is None:
        raise UsageError.of(
            f"The OAuth token could not be renewed: HTTP {response.status_code}.",
            where=url,
            hint="Look at oauth_client_id and oauth_client_secret, and get a new refresh token.",
        )
    return token


def _access_token(response: Any) -> str | None:
    try:
        token = response.json().get("access_token") if response.ok else None
    except (ValueError, AttributeError):
        return None
    return token if isinstance(token, str) else None
