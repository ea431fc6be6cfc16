"""A refresh token for an access token, as dbt's `authenticator: oauth` with a client's id and secret asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reverse_etl.errors import UsageError, WarehouseError

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS = 30


def exchange(settings: Mapping[str, Any], refresh_token: str) -> str:
    """Return a new access token ("Snowflake OAuth"). Raises errors without a token in them."""
    import requests  # noqa: PLC0415 - few sign in this way

    url = str(settings.get("oauth_token_request_url") or f"{_address(settings)}/oauth/token-request")
    try:
        reply = requests.post(
            url,
            auth=(str(settings["oauth_client_id"]), str(settings["oauth_client_secret"])),
            data={"grant_type": "refresh_token", "refresh_token": refresh_token},
            timeout=SECONDS,
            allow_redirects=False,
        )
    except requests.RequestException as error:
        raise WarehouseError.of(
            f"The OAuth token could not be renewed: {type(error).__name__}.",
            where=url,
            advice="It is safe to run again.",
        ) from None
    token = _token_of(reply)
    if token is None:
        raise UsageError.of(
            f"The OAuth token could not be renewed: HTTP {reply.status_code}.",
            where=url,
            advice="Look at oauth_client_id and oauth_client_secret, and get a new refresh token.",
        )
    return token


def _token_of(reply: Any) -> str | None:
    try:
        found = reply.json().get("access_token") if reply.ok else None
    except (ValueError, AttributeError):
        return None
    return found if isinstance(found, str) else None


def _address(settings: Mapping[str, Any]) -> str:
    host = settings.get("host") or f"{settings.get('account')}.snowflakecomputing.com"
    port = f":{settings['port']}" if settings.get("port") else ""
    return f"{settings.get('protocol') or 'https'}://{host}{port}"
