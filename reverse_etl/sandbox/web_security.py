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
_FOREIGN_SITES: Final = frozenset({"cross-site", "same-site"})


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
    is_foreign = headers.get("sec-fetch-site") in _FOREIGN_SITES and (
        headers.get("sec-fetch-mode") != "navigate"
    )
    if is_foreign or (origin is not None and not _is_own_origin(origin, host)):
        raise HttpError(403, ErrorObject("The sandbox answers only to its own page.", code="origin"))


def require_own_page(origin: str, host: str) -> None:
    """Raise HttpError (403) unless the origin of a form's request, which browsers name, is the sandbox."""
    if not _is_own_origin(origin, host):
        raise HttpError(403, ErrorObject("Forms are accepted from the sandbox's own page.", code="origin"))


def page_headers(nonce: str) -> dict[str, str]:
    """Return the security headers of a page whose style and script have this nonce.

    The page loads nothing else. Its script may read from the sandbox, and its forms lead to it.
    """
    policy = {
        "default-src": "'none'",
        "style-src": f"'nonce-{nonce}'",
        "script-src": f"'nonce-{nonce}'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {sources}" for name, sources in policy.items()),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
    }


def generate_nonce() -> str:
    """Return a random text that no page can guess."""
    return secrets.token_urlsafe(16)


def _is_own_origin(origin: str, host: str) -> bool:
    return origin.lower() == f"http://{host.lower()}"


def _is_own_host(host: str) -> bool:
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # raises ValueError for a port that is not a number
        name = parts.hostname or ""
        is_plain = not (parts.path or parts.query or parts.fragment or "@" in host)
        return is_plain and (name == _LOCALHOST or ipaddress.ip_address(name).is_loopback)
    except ValueError:
        return False
