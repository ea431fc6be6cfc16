"""Protect the sandbox from web pages: it answers only under its own names, and to its own pages.

A web page of a foreign site can let a browser send requests to this machine, also under a name of its own
that leads here. The sandbox has no password, so that names and origins decide.
"""

from __future__ import annotations

import ipaddress
import secrets
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from reverse_etl.sandbox.replies import ErrorObject, HttpError

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOCALHOST: Final = "localhost"


def admit_sender(headers: Mapping[str, str]) -> None:
    """Raise HttpError: 421 for a host name that is not this machine's, 403 for another page's origin.

    `headers` has lower-case names. Programs that are not browsers send no origin.
    """
    host = headers.get("host", "")
    if not _is_own_host(host):
        raise HttpError(
            421, ErrorObject("The sandbox answers only to localhost and the loopback addresses.", code="host")
        )
    origin = headers.get("origin")
    if origin is not None and origin.lower() != f"http://{host.lower()}":
        raise HttpError(403, ErrorObject("The sandbox answers only to its own page.", code="origin"))


def page_headers(nonce: str) -> dict[str, str]:
    """Return the security headers of the page, whose style has this nonce. It needs nothing else."""
    policy = {
        "default-src": "'none'",
        "style-src": f"'nonce-{nonce}'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {sources}" for name, sources in policy.items()),
        "Cache-Control": "no-store",
    }


def generate_nonce() -> str:
    """Return a random text that no page can guess."""
    return secrets.token_urlsafe(16)


def _is_own_host(host: str) -> bool:
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # raises ValueError for a port that is not a number
        name = parts.hostname or ""
        is_plain = not (parts.path or parts.query or parts.fragment or "@" in host)
        return is_plain and (name == _LOCALHOST or ipaddress.ip_address(name).is_loopback)
    except ValueError:
        return False
