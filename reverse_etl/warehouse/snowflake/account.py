"""Account names as people write them, and the host of an account."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

_DOMAIN: Final = re.compile(r"\.snowflakecomputing\.(?:com|cn)$", re.IGNORECASE)
_CONSOLE: Final = re.compile(r"app\.snowflake\.com/([A-Za-z0-9_]+)/([A-Za-z0-9_]+)", re.IGNORECASE)
_ACCOUNT: Final = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")


def normalize_account(account: str) -> str:
    """Return the account identifier of a name, a host or a URL. Raises UsageError if it can't be one.

    >>> [normalize_account(text) for text in ("org-acc", "https://org-acc.snowflakecomputing.com/console")]
    ['org-acc', 'org-acc']
    >>> normalize_account("https://app.snowflake.com/org/acc/#/homepage")
    'org-acc'
    """
    address = re.sub(r"^[a-z]+://", "", account.strip(), flags=re.IGNORECASE)
    if match := _CONSOLE.match(address):
        return f"{match[1]}-{match[2]}"
    name = _DOMAIN.sub("", address.partition("/")[0].partition(":")[0])
    if not _ACCOUNT.fullmatch(name):
        raise UsageError.of(
            f"The snowflake output can't be used: its account {account!r} is not an account identifier.",
            where="profiles.yml",
            hint="Write account: <organisation>-<account>; SELECT CURRENT_ORGANIZATION_NAME() || '-' || "
            "CURRENT_ACCOUNT_NAME() returns it.",
        )
    return name


def connection_host(settings: Mapping[str, Any]) -> str | None:
    """Return the host to connect to if the connector would not find it: a host name has no underscores."""
    if settings.get("host") or "_" not in str(settings.get("account") or ""):
        return None
    return _account_host(str(settings["account"]))


def account_url(settings: Mapping[str, Any]) -> str:
    """Return the URL of an output's account."""
    host = settings.get("host") or _account_host(str(settings.get("account")))
    port = f":{settings['port']}" if settings.get("port") else ""
    return f"{settings.get('protocol') or 'https'}://{host}{port}"


def _account_host(account: str) -> str:
    name = normalize_account(account)
    region = name.partition(".")[2]
    domain = "cn" if region.lower().startswith("cn-") else "com"
    return f"{name.replace('_', '-')}.snowflakecomputing.{domain}"
